"""MNIST as the peers read it: IDX files, gzipped or not."""
import functools
import gzip
import pathlib

import torch


def idx(folder, name):
    path = pathlib.Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(name + ".gz").read_bytes())
    return torch.frombuffer(bytearray(data[16 if "images" in name else 8:]), dtype=torch.uint8)


@functools.cache
def pictures(folder, part):
    x = idx(folder, part + "-images-idx3-ubyte").float().div_(255).view(-1, 1, 28, 28)
    return x, idx(folder, part + "-labels-idx1-ubyte").long()
