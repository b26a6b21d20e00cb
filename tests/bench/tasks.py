"""The tasks on tables, on the data sets that are publicly known: what a partner gets alone, with the others, and what all rows pooled would give."""
import csv
import gzip
import hashlib
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import tempfile

root = pathlib.Path(__file__).parents[2]
data = pathlib.Path(os.environ.get("ENTENTE_DATA_DIR", root.parent / "shared/data"))
document = root / "docs/tasks.md"
begin, end = "<!-- script/bench tasks -->\n", "<!-- end -->"
seeds = 5
trainings = ("constant", "T²", "T²+Q", "local", "federated", "pooled")
lower_is_better = ("rmse", "nasa-score", "false-alarm-rate", "missed-alarm-rate", "brier")
fleets = ("FD001", "FD002", "FD003", "FD004")
operators = 5  # of each fleet


def simulate(entente, story, task, plan, mapping, tables, *words):
    """(training, who) -> metric -> [value of each seed], and how many rows of whom were scored."""
    folder = root / "examples" / story
    with tempfile.TemporaryDirectory() as out:
        command = [entente, "simulate", *([folder / plan] if plan else []), "--task", folder / task, "--mapping", folder / mapping, "--alone", "--quiet",
                   "--seeds", seeds, "--out", out, *words]
        for table in tables:
            command += ["--table", table]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        found, rows = {}, {}
        with open(pathlib.Path(out) / "scores.csv", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                rows[line["who"]] = int(line["examples"])
                values = found.setdefault((line["training"], line["who"]), {}).setdefault(line["metric"], [])
                values.append(float(line["value"]) if line["value"] else math.nan)
        return found, rows


def scms(entente, plan, *words):
    table = data / "scms/SCMS_Delivery_History_Dataset.csv.gz"
    return simulate(entente, "late-deliveries", "task.toml", plan, "scms.toml", [table], "--by", "country", "--partners", 13, *words)[0]


def overall(found, metrics):
    return {metric: {t: found[t, "all"][metric] for t in trainings if (t, "all") in found} for metric in metrics}


def late_deliveries(entente):
    metrics = ("auc", "average-precision", "precision-at-10")
    yield "late-deliveries", "SCMS, 13 partners, scored from 2014 on; a network", overall(scms(entente, "scms-plan.toml"), metrics)
    yield "late-deliveries.trees", "the same, trees", overall(scms(entente, None, "--model", root / "examples/late-deliveries/trees.toml"), metrics)


def sensor_anomalies(entente):
    runs = [data / f"skab/{rig}/{n}.csv.gz" for rig, numbers in (("valve1", range(16)), ("valve2", range(4)), ("other", range(1, 15))) for n in numbers]
    found, _ = simulate(entente, "sensor-anomalies", "task.toml", "plan.toml", "skab.toml", runs)
    yield ("sensor-anomalies", "SKAB, 34 runs, a partner each; rows behind the first 400 of each",
           overall(found, ("auc", "best-f1", "f1", "false-alarm-rate", "missed-alarm-rate")))


def numbers_of(path):
    with gzip.open(path, "rt", encoding="latin-1") as file:
        return [line.split() for line in file if line.strip()]


def deal(fleet, part, units):
    """Engines in an order that the fleet's name draws; operator k has those at the places k, k + 5, ..."""
    order = sorted(units, key=int)
    random.Random(f"{fleet} {part}").shuffle(order)
    return {unit: place % operators for place, unit in enumerate(order)}


def write_operators(folder):
    """A CSV for each operator, fleet by fleet, and the digest of who has which engine."""
    header = ["unit", "cycle", "judged", "left", *(f"setting {n}" for n in (1, 2, 3)), *(f"s{n}" for n in range(1, 22))]
    paths, dealt = [], hashlib.sha256()
    for fleet in fleets:
        lines = [[] for _ in range(operators)]
        left = (data / f"cmapss/RUL_{fleet}.txt").read_text().split()
        for part in ("train", "test"):
            rows = numbers_of(data / f"cmapss/{part}_{fleet}.txt.gz")
            operator_of = deal(fleet, part, {row[0] for row in rows})
            dealt.update(json.dumps([fleet, part, sorted(operator_of.items())]).encode())
            for row in rows:
                behind = left[int(row[0]) - 1] if part == "test" else 0
                lines[operator_of[row[0]]].append([f"{part} {row[0]}", row[1], int(part == "test"), behind, *row[2:26]])
        for n, own in enumerate(lines):
            paths.append(pathlib.Path(folder) / f"{fleet}-{n + 1}.csv")
            with open(paths[-1], "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([header, *own])
    return paths, dealt.hexdigest()


def engine_health(entente):
    with tempfile.TemporaryDirectory() as folder:
        tables, dealt = write_operators(folder)
        found, rows = simulate(entente, "engine-health", "task.toml", "plan.toml", "cmapss.toml", tables)
    of_fleet = {}
    for number, fleet in enumerate(fleets):
        who = [f"Partner {number * operators + n + 1}" for n in range(operators)]
        count = sum(rows[w] for w in who)
        of_fleet[fleet] = {t: [math.sqrt(sum(rows[w] * found[t, w]["rmse"][s] ** 2 for w in who) / count) for s in range(len(found[t, who[0]]["rmse"]))]
                           for t in trainings if (t, who[0]) in found}
        of_fleet[f"{fleet} score"] = {t: [sum(found[t, w]["nasa-score"][s] for w in who) for s in range(len(found[t, who[0]]["nasa-score"]))] for t in trainings
                                  if (t, who[0]) in found}
    yield ("engine-health", f"C-MAPSS, 20 operators ({operators} a fleet, dealt {dealt[:12]}), RMSE of the last cycle of each test engine, capped at 125; NASA's score",
           of_fleet)


stories = {"late-deliveries": (late_deliveries, "scms"), "sensor-anomalies": (sensor_anomalies, "skab"), "engine-health": (engine_health, "cmapss")}


class Line:
    """A metric of a task, its values of each seed by training, and what each is held against."""

    def __init__(self, block, metric, values, targets):
        self.block, self.metric = block, metric
        self.spread = {t: (statistics.fmean(v), statistics.stdev(v) / math.sqrt(len(v)) if len(v) > 1 else 0.0) for t, v in values.items()}
        self.wanted = {t: targets.get(f"tasks.{block}.{t}", {}).get(metric) for t in trainings}
        mean, error = self.spread["federated"]
        target = self.wanted["federated"]
        # Within one standard error counts as reached.
        lower = metric in lower_is_better or metric in fleets
        self.met = None if target is None else (mean - error <= target if lower else mean + error >= target)

    def cell(self, training):
        mean, error = self.spread[training]
        digits = 3 if abs(mean) < 2 else 2 if abs(mean) < 100 else 0
        text = f"{mean:.{digits}f}" + (f" ± {error:.{digits}f}" if error > 0 else "")
        return text + (f" ({self.wanted[training]:g})" if self.wanted[training] is not None else "")

    def text(self):
        said = {None: "", True: "reached", False: "**short**"}[self.met]
        return f"| {self.metric} | " + " | ".join(self.cell(t) for t in trainings if t in self.spread) + f" | {said} |"

    def as_json(self):
        return {"task": self.block, "metric": self.metric, "met": self.met,
                **{t: {"mean": m, "error": e, "wanted": self.wanted[t]} for t, (m, e) in self.spread.items()}}


def write_blocks(blocks):
    """Each in the place of the one with its title; what was not measured stays."""
    before, rest = document.read_text().split(begin)
    inside, after = rest.split(end, 1)
    parts = inside.strip().split("\n\n**")
    there = {part.lstrip("*").split("**", 1)[0]: "**" + part.lstrip("*") for part in parts}
    if unknown := blocks.keys() - there.keys():
        raise RuntimeError(f"expected a table in {document} for each of {', '.join(sorted(unknown))}")
    document.write_text(before + begin + "\n" + "\n\n".join((there | blocks).values()) + "\n\n" + end + after)


def run(entente, targets, only="", as_json=False, write=False, check=False):
    """The tables; whether nothing falls short."""
    blocks, short = {}, []
    if not any(story.startswith(only) for story in stories):
        raise SystemExit(f"--only: expected {', '.join(stories)} or how they begin, found {only}")
    for story, (measure, needs) in stories.items():
        if not story.startswith(only):
            continue
        if not (data / needs).is_dir():
            print(f"SKIPPED: {story}: expected the data set in {data / needs}, or ENTENTE_DATA_DIR to say where", flush=True)
            continue
        for block, title, values in measure(entente):
            lines = [Line(block, metric, of_training, targets) for metric, of_training in values.items()]
            short += [line for line in lines if line.met is False]
            shown = [t for t in trainings if t in lines[0].spread]
            text = f"**{title}**\n\n| | {' | '.join(shown)} | |\n|---|{'---|' * (len(shown) + 1)}\n" + "\n".join(line.text() for line in lines)
            blocks[title] = text
            if as_json:
                for line in lines:
                    print(json.dumps(line.as_json()), flush=True)
            else:
                print(text + "\n", flush=True)
    if write:
        write_blocks(blocks)
    if check:
        for line in short:
            mean, error = line.spread["federated"]
            print(f"short: {line.block} {line.metric}: {mean:.3f} ± {error:.3f}, at least {line.wanted['federated']:g}")
    return not (check and short)
