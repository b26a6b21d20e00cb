"""Another release takes a data folder over, and is killed or has no disk meanwhile: the folder of a coordinator in mid-round is taken
to the older format (entente migrate), and a coordinator that starts on it takes it to its own. At the end of each run the folder
goes back once more, and holds there. Both ways every call is met; everything has to come to the undisturbed end."""
import json
import os
import subprocess

from power import Recorded
from real import ENTENTE, LIBRARY, Broken, Run, whole

OLDER = 3


class AsItIs:
    """In place of chance: all that was written is there."""

    def random(self):
        return 0.5

    def choice(self, shares):
        return shares[-1]


def migrate(folder, to, **environment):
    return subprocess.run([ENTENTE, "migrate", folder, "--to", str(to), "--json"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})


class TakenOver:
    def __init__(self, partners):
        self.recorded = Recorded(partners)
        stored = [i for i, line in enumerate(self.recorded.trace) if line.startswith("answer 202 PUT ")]
        self.at = stored[partners] + 1  # the first update of round 2 has just been acknowledged
        self.digest = self.recorded.digest
        self.down = []  # the calls of the way back
        self.up = []    # and of the start behind it, until the first request is answered
        run = self.run("down", "", 0)
        if run.outcome:
            raise SystemExit(f"undisturbed it does not come to its end: {run.outcome}\n{run.log}")
        self.down = run.trace_down
        self.up = run.trace[:next(i for i, line in enumerate(run.trace) if line.startswith("answer "))]

    def run(self, way, do, at, keep=None):
        def prepare(run):
            self.recorded.lay(run, AsItIs(), self.at)
            trace = run.f.folder / "down"
            fault = {"LD_PRELOAD": LIBRARY, "ENTENTE_FAULT_FOLDER": str(run.folder), "ENTENTE_FAULT_TRACE": str(trace),
                     **({"ENTENTE_FAULT_DO": do, "ENTENTE_FAULT_AT": str(at)} if way == "down" else {})}
            done = migrate(run.folder, OLDER, **fault)
            run.trace_down = trace.read_text().splitlines() if trace.exists() else []
            if way == "down" and done.returncode == 0 and do in ("kill", "half"):
                raise Broken("it was to be killed, and was not")
            if done.returncode != 0:
                run.died += 1
                done = migrate(run.folder, OLDER)
            if done.returncode != 0 or json.loads(done.stdout)["format"] != OLDER:
                raise Broken(f"I9: it does not go back: {done.stderr}")

        def after(run):
            done = migrate(run.folder, OLDER)
            if done.returncode != 0 or json.loads(done.stdout)["was"] == OLDER:
                raise Broken(f"it was not taken over: {done.stdout}{done.stderr}")
            whole(run.folder)

        faults = {"do": do, "at": at} if way == "up" else {}
        run = Run(self.recorded.partners, keep=keep, prepare=prepare, after=after, **faults)
        if way == "down":
            run.hit = next(("migrate " + line for line in run.trace_down if line.startswith("! ")), "")
        return run
