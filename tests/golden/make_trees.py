#!/usr/bin/env python3
"""Writes trees_golden.hpp: boosted trees after Chen and Guestrin 2016, equations 5 and 7, in plain numpy, float64.

Each candidate is judged by masks over the raw rows, without histograms and without integers.
Needs numpy:  python3 make_trees.py
"""
import pathlib

import numpy as np

from golden_text import array

rng = np.random.default_rng(5)
ROWS, FEATURES, BINS, DEPTH, TREES, RATE, LAMBDA, GAMMA, LEAST = 120, 4, 6, 3, 3, 0.3, 1.5, 0.01, 1.0
x = np.round(rng.normal(size=(ROWS, FEATURES)) * 64) / 64 + 1 / 128
x[:, 3] = rng.integers(0, 2, ROWS)  # a one-hot number
logit = 1.5 * x[:, 0] - x[:, 1] * (x[:, 3] > 0) + 0.5 * rng.normal(size=ROWS)
labels = (logit > 0).astype(int)
targets = (np.sin(x[:, 0]) + 0.3 * x[:, 1] * x[:, 2]).astype(np.float32)
x = x.astype(np.float32)


def cuts(column):
    """In cells of 1/64: where a bin has more than its share of the rows, and around a cell that alone has."""
    cell = np.floor((column.astype(float) + 8) * 64).astype(int)
    share = len(cell) // BINS + 1
    found, waiting, seen = [], 0, 0
    for value, count in zip(*np.unique(cell, return_counts=True)):
        if waiting and count >= share:
            found.append(value / 64 - 8)
            waiting = 0
        waiting += count
        seen += count
        if waiting >= share and seen < len(cell):
            found.append((value + 1) / 64 - 8)
            waiting = 0
    return found


def grow(g, h, rows, depth):
    """(feature, threshold, gain, left, right), or the value of a leaf."""
    def score(mask):
        return g[mask].sum() ** 2 / (h[mask].sum() + LAMBDA)

    best = None
    for f in range(FEATURES) if depth else []:
        for t in cuts(x[:, f]):
            left, right = rows & (x[:, f] < t), rows & (x[:, f] >= t)
            if not left.any() or not right.any() or min(h[left].sum(), h[right].sum()) < LEAST:
                continue
            gain = (score(left) + score(right) - score(rows)) / 2 - GAMMA
            if gain > 1e-12 and (best is None or gain > best[2] + 1e-12):
                best = (f, t, gain, left, right)
    if best is None:
        return -RATE * g[rows].sum() / (h[rows].sum() + LAMBDA)
    f, t, gain, left, right = best
    return f, t, gain, grow(g, h, left, depth - 1), grow(g, h, right, depth - 1)


def values(tree):
    out = np.zeros(ROWS)
    for r in range(ROWS):
        node = tree
        while isinstance(node, tuple):
            node = node[3] if x[r, node[0]] < node[1] else node[4]
        out[r] = node
    return out


def levels(tree):
    """feature, threshold, left, value, gain of each node, level by level."""
    queue, lines = [tree], []
    for node in queue:
        if isinstance(node, tuple):
            lines.append((node[0], node[1], len(queue), 0.0, node[2]))
            queue += node[3:5]
        else:
            lines.append((0, 0.0, 0, node, 0.0))
    return lines


def boost(squared):
    mean = targets.astype(float).mean() if squared else labels.mean()
    margin = np.full(ROWS, mean if squared else np.log(mean / (1 - mean)))
    base, nodes, sizes = margin[0], [], []
    for _ in range(TREES):
        p = margin if squared else 1 / (1 + np.exp(-margin))
        g = p - (targets.astype(float) if squared else labels)
        h = np.ones(ROWS) if squared else p * (1 - p)
        tree = grow(g, h, np.ones(ROWS, bool), DEPTH)
        margin = margin + values(tree)
        nodes += levels(tree)
        sizes.append(len(levels(tree)))
    return base, nodes, sizes, margin


out = "// Written by make_trees.py with numpy (float64); do not edit.\n#pragma once\n\nnamespace golden {\n\n"
for name, value in (("rows", ROWS), ("features", FEATURES), ("bins", BINS), ("depth", DEPTH), ("count", TREES)):
    out += f"inline constexpr unsigned trees_{name} = {value};\n"
for name, value in (("rate", RATE), ("lambda", LAMBDA), ("gamma", GAMMA), ("least", LEAST)):
    out += f"inline constexpr double trees_{name} = {value};\n"
out += array("trees_x", x.ravel()) + array("trees_labels", labels, "unsigned") + array("trees_targets", targets)
for name, squared in (("logistic", False), ("squared", True)):
    base, nodes, sizes, margin = boost(squared)
    out += f"inline constexpr double {name}_base = {base:.17g};\n"
    out += array(f"{name}_sizes", sizes, "unsigned")
    out += array(f"{name}_feature", [n[0] for n in nodes], "unsigned") + array(f"{name}_left", [n[2] for n in nodes], "unsigned")
    out += array(f"{name}_threshold", [n[1] for n in nodes]) + array(f"{name}_value", [n[3] for n in nodes])
    out += array(f"{name}_gain", [n[4] for n in nodes]) + array(f"{name}_margin", margin)
out += "\n}  // namespace golden\n"
pathlib.Path(__file__).with_name("trees_golden.hpp").write_text(out)
