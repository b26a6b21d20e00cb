#!/usr/bin/env python3
"""Writes nn_layers_golden.hpp: three small networks of every other layer, as PyTorch computes them in float64.

Needs torch (any CPU build):  python3 -m venv v && v/bin/pip install torch && v/bin/python make_nn_layers.py
Each case has inputs, labels, parameters in Entente's layout, outputs, the mean cross-entropy and its gradient.
"""
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

from golden_text import array

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)


def as_float32(t):
    return t.to(torch.float32).to(torch.float64)


def randomise(modules):
    with torch.no_grad():
        for module in modules:
            for p in module.parameters():
                p.copy_(as_float32(torch.randn_like(p) * 0.4 + (1.0 if isinstance(module, (nn.GroupNorm, nn.LayerNorm)) else 0.0)))


def flat(modules, grad):
    """Parameters (or gradients) in Entente's layout."""
    parts = []
    for module in modules:
        tensors = dict(module.named_parameters())
        names = ["weight", "bias"]
        if isinstance(module, nn.GRU):
            names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
        for name in names:
            if name not in tensors:
                continue
            t = tensors[name].grad if grad else tensors[name].detach()
            if isinstance(module, nn.ConvTranspose1d) and t.dim() == 3:
                t = t.permute(1, 2, 0).flip(1)  # [out, k, in], as a convolution sees it
            elif t.dim() == 4:
                t = t.permute(0, 2, 3, 1)  # [out, ky, kx, in]
            elif t.dim() == 3:
                t = t.permute(0, 2, 1)  # [out, k, in]
            elif t.dim() == 2 and not isinstance(module, nn.Embedding):
                t = t.t()  # [in, out]
            parts.append(t.reshape(-1))
    return torch.cat(parts)


def pictures():
    """strided conv - group norm - tanh - [conv - GELU] + - avg pool - flatten - dense"""
    conv1, norm = nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.GroupNorm(2, 4)
    conv2, dense = nn.Conv2d(4, 4, 3, padding="same"), nn.Linear(2 * 2 * 4, 3)

    def forward(x):
        x = torch.tanh(norm(conv1(x.permute(0, 3, 1, 2))))
        x = x + F.gelu(conv2(x), approximate="tanh")
        x = F.avg_pool2d(x, 2)
        return dense(x.permute(0, 2, 3, 1).reshape(x.shape[0], -1))

    return [conv1, norm, conv2, dense], forward, as_float32(torch.randn(3, 8, 9, 2))


def sequence():
    """conv - sigmoid - layer norm - max pool - strided conv - avg pool - flatten - dense"""
    conv1, norm = nn.Conv1d(3, 5, 3, padding="same"), nn.LayerNorm(5)
    conv2, dense = nn.Conv1d(5, 4, 2, stride=2), nn.Linear(4, 3)

    def forward(x):
        x = norm(torch.sigmoid(conv1(x.permute(0, 2, 1))).permute(0, 2, 1)).permute(0, 2, 1)
        x = F.avg_pool1d(conv2(F.max_pool1d(x, 2)), 2)
        return dense(x.permute(0, 2, 1).reshape(x.shape[0], -1))

    return [conv1, norm, conv2, dense], forward, as_float32(torch.randn(3, 11, 3))


def words():
    """embedding - GRU over all steps - GRU, last step - dense"""
    embedding, gru1 = nn.Embedding(7, 4), nn.GRU(4, 5, batch_first=True)
    gru2, dense = nn.GRU(5, 3, batch_first=True), nn.Linear(3, 3)

    def forward(x):
        states, _ = gru1(embedding(x.long()))
        return dense(gru2(states)[0][:, -1])

    return [embedding, gru1, gru2, dense], forward, torch.randint(0, 7, (3, 6)).double()


def decoder():
    """strided conv - ReLU - transposed conv - tanh - transposed conv, not padded - flatten - dense"""
    conv, up1 = nn.Conv1d(3, 4, 3, stride=2, padding=1), nn.ConvTranspose1d(4, 5, 4, stride=2, padding=1)
    up2, dense = nn.ConvTranspose1d(5, 2, 3, stride=2), nn.Linear(21 * 2, 3)

    def forward(x):
        x = up2(torch.tanh(up1(F.relu(conv(x.permute(0, 2, 1))))))
        return dense(x.permute(0, 2, 1).reshape(x.shape[0], -1))

    return [conv, up1, up2, dense], forward, as_float32(torch.randn(3, 10, 3))


text = ("// Written by make_nn_layers.py with PyTorch " + torch.__version__.split("+")[0] + " (float64); do not edit.\n"
        "#pragma once\n\n#include <cstdint>\n\nnamespace golden {\n\n"
        "inline constexpr std::uint32_t layer_labels[] = {2, 0, 1};\n")
for case in (pictures, sequence, words, decoder):
    modules, forward, inputs = case()
    randomise(modules)
    outputs = forward(inputs)
    loss = F.cross_entropy(outputs, torch.tensor([2, 0, 1]))
    loss.backward()
    name = case.__name__
    text += f"\n// {case.__doc__}\n"
    text += array(f"{name}_inputs", inputs.reshape(-1).tolist())
    text += array(f"{name}_parameters", flat(modules, False).tolist())
    text += array(f"{name}_outputs", outputs.detach().reshape(-1).tolist())
    text += f"inline constexpr double {name}_loss = {loss.item():.15g};\n"
    text += array(f"{name}_gradient", flat(modules, True).tolist())
pathlib.Path(__file__).with_name("nn_layers_golden.hpp").write_text(text + "\n}  // namespace golden\n")
