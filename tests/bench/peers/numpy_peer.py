"""numpy: OpenBLAS's products, and Flower's aggregation, which is numpy."""
import pathlib
import time

import numpy as np

from link import serve

shapes = [(5, 5, 1, 32), (32,), (5, 5, 32, 64), (64,), (3136, 512), (512,), (512, 10), (10,)]  # the CNN


def status_mb(field):
    line = next(line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def gemm(m, n, k, seconds):
    random = np.random.default_rng(1)
    a = random.random((m, k), np.float32)
    b = random.random((k, n), np.float32)
    c = np.empty((m, n), np.float32)
    end = time.perf_counter() + 0.1
    while time.perf_counter() < end:
        np.matmul(a, b, out=c)
    began, end, calls = time.process_time(), time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        np.matmul(a, b, out=c)
        calls += 1
    return {"value": 2e-9 * m * n * k * calls / (time.process_time() - began)}


def aggregate(updates):
    """As Flower's strategies do it when all replies are there."""
    from flwr.app import ArrayRecord, MetricRecord, RecordDict
    from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords
    weights = [np.zeros(shape, np.float32) for shape in shapes]
    before = status_mb("VmRSS")
    replies = [RecordDict({"arrays": ArrayRecord([w + np.float32(i) for w in weights]),
                           "metrics": MetricRecord({"num-examples": 600 + i})}) for i in range(updates)]
    aggregate_arrayrecords(replies, "num-examples")
    began = time.perf_counter()  # the second of two rounds, as ours
    aggregate_arrayrecords(replies, "num-examples")
    seconds = time.perf_counter() - began
    return {"value": seconds, "memory_mb": status_mb("VmHWM") - before}


def median(updates):
    before = status_mb("VmRSS")
    size = sum(int(np.prod(s)) for s in shapes)
    stack = np.random.default_rng(1).random((updates, size), np.float32)
    began = time.perf_counter()
    np.median(stack, axis=0)
    return {"value": time.perf_counter() - began, "memory_mb": status_mb("VmHWM") - before}


serve({"gemm": gemm, "aggregate": aggregate, "median": median})
