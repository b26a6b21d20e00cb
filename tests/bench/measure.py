"""Ours and theirs, in turn, in one run: A B B A A B …; every figure is a minimum, a median and a maximum."""
import dataclasses
import os
import pathlib
import platform
import statistics
from typing import Callable


@dataclasses.dataclass
class Row:
    id: str
    what: str
    unit: str
    peer: str
    ours: Callable[[], float]
    theirs: Callable[[], float]
    at_least: float
    more_is_better: bool = True
    passes: int = 5
    skip: str = ""  # why it cannot be measured here


@dataclasses.dataclass
class Outcome:
    row: Row
    ours: list
    theirs: list

    @property
    def ratios(self):
        pairs = zip(self.ours, self.theirs)
        return [a / b if self.row.more_is_better else b / a for a, b in pairs]

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def met(self):
        return self.ratio >= self.row.at_least

    def as_json(self):
        return {"id": self.row.id, "ours": statistics.median(self.ours), "theirs": statistics.median(self.theirs),
                "unit": self.row.unit, "peer": self.row.peer, "ratio": round(self.ratio, 3), "at_least": self.row.at_least,
                "ours_all": self.ours, "theirs_all": self.theirs}


def measure(row, passes=None):
    ours, theirs = [], []
    for n in range(passes or row.passes):
        order = [(ours, row.ours), (theirs, row.theirs)]
        for into, work in order if n % 2 == 0 else reversed(order):
            into.append(work())
    return Outcome(row, ours, theirs)


def figure(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(values):
    if len(values) == 1:
        return figure(values[0])
    return " / ".join(figure(v) for v in (min(values), statistics.median(values), max(values)))


def table(outcomes):
    """Markdown; the same on a terminal and in the document."""
    lines = ["| id | work | ours (min / median / max) | peer | theirs | ratio | at least | |", "|---|---|---|---|---|---|---|---|"]
    for o in outcomes:
        lines.append(f"| {o.row.id} | {o.row.what}, {o.row.unit} | {spread(o.ours)} | {o.row.peer} | {spread(o.theirs)} | "
                     f"{spread(o.ratios)} | {o.row.at_least:g} | {'met' if o.met else '**short**'} |")
    return "\n".join(lines)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, {platform.platform()}"
