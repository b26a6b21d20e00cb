"""Real processes for the end-to-end tests: a coordinator, partners, and their folders.

    with Federation(rounds=3, partners=2) as f:
        f.start_server(); f.start_partner(1); f.start_partner(2)
        f.wait_partners()
        print(f.status()["model_digest"])

The binary is the environment's ENTENTE (default build/native/native/entente). Data is synthetic and tiny: ten blurred
shapes with noise, written as IDX files; the same bytes on every run. Standard library only.
"""
import json, os, pathlib, random, shutil, signal, socket, struct, subprocess, sys, tempfile, time, unittest, urllib.request, urllib.error

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENTENTE = os.environ.get("ENTENTE", str(ROOT / "build/native/native/entente"))


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


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Federation:
    def __init__(self, rounds=3, partners=2, rows=400, plan=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="entente-e2e-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rows, self.partner_count = rows, partners
        self.server, self.partners, self.codes = None, {}, {}
        (self.folder / "plan.toml").write_text(
            '[federation]\nid = "e2e"\n[training]\nlearning_rate = 0.05\n'
            f"[round]\nrounds = {rounds}\nmin_cohort = {partners}\npresence_s = 30\n{plan}")
        for i in range(1, partners + 1):
            write_idx(self.folder / f"data-{i}", "train", rows, seed=i)
            write_idx(self.folder / f"data-{i}", "t10k", 50, seed=100 + i)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for process in [self.server, *self.partners.values()]:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, log_name, command, env):
        with open(self.folder / log_name, "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **env})

    def start_server(self, *extra, env=None, wait=True):
        self.server = self.spawn(
            "server.log",
            [ENTENTE, "serve", "--plan", str(self.folder / "plan.toml"), "--data", str(self.folder / "server"),
             "--listen", f"127.0.0.1:{self.port}", "--operator-token-file", str(self.folder / "token"), *extra], env or {})
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=30):
        end = time.time() + seconds
        while time.time() < end:
            if self.server.poll() is not None:
                raise AssertionError("the server ended:\n" + self.server_log())
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=2).read()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise AssertionError("the server did not become ready:\n" + self.server_log())

    def server_log(self):
        return (self.folder / "server.log").read_text(errors="replace")

    def stop_server(self):
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(20)

    @property
    def token(self):
        return (self.folder / "token").read_text().strip()

    def ask(self, method, path, body=None, token=None, headers=None):
        """(status, bytes); never raises for an HTTP status."""
        request = urllib.request.Request(self.url + path, method=method, data=body, headers=headers or {})
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def status(self):
        return json.loads(self.ask("GET", "/api/v1/status", token=self.token)[1])

    def ledger(self):
        return json.loads(self.ask("GET", "/api/v1/ledger?limit=1000", token=self.token)[1])["entries"]

    def invite(self, participant, **more):
        body = json.dumps({"participant": participant, **more}).encode()
        status, answer = self.ask("POST", "/api/v1/invitations", body, self.token)
        assert status == 201, answer
        return json.loads(answer)["code"]

    def start_partner(self, i, *extra, env=None):
        name = f"plant-{i}"
        if name not in self.codes:
            self.codes[name] = self.invite(name)
        self.partners[i] = self.spawn(
            f"partner-{i}.log",
            [ENTENTE, "join", "--url", self.url, "--data", str(self.folder / f"data-{i}"), "--state",
             str(self.folder / f"state-{i}"), "--json", *extra], {"ENTENTE_JOIN_CODE": self.codes[name], **(env or {})})
        return self.partners[i]

    def partner_result(self, i):
        return json.loads((self.folder / f"partner-{i}.log").read_text().strip().splitlines()[-1])

    def wait_partners(self, seconds=120):
        for i, process in self.partners.items():
            code = process.wait(seconds)
            log = (self.folder / f"partner-{i}.log").read_text(errors="replace")
            assert code == 0, f"partner {i} ended with {code}:\n{log}\n{self.server_log()}"

    def wait_for(self, condition, what, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError("waited in vain: " + what + "\n" + self.server_log())

    def run_to_the_end(self):
        self.start_server()
        for i in range(1, self.partner_count + 1):
            self.start_partner(i)
        self.wait_partners()
        return self.status()["model_digest"]


def undisturbed_digest(rounds=3, **options):
    with Federation(rounds=rounds, **options) as f:
        return f.run_to_the_end()


if __name__ == "__main__":
    sys.exit("run the test_*.py files: python3 -m unittest discover -s tests/e2e")
