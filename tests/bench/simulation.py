"""Our own simulation, as a process: when each round ended, and what it held in memory."""
import dataclasses
import json
import os
import statistics
import subprocess
import time


@dataclasses.dataclass
class Run:
    ends: list  # of the rounds, seconds since the start
    seconds: list  # of the rounds alone: data read, partners made
    accuracies: list
    memory_mb: float


def run(entente, scratch, mnist, partners, rounds, rate=0.1, evaluate_every=1, until=2.0):
    plan = scratch / "simulation.toml"
    plan.write_text(f'numerics = "fused"\n[training]\nepochs = 1\nbatch = 10\nlearning_rate = {rate}\n')
    words = [entente, "simulate", plan, "--data", mnist, "--partners", str(partners), "--sample", "0.1", "--rounds", str(rounds),
             "--evaluate-every", str(evaluate_every), "--threads", str(os.cpu_count()), "--json"]
    ends, seconds, accuracies = [], [], []
    began = time.perf_counter()
    # In the scratch folder: one that is ended early leaves its checkpoint there.
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=scratch)
    for line in process.stdout:
        found = json.loads(line)
        if "round" not in found:
            continue
        ends.append(time.perf_counter() - began)
        seconds.append(found["seconds"])
        accuracies.append(found["accuracy"] or 0.0)
        if accuracies[-1] >= until:
            process.terminate()
            break
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    process.stdout.close()
    if not ends:
        raise RuntimeError(f"entente simulate ended with {status} and told of no round")
    return Run(ends, seconds, accuracies, usage.ru_maxrss / 1024)


def speed(entente, scratch, mnist, partners, rounds):
    # Flower's rounds evaluate nothing, so neither do ours.
    done = run(entente, scratch, mnist, partners, rounds, evaluate_every=rounds)
    later = statistics.median(b - a for a, b in zip(done.ends, done.ends[1:]))
    return {"value": 0.1 * partners / later, "first_round_s": done.ends[0], "memory_mb": done.memory_mb}


def seconds_to(entente, scratch, mnist, accuracy, rate):
    done = run(entente, scratch, mnist, 100, 150, rate, until=accuracy)
    if done.accuracies[-1] < accuracy:
        raise RuntimeError(f"not {accuracy} within 150 rounds")
    return sum(done.seconds)  # the loop's clock, too, starts with the data in memory
