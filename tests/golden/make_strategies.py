#!/usr/bin/env python3
"""Writes strategies_golden.hpp: the server rules of Hsu et al. 2019 and Reddi et al. 2021 in numpy, float64.

Needs numpy:  python3 make_strategies.py
"""
import pathlib
import textwrap

import numpy as np

rng = np.random.default_rng(11)
D, ROUNDS = 6, 5
start = rng.normal(size=D).astype(np.float32)
deltas = (rng.normal(size=(ROUNDS, D)) * 0.1).astype(np.float32)
deltas[2, 1] = 0.0
BETA1, BETA2 = 0.9, 0.99


def avgm():
    x, v = start.astype(np.float64), np.zeros(D)
    for delta in deltas.astype(np.float64):
        v = BETA1 * v + delta
        x = x + 1.0 * v
    return x


def adaptive(second_moment, beta1, rate, tau):
    x, m, v = start.astype(np.float64), np.zeros(D), np.full(D, tau**2)
    for delta in deltas.astype(np.float64):
        m = beta1 * m + (1 - beta1) * delta
        v = second_moment(v, delta**2)
        x = x + rate * m / (np.sqrt(v) + tau)
    return x


results = {
    "fedavgm": avgm(),
    "fedadagrad": adaptive(lambda v, s: v + s, 0.0, 0.1, 1e-2),
    "fedadam": adaptive(lambda v, s: BETA2 * v + (1 - BETA2) * s, BETA1, 10**-2.5, 1e-4),
    "fedyogi": adaptive(lambda v, s: v - (1 - BETA2) * s * np.sign(v - s), BETA1, 10**-2.5, 1e-4),
}


def array(kind, name, values):
    body = ", ".join(f"{v:.8e}f" if kind == "float" else f"{v:.16e}" for v in np.ravel(values))
    return f"inline constexpr {kind} {name}[] = {{\n{textwrap.fill(body, 112, initial_indent='    ', subsequent_indent='    ')}}};\n"


out = "// Written by make_strategies.py with numpy (float64); do not edit.\n#pragma once\n\nnamespace golden {\n\n"
out += f"inline constexpr int strategy_rounds = {ROUNDS};\n"
out += array("float", "strategy_start", start) + array("float", "strategy_deltas", deltas)
for name, values in results.items():
    out += array("double", name, values)
out += "\n}  // namespace golden\n"
pathlib.Path(__file__).with_name("strategies_golden.hpp").write_text(out)
