#!/usr/bin/env python3
"""Writes nn_golden.hpp: losses, gradients and parameters of a tiny network as PyTorch computes them.

Needs torch (any CPU build):  python3 -m venv v && v/bin/pip install torch && v/bin/python make_nn.py
PyTorch computes in float64 here, so the C++ side is compared with the true values, not with another rounding.
"""
import pathlib

import torch
import torch.nn.functional as F

from golden_text import array

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
BATCH, HEIGHT, WIDTH, CHANNELS, CLASSES = 4, 7, 6, 2, 3
RATE, MOMENTUM, DECAY, STEPS = 0.1, 0.9, 0.01, 3


def as_float32(t):
    return t.to(torch.float32).to(torch.float64)


# conv 'same' 3x3x3 - relu - pool 2 (drops row 7) - conv 'valid' 2x2x4 - relu - flatten - 5 - relu - 3
conv1 = torch.nn.Conv2d(CHANNELS, 3, 3, padding="same")
conv2 = torch.nn.Conv2d(3, 4, 2)
dense1 = torch.nn.Linear(2 * 2 * 4, 5)
dense2 = torch.nn.Linear(5, CLASSES)
modules = [conv1, conv2, dense1, dense2]
with torch.no_grad():
    for module in modules:
        for p in module.parameters():
            p.copy_(as_float32(torch.randn_like(p) * (0.4 if p.dim() > 1 else 0.1)))


def forward(x):  # x: [batch, height, width, channels]
    x = x.permute(0, 3, 1, 2)
    x = F.max_pool2d(F.relu(conv1(x)), 2)
    x = F.relu(conv2(x))
    x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)  # (y, x, channel)
    return dense2(F.relu(dense1(x)))


def flat(grad):
    """Parameters (or gradients) in Entente's layout."""
    parts = []
    for module in modules:
        for p in (module.weight, module.bias):
            t = p.grad if grad else p.detach()
            if t.dim() == 4:
                t = t.permute(0, 2, 3, 1)  # [out, ky, kx, in]
            elif t.dim() == 2:
                t = t.t()  # [in, out]
            parts.append(t.reshape(-1))
    return torch.cat(parts)


inputs = as_float32(torch.rand(BATCH, HEIGHT, WIDTH, CHANNELS))
labels = torch.tensor([0, 2, 1, 2])
initial = flat(False)
optimiser = torch.optim.SGD([p for m in modules for p in m.parameters()], lr=RATE, momentum=MOMENTUM,
                            weight_decay=DECAY)
losses, first_gradient, first_logits = [], None, None
for step in range(STEPS):
    optimiser.zero_grad()
    logits = forward(inputs)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    if step == 0:
        first_gradient, first_logits = flat(True), logits.detach().reshape(-1)
    losses.append(loss.detach())
    optimiser.step()


out = pathlib.Path(__file__).with_name("nn_golden.hpp")
out.write_text(
    "// Written by make_nn.py with PyTorch " + torch.__version__.split("+")[0] + " (float64); do not edit.\n"
    "#pragma once\n\n#include <cstdint>\n\nnamespace golden {\n\n"
    f"inline constexpr float rate = {RATE}f;\ninline constexpr float momentum = {MOMENTUM}f;\n"
    f"inline constexpr float decay = {DECAY}f;\n\n"
    + array("inputs", inputs.reshape(-1).tolist())
    + array("labels", labels.tolist(), "std::uint32_t")
    + array("initial", initial.tolist())
    + array("logits", first_logits.tolist())
    + array("losses", [l.item() for l in losses])
    + array("gradient", first_gradient.tolist())
    + array("after_three_steps", flat(False).tolist())
    + "\n}  // namespace golden\n")
