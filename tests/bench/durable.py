"""How many updates of about 1 MB a coordinator takes durably a second, from 1, 10 and 100 partners, and how soon it goes on when it
was killed: a real coordinator over loopback, on this machine's disk and in memory.

    script/bench durable            # some minutes, prints the tables
    script/bench durable --write    # and puts them into docs/reliability.md

Each update is one that counts: signed by its partner, under its agreement, for the round that is open. One real partner trains the
first; the others' are its bytes under their own names and keys, so that the senders, in one process of Python on the same cores,
cost little. An upload is durable when it is answered 202 (docs/reliability.md).
"""
import concurrent.futures
import http.client
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from measure import machine

root = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(root / "tests/e2e"))
os.environ.setdefault("ENTENTE_BINARY", str(root / "build/native/native/entente"))
import harness  # noqa: E402
from envelope import Envelope  # noqa: E402
from proxy import Proxy  # noqa: E402

PARTNERS = (1, 10, 100)
UPLOADS, ROUNDS = 100, 3   # of each figure, at least
KILLS, CROWD = 60, 10
AT_ONCE = 8          # processes that come in
PLAN = """[task.model]
input = [28, 28, 1]
[[task.model.layers]]
kind = "flatten"
[[task.model.layers]]
kind = "dense"
name = "hidden"
units = 720
[[task.model.layers]]
kind = "relu"
[[task.model.layers]]
kind = "dense"
name = "out"
units = 10
[aggregation]
bits = 32
scale_log2 = 24
[policy]
delete_after_days = 30
min_cohort_size = 1
max_rounds = 1000
"""


class Crowd:
    """Partners that have agreed and send when they are told to."""

    def __init__(self, folder, partners, rounds):
        tempfile.tempdir = str(folder)
        self.f = f = harness.Small(rounds=rounds, partners=partners, rows=50, plan=PLAN, round_keys="deadline_s = 3600", federation="bench")
        tempfile.tempdir = None
        f.plan.write_text(f.plan.read_text().replace("presence_s = 30", "presence_s = 3600"))
        self.names = [f"plant-{i}" for i in range(1, partners + 1)]

    def __enter__(self):
        self.f.start_server("--keep-updates", "1", "--rate-partner", "0", "--rate-address", "0")
        try:
            self.come_in()
        except BaseException:
            self.f.__exit__()
            raise
        return self

    def __exit__(self, *ended):
        self.f.__exit__(*ended)

    def standing(self):
        return {p["id"]: p for p in self.f.status()["participants"]}

    def come_in(self):
        """All but the last only as far as their agreements; the last trains what all will send."""
        f, waiting = self.f, self.names[:-1]
        while waiting:
            group, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            for name in group:
                f.join(name, f.folder / "data-1")
            f.wait_for(lambda: all(self.standing().get(name, {}).get("standing") == "agreed" for name in group), f"{group} have agreed")
            for name in group:
                f.partners[name].kill()
                f.partners[name].wait()
        kept = []

        def keep(exchange):
            if exchange.command == "PUT" and "/content?" in exchange.path:
                kept.append(exchange.body())
                return 503, b'{"code":"bench.kept","detail":"kept"}'

        with Proxy(f.url, keep) as proxy:
            partner = f.join(self.names[-1], f.folder / "data-1", url=proxy.url)
            f.wait_for(lambda: kept, "an update is trained")
            partner.kill()
            partner.wait()
        self.pattern = Envelope(kept[0])
        self.bytes = len(kept[0])
        self.keys = {name: bytes.fromhex((f.folder / name / "partner.key").read_text().strip()) for name in self.names}
        self.tokens = {name: re.search(r'token = "(\w+)"', (f.folder / name / "state.toml").read_text())[1] for name in self.names}
        self.agreements = {name: row["update_agreement"] for name, row in self.standing().items()}

    def updates(self):
        """(name, path, envelope) of each, for the round that is open."""
        status = self.f.status()
        header = self.pattern.header
        header["round"], header["base_model"] = status["round"], bytes.fromhex(status["model_digest"])
        made = []
        for name in self.names:
            header["sender"], header["agreement"] = name, self.agreements[name]
            path = f"/api/v1/hub/assets/urn:fl:bench:{name}:updates/content?round={status['round']}&content={header['content'].hex()}"
            made.append((name, path, self.pattern.sealed(self.keys[name])))
        return made

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.f.port, timeout=60)

    def send(self, connection, name, path, envelope):
        connection.request("PUT", path, envelope, {"Authorization": "Bearer " + self.tokens[name], "Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 202:
            raise harness.Failed(f"{path}: {answer.status} {body!r}")

    def wait_round(self, completed):
        """Also until the log is signed over all of it: what a round leaves to be written is not the next one's."""
        self.f.wait_for(lambda: self.f.status()["completed"] >= completed, f"round {completed}")
        seen = None
        while seen != (seen := self.f.ask("GET", "/api/v1/log/checkpoint")[1]):
            time.sleep(0.1)

    def counted(self):
        return sum(p["contributions"] for p in self.f.status()["participants"])


def rate(folder, partners):
    """Uploads a second while all of a round's are under way, rounds one after another."""
    rounds = max(ROUNDS, -(-UPLOADS // partners))
    busy = 0.0
    with Crowd(folder, partners, rounds) as crowd:
        for done in range(rounds):
            updates = crowd.updates()
            connections = {name: crowd.connect() for name in crowd.names}
            for connection in connections.values():
                connection.connect()
            start, threads, failed = threading.Barrier(partners + 1), [], []

            def one(name, path, envelope):
                start.wait()
                try:
                    crowd.send(connections[name], name, path, envelope)
                except (OSError, harness.Failed) as error:
                    failed.append(error)

            for update in updates:
                threads.append(threading.Thread(target=one, args=update))
                threads[-1].start()
            start.wait()
            began = time.monotonic()
            for thread in threads:
                thread.join()
            busy += time.monotonic() - began
            if failed:
                raise failed[0]
            for connection in connections.values():
                connection.close()
            crowd.wait_round(done + 1)
        if crowd.counted() != rounds * partners:
            raise harness.Failed(f"expected {rounds * partners} counted updates, found {crowd.counted()}")
        return rounds * partners / busy, crowd.bytes


def plain(folder, size):
    """What the file system itself gives one writer: a file written, synced, renamed, its folder synced; a second."""
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    content, count = os.urandom(size), 100
    try:
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        began = time.monotonic()
        for i in range(count):
            fd = os.open(place / "next", os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(fd, content)
            os.fsync(fd)
            os.close(fd)
            os.rename(place / "next", place / str(i))
            os.fsync(directory)
        took = time.monotonic() - began
        os.close(directory)
        return count / took
    finally:
        shutil.rmtree(place)


def until(what):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.001)
    raise harness.Failed("it does not come back")


def recoveries(folder):
    """Seconds from the start of the process behind kill -9: to the first answer, and until the next update is counted."""
    answered, going = [], []
    with Crowd(folder, CROWD, KILLS // CROWD) as crowd:
        f = crowd.f

        def ready():
            connection = crowd.connect()
            try:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == 200
            except OSError:
                return False
            finally:
                connection.close()

        for done in range(KILLS // CROWD):
            for name, path, envelope in crowd.updates():
                f.server.kill()
                f.server.wait()
                before = time.monotonic()
                f.serve(f.plan, "--keep-updates", "1", "--rate-partner", "0", "--rate-address", "0", wait=False)
                until(ready)
                answered.append(time.monotonic() - before)
                connection = crowd.connect()
                crowd.send(connection, name, path, envelope)
                connection.close()
                wanted = len(answered)
                until(lambda: crowd.counted() >= wanted)
                going.append(time.monotonic() - before)
            crowd.wait_round(done + 1)
        records = len(f.ledger())
    return answered, going, records


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def file_system(folder):
    found = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", folder], capture_output=True, text=True).stdout.split()
    return found[-1] if found else "unknown"


def tables():
    places = [("disk", tempfile.gettempdir() if file_system(tempfile.gettempdir()) != "tmpfs" else str(root / "build")), ("memory", "/dev/shm")]
    uploads, kills = [], []
    for what, folder in places:
        if not os.path.isdir(folder):
            continue
        where = f"{what} ({file_system(folder)})"
        for partners in PARTNERS:
            found, size = rate(folder, partners)
            bare = plain(folder, size)
            uploads.append(f"| {where} | {partners} | {size / 1e6:.2f} | {found:.0f} | {bare:.0f} | {found / bare:.2f} |")
            print(uploads[-1], file=sys.stderr, flush=True)
        answered, going, records = recoveries(folder)
        ms = [f"{1000 * percentile(values, share):.0f}" for values in (answered, going) for share in (0.5, 0.99)]
        kills.append(f"| {where} | {len(answered)} | {' | '.join(ms)} |")
        print(kills[-1], file=sys.stderr, flush=True)
    return "\n".join(("| data folder on | partners | MB | durable uploads a second | the file system alone | ratio |", "|---|---|---|---|---|---|", *uploads, "",
                      "| data folder on | kills | first answer, ms: p50 | p99 | next update counted, ms: p50 | p99 |", "|---|---|---|---|---|---|", *kills))


def title():
    return (f"{machine()}. At least {UPLOADS} uploads and {ROUNDS} rounds a figure, all partners of a round at once; the senders on the same cores. *The file system alone*: one "
            f"writer that writes as many bytes, syncs, renames, and syncs the folder. Killed behind each upload of {CROWD} partners' rounds.")
