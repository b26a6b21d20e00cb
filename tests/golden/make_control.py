#!/usr/bin/env python3
"""Writes control_golden.hpp: Hotelling's T², Q and their limits by numpy's eigh and scipy's F and normal distributions.

Needs numpy and scipy:  python3 make_control.py
"""
import pathlib

import numpy as np
from scipy import stats

from golden_text import array

rng = np.random.default_rng(3)
N, D, TEST = 60, 4, 12
mix = rng.normal(size=(D, D))
normal = rng.normal(size=(N, D)) @ mix
normal = ((normal - normal.mean(0)) / normal.std(0)).astype(np.float32)
rows = (rng.normal(size=(TEST, D)) * 2).astype(np.float32)

z = normal.astype(float)
values, vectors = np.linalg.eigh(np.cov(z, rowvar=False))
values, vectors = values[::-1], vectors[:, ::-1]
k = int(np.searchsorted(np.cumsum(values) / values.sum(), 0.85, side="right")) + 1


def limit(d):
    return d * (N - 1) * (N + 1) / (N * (N - d)) * stats.f.ppf(0.999, d, N - d)


theta = [np.sum(values[k:] ** i) for i in (1, 2, 3)]
h = 1 - 2 * theta[0] * theta[2] / (3 * theta[1] ** 2)
q_limit = theta[0] * (1 + stats.norm.ppf(0.999) * h * np.sqrt(2 * theta[1]) / theta[0] + theta[1] * h * (h - 1) / theta[0] ** 2) ** (1 / h)
x = rows.astype(float)
t2 = np.einsum("ri,ij,rj->r", x, np.linalg.inv(np.cov(z, rowvar=False)), x) / limit(D)
scores = x @ vectors[:, :k]
t2_k = (scores**2 / values[:k]).sum(1) / limit(k)
q = ((x - scores @ vectors[:, :k].T) ** 2).sum(1) / q_limit


def rolling(v):
    return np.array([np.median(v[i - 4 : i + 1]) if i >= 4 else 0.0 for i in range(len(v))])


out = "// Written by make_control.py with numpy and scipy (float64); do not edit.\n#pragma once\n\nnamespace golden {\n\n"
out += f"inline constexpr unsigned control_width = {D}, control_components = {k};\n"
for name, value in (("t2_limit", limit(D)), ("t2_limit_k", limit(k)), ("q_limit", q_limit), ("f_8_392", stats.f.ppf(0.999, 8, 392)), ("f_1_3", stats.f.ppf(0.999, 1, 3))):
    out += f"inline constexpr double control_{name} = {value:.15g};\n"
out += array("control_normal", normal.ravel()) + array("control_rows", rows.ravel()) + array("control_values", values)
out += array("control_t2", rolling(t2)) + array("control_t2_q", np.maximum(rolling(t2_k), rolling(q)))
out += "\n}  // namespace golden\n"
pathlib.Path(__file__).with_name("control_golden.hpp").write_text(out)
