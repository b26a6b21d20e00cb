#!/usr/bin/env python3
"""Writes nn_training_golden.hpp: losses with their gradients, and parameters after steps of each optimiser, as PyTorch
computes them in float64.

Needs torch (any CPU build):  python3 -m venv v && v/bin/pip install torch && v/bin/python make_nn_training.py
"""
import pathlib

import torch
import torch.nn.functional as F

from golden_text import array

torch.manual_seed(13)
torch.set_default_dtype(torch.float64)


def as_float32(t):
    return t.to(torch.float32).to(torch.float64)


BATCH, OUTPUTS = 4, 3
z = as_float32(torch.randn(BATCH, OUTPUTS) * 2)
values = as_float32(torch.randn(BATCH, OUTPUTS))
shares = as_float32(torch.rand(BATCH, OUTPUTS))
labels = torch.tensor([2, 0, 1, 2])
weights = as_float32(torch.tensor([0.5, 2.0, 1.25]))
pair = as_float32(torch.tensor([0.75, 3.0]))  # of 0 and of 1


def quantile(z, y, q):
    e = y - z
    return torch.maximum(q * e, (q - 1) * e).mean()


def binary(z, y):
    # pos_weight weighs the ones; ours weighs the zeros, too.
    return F.binary_cross_entropy_with_logits(z, y, pos_weight=pair[1] / pair[0]) * pair[0]


losses = {
    "cross_entropy": lambda z: F.cross_entropy(z, labels, weight=weights, reduction="sum") / BATCH,
    "binary": lambda z: binary(z, shares),
    "mean_squared": lambda z: F.mse_loss(z, values),
    "huber": lambda z: F.huber_loss(z, values, delta=0.7),
    "quantile": lambda z: quantile(z, values, 0.8),
}

text = ("// Written by make_nn_training.py with PyTorch " + torch.__version__.split("+")[0] + " (float64); do not edit.\n"
        "#pragma once\n\n#include <cstdint>\n\nnamespace golden {\n\n"
        "inline constexpr std::uint32_t loss_labels[] = {2, 0, 1, 2};\n"
        + array("loss_outputs", z.reshape(-1).tolist()) + array("loss_values", values.reshape(-1).tolist())
        + array("loss_shares", shares.reshape(-1).tolist()))
for name, loss in losses.items():
    x = z.clone().requires_grad_()
    value = loss(x)
    value.backward()
    text += f"inline constexpr double {name}_loss = {value.item():.15g};\n"
    text += array(f"{name}_slope", x.grad.reshape(-1).tolist())

# A dense layer 5 -> 3, the whole data in each batch, cross-entropy, six steps.
inputs = as_float32(torch.randn(6, 5))
classes = torch.tensor([0, 1, 2, 2, 1, 0])
start = [as_float32(torch.randn(3, 5) * 0.5), as_float32(torch.randn(3) * 0.5)]
text += "\ninline constexpr std::uint32_t step_labels[] = {0, 1, 2, 2, 1, 0};\n"
text += array("step_inputs", inputs.reshape(-1).tolist())
text += array("step_start", torch.cat([start[0].t().reshape(-1), start[1]]).tolist())
optimisers = {
    "nesterov": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01), None),
    "adam": (lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.02), None),
    "adamw": (lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1), None),
    "clipped": (lambda p: torch.optim.SGD(p, lr=0.3, weight_decay=0.01), 0.2),
}
for name, (make, clip) in optimisers.items():
    w, b = (t.clone().requires_grad_() for t in start)
    optimiser = make([w, b])
    for _ in range(6):
        optimiser.zero_grad()
        F.cross_entropy(F.linear(inputs, w, b), classes).backward()
        if clip:
            torch.nn.utils.clip_grad_norm_([w, b], clip)
        optimiser.step()
    text += array(f"after_{name}", torch.cat([w.detach().t().reshape(-1), b.detach()]).tolist())

pathlib.Path(__file__).with_name("nn_training_golden.hpp").write_text(text + "\n}  // namespace golden\n")
