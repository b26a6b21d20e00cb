"""What an update weighs on the wire, and what its encoding costs in accuracy: the CNN, ten partners, three seeds.

    script/bench wire            # some minutes, prints the table
    script/bench wire --write    # and puts it into docs/benchmarks.md
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from bands import CNN

ROUNDS, PARTNERS, EXAMPLES, SEEDS = 20, 10, 6_000, (1, 2, 3)
POINTS = 0.3  # an accuracy may fall behind that of 32 bits by so many

# What the plan says of its updates; the most that one may weigh, and whether its accuracy is held to POINTS.
ENCODINGS = (
    ("32 bits", "bits = 32\nscale_log2 = 24", None, False),
    ("16 bits", "bits = 16", None, False),
    ("8 bits in blocks of 256", "bits = 8", 1_350_000, True),
    ("4 bits in blocks of 256", "bits = 4", None, False),
    ("the largest 1 %, 16 bits", "top = 0.01", 110_000, True),
    ("the largest 0.1 %, 16 bits", "top = 0.001", None, False),
)


def rounds_of(entente, mnist, encoding, seed):
    """The rounds of one simulation: bytes of an update in each, and the accuracy behind the last."""
    with tempfile.TemporaryDirectory() as folder:
        plan = pathlib.Path(folder) / "plan.toml"
        plan.write_text(f"numerics = \"fused\"\n[training]\nepochs = 1\nbatch = 10\nlearning_rate = 0.05\n[aggregation]\n{encoding}\n{CNN}")
        run = subprocess.run([entente, "simulate", str(plan), "--data", mnist, "--partners", str(PARTNERS), "--seed", str(seed),
                              "--rounds", str(ROUNDS), "--examples", str(EXAMPLES), "--evaluate-every", str(ROUNDS), "--json"],
                             capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip() or run.stdout.strip())
    said = [line for line in map(json.loads, run.stdout.splitlines()) if "round" in line]
    return [line["bytes_up"] / line["partners"] for line in said], said[-1]["accuracy"]


def lines(entente, mnist):
    """Of each encoding: bytes in the heaviest and the last round, accuracies, points behind 32 bits, whether it falls short."""
    found = []
    for name, encoding, most, held in ENCODINGS:
        runs = []
        for seed in SEEDS:
            weights, accuracy = rounds_of(entente, mnist, encoding, seed)
            print(f"{name}, seed {seed}: at most {max(weights) / 1000:,.1f} KB, {100 * accuracy:.2f} %",
                  file=sys.stderr, flush=True)
            runs.append((max(weights), weights[-1], 100 * accuracy))
        found.append(line_of(name, most, held, runs, found))
    return found


def line_of(name, most, held, runs, found):
    heaviest, last, accuracies = zip(*runs)
    mean = sum(accuracies) / len(accuracies)
    behind = found[0]["mean"] - mean if found else 0.0
    short = (most is not None and max(heaviest) > most) or (held and behind > POINTS)
    return {"name": name, "heaviest": max(heaviest), "last": max(last), "accuracies": accuracies, "mean": mean, "behind": behind,
            "most": most, "held": held, "short": short}


def table(found):
    out = ["| what is sent | heaviest round, KB | last round, KB | at most | accuracy of each seed, % | mean | behind 32 bits, points | |",
           "|---|---|---|---|---|---|---|---|"]
    for line in found:
        most = f"{line['most'] / 1000:,.0f}" if line["most"] else ""
        verdict = ("**short**" if line["short"] else "met") if line["held"] else ""
        accuracies = " / ".join(f"{a:.2f}" for a in line["accuracies"])
        out.append(f"| {line['name']} | {line['heaviest'] / 1000:,.1f} | {line['last'] / 1000:,.1f} | {most} | {accuracies} | "
                   f"{line['mean']:.2f} | {line['behind']:+.2f} | {verdict} |")
    return "\n".join(out)


def title():
    return (f"CNN, {PARTNERS} partners with {EXAMPLES // PARTNERS} digits each, IID, E=1, B=10, lr 0.05, {ROUNDS} rounds, "
            f"class fused, seeds {', '.join(map(str, SEEDS))}; accuracy on the 10,000 test digits; KB are 1,000 bytes of a whole envelope.")
