"""Power cuts: one run is recorded, and from its trace folders are made as they may lie there after a cut at some call (disk.py).
A coordinator is started on each, with the partners as they were then, and everything has to come to the undisturbed end.

A partner's power is cut while the coordinator goes on: it is killed at a call, and started again on what its disk may hold then."""
import json
import random
import shutil

from disk import Disk
from real import Run, undisturbed


class Recorded:
    def __init__(self, partners):
        self.partners = partners
        run = undisturbed(partners, ENTENTE_FAULT_BYTES="1")
        self.digest, self.trace, self.states = run.digest, run.trace, run.states
        self.root, self.codes, self.token = str(run.folder), run.f.codes, run.f.token
        self.answers = [i for i, line in enumerate(self.trace) if line.startswith("answer 20") and "GET" not in line]

    def at_seed(self, seed):
        """Where it is cut: often just behind an answer, when there is something to lose."""
        draw = random.Random(seed)
        at = draw.choice(self.answers) + 1 if draw.random() < 0.5 else draw.randrange(len(self.trace))
        return draw, at

    def cut(self, seed, keep=None):
        draw, at = self.at_seed(seed)
        run = Run(self.partners, keep=keep, prepare=lambda run: self.lay(run, draw, at))
        run.hit = f"cut behind call {at}: {self.trace[at - 1][:120]}"
        return run

    def lay(self, run, draw, at):
        """The folder as the disk has it, and each partner as far as it had come."""
        disk, f = Disk(self.root), run.f
        for line in self.trace[:at]:
            disk.did(line)
        disk.after_power_cut(draw, f.folder)
        told = [line.split(" ") for line in self.trace[:at] if line.startswith("answer 20")]
        f.token_file.write_text(self.token + "\n")
        run.told_before = run.kept(self.trace[:at])
        joined = {json.loads(bytes.fromhex(a[4]))["participant"] for a in told if a[2:4] == ["POST", "/api/v1/join"] and len(a) > 4}
        invited = sum(a[2:4] == ["POST", "/api/v1/invitations"] for a in told)
        notes = [bytes.fromhex(a[4]) for a in told if a[3] == "/api/v1/log/checkpoint" and len(a) > 4]
        for i, (name, files) in enumerate(self.states.items()):
            if i < invited:
                f.codes[name] = self.codes[name]
            (f.folder / name).mkdir()
            for file in ("partner.key", *(["state.toml"] if name in joined else [])):
                (f.folder / name / file).write_bytes(files[file])
                (f.folder / name / file).chmod(0o600)
            if notes and name in joined:
                (f.folder / name / "log-checkpoint").write_bytes(notes[-1])


def cut_partner(seed, calls, partners, federation, keep=None):
    draw = random.Random(seed)

    def lay(run):
        if run.died > 1:
            return
        folder = run.f.folder / run.victim
        disk = Disk(str(folder))
        for line in (run.f.folder / "trace").read_text().splitlines():
            disk.did(line)
        shutil.rmtree(folder, ignore_errors=True)
        disk.after_power_cut(draw, run.f.folder)

    return Run(partners, do="kill", at=draw.randint(1, calls), keep=keep, between=lay, ENTENTE_FAULT_BYTES="1", **federation)
