"""A small federation of real processes, one of which runs with the library of tests/fault/preload: the coordinator, or a partner. It
is killed at a call, or its disk fails at one. A supervisor starts it again whenever it ends, as systemd would, and the invariants
are asked at the end.

    outcome = Run(do="kill", at=17).outcome        # None, or a sentence that says which invariant broke
    outcome = Run(do="kill", at=17, victim="plant-1").outcome
"""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from harness import ENTENTE, Failed, Small  # noqa: E402

LIBRARY = os.environ.get("ENTENTE_FAULT_LIBRARY", str(ROOT / "build/native/tests/libfault_io.so"))
ROUNDS = 3
PLAN = """[policy]
delete_after_days = 30
[task.model]
input = [28, 28, 1]
[[task.model.layers]]
kind = "flatten"
[[task.model.layers]]
kind = "dense"
name = "out"
units = 10
"""


class Broken(Exception):
    """An invariant does not hold."""


def whole(folder):
    """`entente verify` over the folder of a coordinator that was killed: its database's log is written back first."""
    for name in ("entente.db", "dsp.db"):
        if (folder / name).exists():
            sqlite3.connect(folder / name).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    done = subprocess.run([ENTENTE, "verify", folder, "--json"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        problems = [line for line in done.stdout.splitlines() if '"event":"problem"' in line]
        raise Broken(f"I10: verify: {problems[:3]} {done.stderr.strip()}")


class Run:
    """One federation to its end. `died`: how often the victim ended; `again_s`: how long until the coordinator listened again.
    `joining`: options of every entente join; `prepare`, `between` and `after` are called with the run before the first start, before a
    partner that has ended is started again, and when all has been found right."""

    def __init__(self, partners=2, do="", at=0, plan=PLAN, keep=None, prepare=None, may_stop=False, victim="coordinator", joining=(), between=None, after=None, **environment):
        self.died, self.again_s, self.hit, self.digest, self.trace, self.trace_later = 0, [], "", None, [], []
        self.outcome = None
        with Small(rounds=ROUNDS, partners=partners, rows=20, plan=plan) as f:
            self.f, self.may_stop, self.told_before = f, may_stop, set()
            self.victim, self.joining, self.between, self.after = victim, joining, between, after
            self.folder = f.folder / "coordinator"
            # Beside the data folder, but not in its parent: syncing that is the coordinator's own duty.
            f.token_file = f.folder / "operator" / "token"
            f.token_file.parent.mkdir()
            watched = {"LD_PRELOAD": LIBRARY, "ENTENTE_FAULT_FOLDER": str(f.folder / victim)}
            self.first = {**watched, "ENTENTE_FAULT_TRACE": str(f.folder / "trace"), "ENTENTE_FAULT_DO": do, "ENTENTE_FAULT_AT": str(at), **environment}
            self.later = {**watched, "ENTENTE_FAULT_TRACE": str(f.folder / "later"), **{k: v for k, v in environment.items() if k == "ENTENTE_FAULT_JUMP_S"}}
            try:
                if prepare:
                    prepare(self)
                self.drive(partners)
            except (Broken, Failed, subprocess.TimeoutExpired, urllib.error.URLError, OSError) as error:
                self.outcome = f"{type(error).__name__}: {error}"
            if not self.trace:
                self.read_traces()
            self.log = f.log() + "".join(f.log(n) for n in f.partners)
            if keep and self.outcome:
                shutil.copytree(f.folder, keep, dirs_exist_ok=True)

    def fault(self, name):
        """The variables of this one's next process: of the victim's the first meets the fault."""
        if name != self.victim:
            return {}
        environment, self.first = (self.first, None) if self.first else (self.later, None)
        return environment

    def start(self):
        """Until it listens."""
        for _ in range(4):
            began = time.monotonic()
            try:
                self.f.serve(self.f.plan, **self.fault("coordinator"))
                if self.died:
                    self.again_s.append(time.monotonic() - began)
                return
            except Failed as error:
                self.died += 1
                if self.f.server.poll() not in (-9, 1):
                    raise Broken(f"I9: it ended with {self.f.server.poll()}: {error}") from error
        raise Broken(f"I9: it does not start any more: {self.f.log()[-500:]}")

    def alive(self):
        if self.f.server.poll() is not None:
            self.died += 1
            if self.f.server.poll() not in (-9, 1):
                raise Broken(f"I9: it ended with {self.f.server.poll()}: {self.f.log()[-500:]}")
            self.start()

    def insist(self, call):
        """What an operator does when the connection breaks: once more."""
        for _ in range(50):
            try:
                return call()
            except (urllib.error.URLError, ConnectionError, Failed) as error:
                last = error
                time.sleep(0.02)
                self.alive()
        raise Broken(f"I9: it does not answer: {last}")

    def start_partner(self, name):
        i = int(name.rsplit("-", 1)[1])
        self.insist(lambda: self.f.codes.get(name) or self.f.codes.update({name: self.f.invite(name, name=name)["code"]}))
        self.f.start_partner(i, *self.joining, **self.fault(name))

    def partner_again(self, name):
        self.died += 1
        if self.died > 3:
            raise Broken(f"I9: {name} does not start any more: {self.f.log(name)[-600:]}")
        if self.between:
            self.between(self)
        self.start_partner(name)

    def said_why(self, name):
        """Whether a partner ended because of what its own clock says."""
        return any(f"(code {code})" in self.f.log(name) for code in ("agreement.clock", "policy.denied", "connector.identity"))

    def drive(self, partners):
        f = self.f
        self.start()
        for i in range(1, partners + 1):
            self.start_partner(f"plant-{i}")
        end = time.monotonic() + 60
        while any(p.poll() is None or (p.poll() != 0 and name == self.victim) for name, p in f.partners.items()):
            self.alive()
            ended = [name for name, child in f.partners.items() if child.poll() not in (None, 0)]
            if self.may_stop and (any(self.said_why(name) for name in ended) or (self.victim not in ended and (ended or time.monotonic() > end - 50))):
                break
            if ended == [self.victim]:
                self.partner_again(self.victim)
                continue
            if ended:
                raise Broken(f"I9: {ended[0]} ended with {f.partners[ended[0]].returncode}: {f.log(ended[0])[-600:]}")
            if time.monotonic() > end:
                raise Broken(f"I9: the rounds do not end: {json.dumps(f.status())[:600]}\n{f.log()[-600:]}")
            time.sleep(0.005)
        self.alive()
        if self.may_stop:
            self.records = self.insist(f.ledger)
            return self.check_stopped()
        for name, child in f.partners.items():
            if child.returncode != 0:
                raise Broken(f"I9: {name} ended with {child.returncode}: {f.log(name)[-600:]}")
        self.check(partners)

    def check_stopped(self):
        """Where the rounds need not end: what there is must be right."""
        accepted = [(e["participant"], e["summary"]) for e in self.records if e["kind"] == "update.accepted"]
        if len(set(accepted)) != len(accepted):
            raise Broken(f"I1: each counted once, found {accepted}")
        status = self.f.status()
        self.digest = status["model_digest"] if status["completed"] == ROUNDS else None

    def check(self, partners):
        status = self.insist(self.f.status)
        records = self.insist(self.f.ledger)
        self.digest = status["model_digest"]
        if status["completed"] != ROUNDS:
            raise Broken(f"I8: {ROUNDS} rounds were wanted, {status['completed']} were completed")
        accepted = [(e["participant"], e["summary"]) for e in records if e["kind"] == "update.accepted"]
        if len(accepted) != partners * ROUNDS or len(set(accepted)) != len(accepted):
            raise Broken(f"I1: expected {partners * ROUNDS} updates, each counted once, found {accepted}")
        self.kill_when_logged()
        try:
            whole(self.folder)
        except Broken as broken:
            # A connector's last decisions may come just before the kill: behind a start the log has them.
            if "log.other-size" not in str(broken):
                raise
            self.start()
            self.kill_when_logged()
            whole(self.folder)
        self.read_traces()
        again = self.told_before & self.kept(self.trace) or self.kept(self.trace) & self.kept(self.trace_later)
        if again:
            raise Broken(f"I2: acknowledged before the end, and asked for again behind it: {sorted(again)}")
        stored = len(list((self.folder / "blobs").iterdir()))
        if stored != ROUNDS + 1 + partners * ROUNDS:
            raise Broken(f"I10: expected {ROUNDS + 1} models and {partners * ROUNDS} updates, found {stored} envelopes")
        half_written = [str(p.relative_to(self.f.folder)) for name in self.f.partners for p in (self.f.folder / name).rglob("*") if ".tmp-" in p.name]
        if half_written:
            raise Broken(f"I10: a partner leaves behind {half_written}")
        self.states = {name: {p.name: p.read_bytes() for p in (self.f.folder / name).iterdir() if p.is_file()} for name in self.f.partners}
        if self.after:
            self.after(self)

    def kill_when_logged(self):
        end = time.monotonic() + 10
        while self.insist(self.signed_records) != len(self.insist(self.f.ledger)):
            if time.monotonic() > end:
                raise Broken("I5: the log does not get every record")
            time.sleep(0.01)
        self.f.server.kill()
        self.f.server.wait()

    def signed_records(self):
        return int(self.f.ask("GET", "/api/v1/log/checkpoint")[1].split(b"\n")[1])

    def read_traces(self):
        for name, target in (("trace", self.trace), ("later", self.trace_later)):
            path = self.f.folder / name
            target += path.read_text().splitlines() if path.exists() else []
        self.hit = next((line for line in self.trace if line.startswith("! ")), "")

    @staticmethod
    def kept(trace):
        """Updates whose senders were told that they are kept."""
        return {line.split(" ", 2)[2] for line in trace if line.startswith("answer 202 PUT ")}


def durable_before_told(trace):
    """How many updates were answered 202; Broken where one was not in place, and on the ledger, and all of it synced, before that."""
    paths, pending, accepted = {}, [], 0
    for line in trace:
        name, *rest = line.split(" ")
        if name in ("open", "create", "truncate"):
            paths[rest[0]] = rest[1]
        if name == "truncate" and "/spool/" in rest[1]:
            pending.append({"spool": rest[1], "next": "synced"})
        for update in pending:
            at = update["next"]
            if name == "fsync" and at == "synced" and paths.get(rest[0]) == update["spool"]:
                update["next"] = "renamed"
            elif name == "rename" and at == "renamed" and rest[0] == update["spool"]:
                update["next"] = "folder"
            elif name == "fsync" and at == "folder" and paths.get(rest[0], "").endswith("/blobs"):
                update["next"] = "books"
            elif name == "fsync" and at in ("books", "ledger") and paths.get(rest[0], "").endswith("/entente.db-wal"):
                update["next"] = {"books": "ledger", "ledger": "told"}[at]
        if line.startswith("answer 202 PUT "):
            done = next((u for u in pending if u["next"] == "told"), None)
            if done is None:
                raise Broken(f"I2: {line[:100]}: before the update, its folder, the books and the ledger were synced")
            pending.remove(done)
            accepted += 1
    return accepted


def undisturbed(partners=2, **environment):
    run = Run(partners, **environment)
    if run.outcome or run.died:
        raise SystemExit(f"undisturbed it does not come to its end: {run.outcome}\n{run.log}")
    if run.victim == "coordinator" and not run.joining and durable_before_told(run.trace) != partners * ROUNDS:
        raise SystemExit(f"expected {partners * ROUNDS} updates answered 202 in the trace")
    return run
