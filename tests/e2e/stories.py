"""The three stories on data that the project makes itself: a trained model of each, to be scored with."""
import subprocess

from harness import ENTENTE, ROOT

STORIES = ("late-deliveries", "sensor-anomalies", "engine-health")


def entente(*words, expect=0):
    done = subprocess.run([ENTENTE, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if expect == 0 else done.stderr


def task_of(story):
    folder = ROOT / "examples" / story
    made = folder / "made.toml"
    return made if made.exists() else folder / "task.toml"


def trained(story, folder):
    """A model of three partners, and the first one's file."""
    entente("data", "make", story, "--partners", 3, "-o", folder / "made")
    tables = [folder / f"made/partner-{i}/{story}.csv" for i in (1, 2, 3)]
    entente("simulate", ROOT / "examples" / story / "plan.toml", "--task", task_of(story), "--rounds", 4, "--quiet", "--out", folder / "run",
            *(word for table in tables for word in ("--table", table)))
    return folder / "run", tables[0]
