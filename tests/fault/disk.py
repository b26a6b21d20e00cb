"""What a disk may hold after a power cut, computed from the trace of a run (preload/fault.hpp, with bytes).

    disk = Disk(root)
    for line in trace[:at]:
        disk.did(line)
    disk.after_power_cut(random.Random(seed), target)     # writes the folder as it may lie there

What POSIX promises and no more: the bytes of a file are there when fsync of the file has returned, its name when fsync of the
folder has. Of everything else since then each change is there or not, in any combination, and a write is there by sectors.
"""
import os

SECTOR = 512


class File:
    def __init__(self):
        self.synced = bytearray()
        self.now = bytearray()
        self.pending = []  # (offset, bytes) or ("size", length)

    def write(self, at, data):
        _put(self.now, at, data)
        self.pending.append((at, data))

    def resize(self, size):
        _resize(self.now, size)
        self.pending.append(("size", size))

    def sync(self):
        self.synced, self.pending = bytearray(self.now), []

    def perhaps(self, draw, share):
        content = bytearray(self.synced)
        for change in self.pending:
            if change[0] == "size":
                if draw.random() < share:
                    _resize(content, change[1])
                continue
            at, data = change
            torn = draw.random() < 0.5
            whole = draw.random() < share
            end = at + len(data)
            while at < end:
                step = min(SECTOR - at % SECTOR, end - at)
                if (draw.random() < share) if torn else whole:
                    _put(content, at, data[len(data) - (end - at):][:step])
                at += step
        return bytes(content)


class Folder:
    def __init__(self):
        self.synced, self.now, self.pending = {}, {}, []  # name -> File or Folder; pending: [(name, what or None), ...] at once

    def change(self, *entries):
        for name, what in entries:
            self.now.pop(name, None) if what is None else self.now.__setitem__(name, what)
        self.pending.append(entries)

    def sync(self):
        self.synced, self.pending = dict(self.now), []

    def perhaps(self, draw, share):
        names = dict(self.synced)
        for entries in self.pending:
            if draw.random() < share:
                for name, what in entries:
                    names.pop(name, None) if what is None else names.__setitem__(name, what)
        return names


def _put(content, at, data):
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(data)] = data


def _resize(content, size):
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


class Disk:
    """`root`: the folder that was watched; it is new, and its parent is old."""

    def __init__(self, root):
        self.root = root
        self.above = Folder()
        self.open = {}

    def _at(self, path):
        """The folder that it lies in, and its name there."""
        folder, steps = self.above, path[len(os.path.dirname(self.root)) + 1:].split("/")
        for step in steps[:-1]:
            folder = folder.now[step]
        return folder, steps[-1]

    def did(self, line):
        name, *rest = line.split(" ")
        action = getattr(self, "_" + name, None)
        if action:
            action(*rest)

    def _open(self, fd, path):
        if path == os.path.dirname(self.root):
            self.open[fd] = self.above
            return
        folder, name = self._at(path)
        self.open[fd] = folder.now[name]

    def _create(self, fd, path):
        folder, name = self._at(path)
        if name not in folder.now:
            folder.change((name, File()))
        self.open[fd] = folder.now[name]

    def _truncate(self, fd, path):
        self._create(fd, path)
        if self.open[fd].now:
            self.open[fd].resize(0)

    def _write(self, fd, at, count, data=""):
        self.open[fd].write(int(at), bytes.fromhex(data))

    def _ftruncate(self, fd, size):
        self.open[fd].resize(int(size))

    def _fsync(self, fd):
        self.open[fd].sync()

    def _mkdir(self, path):
        folder, name = self._at(path)
        folder.change((name, Folder()))

    def _unlink(self, path):
        folder, name = self._at(path)
        folder.change((name, None))

    _rmdir = _unlink

    def _rename(self, source, target):
        (before, old), (after, new) = self._at(source), self._at(target)
        what = before.now[old]
        if before is after:
            return before.change((old, None), (new, what))
        after.change((new, what))
        before.change((old, None))

    def after_power_cut(self, draw, target):
        share = draw.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        self._lay(self.above, draw, share, target)

    def _lay(self, folder, draw, share, target):
        target.mkdir(exist_ok=True)
        if draw.random() < 0.3:  # one file's writes before another's
            share = draw.choice((0.0, 0.5, 1.0))
        for name, what in sorted(folder.perhaps(draw, share).items()):
            if isinstance(what, Folder):
                self._lay(what, draw, share, target / name)
            else:
                (target / name).write_bytes(what.perhaps(draw, share))
                (target / name).chmod(0o600)
