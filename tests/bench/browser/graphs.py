"""Training steps as ONNX graphs, for ONNX Runtime Web, which itself has no training any more.

    python3 graphs.py FOLDER       # FOLDER/cnn-32.onnx, ...

A graph takes the weights and eight batches and runs `count` plain SGD steps in a Loop: forward, backward, update. What was
found to be fast there: a dense update is one Gemm that scales by the rate, a pool goes before its ReLU, and a convolution
over a sequence is unfolded once for its product and its gradient.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

dense, conv, relu, pool = (lambda n: ("dense", n)), (lambda n: ("conv", n)), ("relu",), ("pool",)
MODELS = {  # as in work.js, channels first
    "2nn": ((784,), 10, 0.02, [dense(200), relu, dense(200), relu, dense(10)]),
    "cnn": ((1, 28, 28), 10, 0.004, [conv(32), relu, pool, conv(64), relu, pool, dense(512), relu, dense(10)]),
    "conv1d": ((8, 64), 6, 0.02, [conv(32), relu, pool, conv(64), relu, pool, dense(64), relu, dense(6)]),
    "ae": ((512,), 0, 0.5, [dense(128), relu, dense(32), relu, dense(128), relu, dense(512)]),
}
KERNEL, BATCHES = 5, 8


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def __call__(self, kind, *inputs, outputs=1, **attributes):
        names = [f"{kind}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value, dtype):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
        return name

    def floats(self, value):
        return self.constant(value, np.float32)

    def ints(self, *value):
        return self.constant(value, np.int64)

    def reshape(self, value, *shape):
        return self("Reshape", value, self.ints(*shape))


class Step:
    """The nodes of one step, batch size and shapes known."""

    def __init__(self, model, batch):
        self.g = Graph()
        self.batch = batch
        self.shape, self.classes, self.rate, self.layers = MODELS[model]
        self.back = []  # functions from the gradient of a layer's output to that of its input, last layer first
        self.updates = {}
        self.shapes = {}

    def build(self, x, y):
        g, value, shape, number = self.g, x, self.shape, 0
        layers = list(self.layers)
        while layers:
            layer = layers.pop(0)
            if layer[0] == "dense":
                value, shape = self.dense(value, shape, layer[1], number)
                number += 1
            elif layer[0] == "conv":
                value, shape = self.conv(value, shape, layer[1], number)
                number += 1
            elif layer[0] == "relu" and layers and layers[0] == pool:
                layers.pop(0)
                value, shape = self.pool(value, shape)
                value = self.relu(value)
            else:
                value = self.relu(value)
        if self.classes:
            p = g("Softmax", value, axis=-1)
            logs = g("Mul", y, g("Log", p))
            loss = g("Mul", g("ReduceSum", logs, keepdims=0), g.floats(-1 / self.batch))
            d = g("Mul", g("Sub", p, y), g.floats(1 / self.batch))
        else:
            difference = g("Sub", value, y)
            loss = g("ReduceMean", g("Mul", difference, difference), keepdims=0)
            d = g("Mul", difference, g.floats(2 / (self.batch * shape[0])))
        for step in reversed(self.back):
            d = step(d)
        return loss

    def parameter(self, number, weight, bias):
        self.shapes[f"w{number}"], self.shapes[f"b{number}"] = list(weight), list(bias)

    def minus(self, name, gradient):
        self.updates[name] = self.g("Sub", name, self.g("Mul", gradient, self.g.floats(self.rate)))

    def relu(self, value):
        g = self.g
        out = g("Relu", value)
        self.back.append(lambda d: d and g("Where", g("Greater", out, g.floats(0)), d, g.floats(0)))
        return out

    def dense(self, value, shape, units, number):
        g, size, first = self.g, int(np.prod(shape)), number == 0
        w, b = f"w{number}", f"b{number}"
        self.parameter(number, (size, units), (units,))
        flat = value if len(shape) == 1 else g.reshape(value, self.batch, size)

        def backward(d):
            self.updates[w] = g("Gemm", flat, d, w, transA=1, alpha=-self.rate)
            self.minus(b, g("ReduceSum", d, g.ints(0), keepdims=0))
            if first:
                return None
            inner = g("Gemm", d, w, transB=1)
            return inner if len(shape) == 1 else g.reshape(inner, self.batch, *shape)

        self.back.append(backward)
        return g("Gemm", flat, w, b), (units,)

    def conv(self, value, shape, units, number):
        return (self.conv1d if len(shape) == 2 else self.conv2d)(value, shape, units, number)

    def conv2d(self, value, shape, units, number):
        g, (channels, height, width), first = self.g, shape, number == 0
        w, b = f"w{number}", f"b{number}"
        self.parameter(number, (units, channels, KERNEL, KERNEL), (units,))
        half = KERNEL // 2
        pads = [half] * 4

        def backward(d):
            swapped = [g("Transpose", v, perm=[1, 0, 2, 3]) for v in (value, d)]
            gradient = g("Conv", *swapped, pads=pads, kernel_shape=[height, width])
            self.minus(w, g("Transpose", gradient, perm=[1, 0, 2, 3]))
            self.minus(b, g("ReduceSum", d, g.ints(0, 2, 3), keepdims=0))
            if first:
                return None
            turned = g("Slice", w, g.ints(-1, -1), g.ints(-1000, -1000), g.ints(2, 3), g.ints(-1, -1))
            return g("Conv", d, g("Transpose", turned, perm=[1, 0, 2, 3]), pads=pads, kernel_shape=[KERNEL, KERNEL])

        self.back.append(backward)
        return g("Conv", value, w, b, pads=pads, kernel_shape=[KERNEL, KERNEL]), (units, height, width)

    def unfold(self, value, length):
        """[batch, channels, length] to [batch, kernel * channels, length]."""
        g, half = self.g, KERNEL // 2
        padded = g("Pad", value, g.ints(0, 0, half, 0, 0, half))
        return g("Concat", *[g("Slice", padded, g.ints(k), g.ints(k + length), g.ints(2)) for k in range(KERNEL)], axis=1)

    def conv1d(self, value, shape, units, number):
        g, (channels, length), first = self.g, shape, number == 0
        w, b = f"w{number}", f"b{number}"
        self.parameter(number, (units, channels, KERNEL), (units,))
        columns = self.unfold(value, length)
        matrix = g.reshape(g("Transpose", w, perm=[0, 2, 1]), units, KERNEL * channels)
        out = g("Add", g("MatMul", matrix, columns), g.reshape(b, 1, units, 1))

        def backward(d):
            flat_d = g.reshape(g("Transpose", d, perm=[1, 0, 2]), units, self.batch * length)
            flat_x = g.reshape(g("Transpose", columns, perm=[0, 2, 1]), self.batch * length, KERNEL * channels)
            gradient = g.reshape(g("MatMul", flat_d, flat_x), units, KERNEL, channels)
            self.minus(w, g("Transpose", gradient, perm=[0, 2, 1]))
            self.minus(b, g("ReduceSum", d, g.ints(0, 2), keepdims=0))
            if first:
                return None
            turned = g("Slice", w, g.ints(-1), g.ints(-1000), g.ints(2), g.ints(-1))
            matrix_back = g.reshape(g("Transpose", turned, perm=[1, 2, 0]), channels, KERNEL * units)
            return g("MatMul", matrix_back, self.unfold(d, length))

        self.back.append(backward)
        return out, (units, length)

    def pool(self, value, shape):
        g, channels, space = self.g, shape[0], shape[1:]
        halves = [n // 2 for n in space]
        windows = [self.batch, channels] + [v for n in halves for v in (n, 2)]
        small = [self.batch, channels] + [v for n in halves for v in (n, 1)]
        out = g("MaxPool", value, kernel_shape=[2] * len(space), strides=[2] * len(space))

        def backward(d):
            largest = g("Equal", g.reshape(value, *windows), g.reshape(out, *small))
            spread = g("Where", largest, g.reshape(d, *small), g.floats(0))
            return g.reshape(spread, self.batch, channels, *space)

        self.back.append(backward)
        return out, (channels, *halves)


def loop(model, batch):
    step = Step(model, batch)
    g = step.g
    position = g("Mod", g("Add", "first", "iteration"), g.constant(BATCHES, np.int64))
    x = g("Gather", "x", position, axis=0)
    y = g("Gather", "y", position, axis=0) if step.classes else x
    loss = step.build(x, y)
    names = list(step.shapes)
    go_on = g("Identity", "condition")

    def tensor(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        g.nodes, "step",
        [tensor("iteration", [], TensorProto.INT64), tensor("condition", [], TensorProto.BOOL), tensor("loss", []),
         *[tensor(n, step.shapes[n]) for n in names]],
        [tensor(go_on, [], TensorProto.BOOL), tensor(loss, []), *[tensor(step.updates[n], step.shapes[n]) for n in names]], g.constants)
    outer = Graph()
    zero, true = outer.floats(0), outer.constant(True, bool)
    outs = ["loss_new", *[f"{n}_new" for n in names]]
    outer.nodes.append(helper.make_node("Loop", ["count", true, zero, *[f"{n}" for n in names]], outs, body=body))
    # The body names its own copies as the outer graph names what comes in.
    rename = {n: f"{n}_now" for n in names}
    for value in body.input:
        value.name = rename.get(value.name, value.name)
    for node in body.node:
        for i, name in enumerate(node.input):
            node.input[i] = rename.get(name, name)
    outer.nodes[-1].attribute[0].g.CopyFrom(body)
    inputs = [tensor("count", [], TensorProto.INT64), tensor("first", [], TensorProto.INT64),
              tensor("x", [BATCHES, batch, *step.shape]), *[tensor(n, step.shapes[n]) for n in names]]
    if step.classes:
        inputs.append(tensor("y", [BATCHES, batch, step.classes]))
    outputs = [tensor("loss_new", []), *[tensor(f"{n}_new", step.shapes[n]) for n in names]]
    whole = helper.make_graph(outer.nodes, model, inputs, outputs, outer.constants)
    made = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        for batch in (10, 32, 64):
            (folder / f"{model}-{batch}.onnx").write_bytes(loop(model, batch).SerializeToString())


main()
