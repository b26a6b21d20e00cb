"""PyTorch, eager, on the CPU: training steps of the same models, and federated averaging in a plain loop."""
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from digits import pictures
from link import serve


def two_nn():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 10))


def conv1d():
    return nn.Sequential(nn.Conv1d(8, 32, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(32, 64, 5, padding=2), nn.ReLU(),
                         nn.MaxPool1d(2), nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 6))


def autoencoder():
    return nn.Sequential(nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 128), nn.ReLU(),
                         nn.Linear(128, 512))


def conv1d_autoencoder():
    return nn.Sequential(nn.Conv1d(8, 32, 5, stride=2, padding=2), nn.ReLU(), nn.Conv1d(32, 16, 5, stride=2, padding=2), nn.ReLU(),
                         nn.ConvTranspose1d(16, 32, 4, stride=2, padding=1), nn.ReLU(), nn.ConvTranspose1d(32, 8, 4, stride=2, padding=1))


makers = {"2nn": two_nn, "cnn": cnn, "conv1d": conv1d, "ae": autoencoder, "conv1dae": conv1d_autoencoder}


cache = {}


def train(model, batch, threads, seconds, mnist):
    torch.set_num_threads(threads)
    key = (model, batch)
    if key not in cache:
        if model in ("2nn", "cnn"):
            x, y = pictures(mnist, "train")
        else:
            x = torch.randn(1920, 8, 64)
            y = torch.randint(0, 6, (1920,)) if model == "conv1d" else x if model == "conv1dae" else x.flatten(1)
        net = makers[model]()
        cache[key] = net, torch.optim.SGD(net.parameters(), lr=0.01), x[:1920], y[:1920]
    net, optimiser, x, y = cache[key]
    at = 0

    def step():
        nonlocal at
        rows = slice(at, at + batch)
        at = (at + batch) % (len(y) - batch + 1)
        loss = (F.mse_loss if y.is_floating_point() else F.cross_entropy)(net(x[rows]), y[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    end = time.perf_counter() + 0.3
    while time.perf_counter() < end:
        step()
    clock = time.process_time if threads == 1 else time.perf_counter
    began, end, steps = clock(), time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        step()
        steps += 1
    return {"value": steps * batch / (clock() - began)}


def to_accuracy(mnist, target, partners, sample, batch, rate, seed, threads):
    """FedAvg of the 2NN with nothing around it; seconds until the test accuracy is reached."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    x, y = pictures(mnist, "train")
    xt, yt = pictures(mnist, "t10k")
    shares = torch.randperm(len(y)).view(partners, -1)
    net = two_nn()
    weights = list(net.parameters())
    model = [w.detach().clone() for w in weights]
    optimiser = torch.optim.SGD(weights, lr=rate, foreach=True)
    began = time.perf_counter()
    for number in range(1, 301):
        total = [torch.zeros_like(w) for w in model]
        chosen = torch.randperm(partners)[:sample].tolist()
        for partner in chosen:
            rows = shares[partner]
            with torch.no_grad():
                for w, m in zip(weights, model):
                    w.copy_(m)
            for i in torch.randperm(len(rows)).split(batch):
                loss = F.cross_entropy(net(x[rows[i]]), y[rows[i]])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
            with torch.no_grad():
                torch._foreach_add_(total, weights)
        model = [t / sample for t in total]
        with torch.inference_mode():
            for w, m in zip(weights, model):
                w.copy_(m)
            accuracy = (net(xt).argmax(1) == yt).float().mean().item()
        if accuracy >= target:
            break
    return {"value": time.perf_counter() - began, "rounds": number, "accuracy": accuracy}


serve({"train": train, "to_accuracy": to_accuracy})
