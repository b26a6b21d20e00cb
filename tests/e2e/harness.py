"""A small federation for the end-to-end tests: a folder, a plan, and tiny synthetic data; script/federation.py does the rest.

    with Small(rounds=3, partners=2) as f:
        print(f.run_to_the_end())

The binary is the environment's ENTENTE_BINARY (default build/native/native/entente). Data: ten bright squares with noise, written
as IDX files; the same bytes on every run.
"""
import hashlib
import json
import os
import pathlib
import random
import shutil
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "script"))
from envelope import public_key, sign  # noqa: E402
from federation import Failed, Federation, split  # noqa: E402, F401
from ports import free_ports  # noqa: E402, F401

ENTENTE = os.environ.get("ENTENTE_BINARY", str(ROOT / "build/native/native/entente"))


def write_idx(folder, prefix, rows, seed):
    """`rows` pictures of 28x28: class c is a bright square whose place depends on c."""
    draw = random.Random(seed)
    images, labels = bytearray(), bytearray()
    for i in range(rows):
        c = i % 10
        picture = bytearray(draw.randrange(60) for _ in range(784))
        y0, x0 = 2 + 12 * (c // 5), 1 + 5 * (c % 5)
        for y in range(y0, y0 + 10):
            for x in range(x0, x0 + 5):
                picture[28 * y + x] = 180 + draw.randrange(70)
        images += picture
        labels.append(c)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, rows, 28, 28) + images)
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, rows) + labels)


class Small(Federation):
    """Partners are plant-1, plant-2, ...; their data lies in data-1, data-2, ..."""

    def __init__(self, rounds=3, partners=2, rows=400, plan="", round_keys="", federation="e2e"):
        super().__init__(ENTENTE, tempfile.mkdtemp(prefix="entente-e2e-"))
        self.partner_count = partners
        self.plan = self.folder / "plan.toml"
        self.plan.write_text(f'[federation]\nid = "{federation}"\n[training]\nlearning_rate = 0.05\n'
                             f"[round]\nrounds = {rounds}\nmin_cohort = {partners}\npresence_s = 30\n{round_keys}\n{plan}\n")
        for i in range(1, partners + 1):
            write_idx(self.folder / f"data-{i}", "train", rows, seed=i)
            write_idx(self.folder / f"data-{i}", "t10k", 50, seed=100 + i)

    def __exit__(self, *unused):
        for child in self.children:  # a stopped one would not hear SIGTERM
            if child.poll() is None:
                child.kill()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def start_server(self, *more, **options):
        return self.serve(self.plan, *more, **options)

    def start_partner(self, i, *more, **options):
        return self.join(f"plant-{i}", self.folder / f"data-{i}", *more, **options)

    def enter(self, name, role="partner"):
        """Joins without a process: the token and the seed of a key made for it."""
        seed, code = hashlib.sha256(name.encode()).digest(), self.invite(name, role=role)["code"]
        body = {"code": code, "public_key": public_key(seed).hex(), "signature": sign(seed, "join", code.encode()).hex()}
        status, answer = self.ask("POST", "/api/v1/join", json.dumps(body).encode(), None)
        if status != 201:
            raise Failed(answer.decode())
        return json.loads(answer)["token"], seed

    def run_to_the_end(self):
        self.start_server()
        for i in range(1, self.partner_count + 1):
            self.start_partner(i)
        self.wait_partners()
        return self.status()["model_digest"]


def undisturbed_digest(rounds=3, **options):
    with Small(rounds=rounds, **options) as f:
        return f.run_to_the_end()
