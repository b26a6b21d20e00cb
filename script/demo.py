"""The demo's own part: deals the data, starts the processes, shows what happens, ends with a table.

script/demo builds everything and calls this.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


def human(count):
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000


class Demo:
    def __init__(self, options):
        self.o = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="entente-demo-"))
        self.children = []
        self.started = time.monotonic()
        self.tty = sys.stdout.isatty()

    def say(self, text=""):
        if not self.o.json:
            print(text, flush=True)

    def entente(self, *arguments, **environment):
        done = subprocess.run([self.o.entente, *map(str, arguments)], capture_output=True, text=True,
                              env={**os.environ, **environment})
        if done.returncode != 0:
            raise SystemExit(done.stderr or done.stdout)
        return done.stdout

    def spawn(self, name, *arguments, **environment):
        log = open(self.folder / f"{name}.log", "w")
        child = subprocess.Popen([self.o.entente, *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        self.children.append(child)
        return child

    def log_of(self, name):
        return (self.folder / f"{name}.log").read_text()

    # The plan as given, with this run's number of rounds, and no round before all partners are here.
    def write_plan(self):
        toml = self.entente("plan", "show", *([self.o.plan] if self.o.plan else []))
        section, lines = "", []
        for line in toml.splitlines():
            if line.startswith("["):
                section = line
            key = line.split(" = ")[0]
            if section == "[round]" and key == "rounds" and self.o.rounds:
                line = f"rounds = {self.o.rounds}"
            if section == "[round]" and key == "min_cohort":
                line = f"min_cohort = {self.o.partners}"
            if section == "[contract]" and key == "max_rounds" and self.o.rounds:
                line = f"max_rounds = {max(self.o.rounds, int(line.split(' = ')[1]))}"
            lines.append(line)
        path = self.folder / "plan.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start_coordinator(self, plan):
        arguments = ["serve", "--plan", plan, "--data", self.folder / "coordinator", "--evaluate", self.o.data, "--json",
                     "--operator-token-file", self.folder / "operator.token", "--sample", self.folder / "sample" / "partner-1"]
        for listen in (f"127.0.0.1:{self.o.port}", "127.0.0.1:0"):
            server = self.spawn("coordinator", *arguments, "--listen", listen)
            for _ in range(400):
                lines = self.log_of("coordinator").splitlines()
                if lines and '"listening"' in lines[0]:
                    return json.loads(lines[0])["url"]
                if server.poll() is not None:
                    break
                time.sleep(0.02)
        raise SystemExit(self.log_of("coordinator"))

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def invite(self, partner, name):
        return json.loads(self.entente("invite", "--partner", partner, "--name", name, "--url", self.url, "--json",
                                       ENTENTE_TOKEN=self.token))

    def follow(self, partners):
        """Shows each round as it closes; returns the status at the end."""
        shown = 0
        self.say(f"\n  {'round':>7}  {'accuracy':>8}  {'loss':>7}  {'seconds':>7}  {'up':>9}  {'down':>9}  contributors")
        while True:
            status = self.get("/api/v1/status")
            history = status["history"]
            finished = status["phase"] == "finished"
            scored = [h for h in history[shown:] if h["accuracy"] is not None]
            for h in scored:
                shown += 1
                if self.tty and not self.o.json:
                    print("\r\x1b[K", end="")
                self.say(f"  {shown:>3}/{status['rounds']:<3}  {100 * h['accuracy']:>6.2f} %  {h['loss']:>7.4f}  "
                         f"{h['seconds']:>7.1f}  {human(h['bytes_up']):>9}  {human(h['bytes_down']):>9}  "
                         f"{', '.join(h['contributors'])}")
            if finished and shown == len(history):
                return status
            for name, child in partners.items():
                if child.poll() not in (None, 0):
                    raise SystemExit(f"{name} ended:\n{self.log_of(name)}")
            if self.tty and not self.o.json:
                print("\r\x1b[K  " + status["sentence"][:100], end="", flush=True)
            time.sleep(0.1)

    def run(self):
        o = self.o
        self.entente("data", "split", "--from", o.data, "--to", self.folder / "shares", "--partners", o.partners,
                     "--partition", o.partition)
        self.entente("data", "split", "--from", o.data, "--to", self.folder / "sample", "--partners", 1, "--examples", 6000)
        self.url = self.start_coordinator(self.write_plan())
        self.token = (self.folder / "operator.token").read_text().strip()
        if not o.native_only:
            link = self.invite("browser", "A browser partner")["link"]
            self.say(f"\n  Dashboard            {self.url}/#token={self.token}")
            self.say(f"  Join in a browser    {link}")
            self.say(f"  Offline demo         {self.url}/demo")
        partners = {}
        for n in range(1, o.partners + 1):
            name = f"partner-{n}"
            code = self.invite(name, f"Partner {n}")["code"]
            partners[name] = self.spawn(name, "join", "--url", self.url, "--data", self.folder / "shares" / name, "--state",
                                        self.folder / name, "--accepted-by", f"The demo, for {name}", "--alone", "--json",
                                        ENTENTE_JOIN_CODE=code)
        status = self.follow(partners)
        self.say("\n  The rounds are done. Each partner now trains alone, for comparison.")
        results = {}
        for name, child in partners.items():
            if child.wait(timeout=600) != 0:
                raise SystemExit(f"{name} ended:\n{self.log_of(name)}")
            results[name] = json.loads(self.log_of(name).splitlines()[-1])
        self.report(status, results)
        if self.tty and not o.json:
            self.say("\n  Still listening; Ctrl-C ends it.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                self.say()

    def report(self, status, results):
        history = status["history"]
        accuracy = history[-1]["accuracy"]
        overheads = [h["overhead_ms"] for h in history if h["overhead_ms"] is not None]
        agreements = self.get("/api/v1/agreements")
        summary = {
            "accuracy": accuracy, "rounds": len(history), "partners": len(results),
            "seconds": round(time.monotonic() - self.started, 2),
            "round_overhead_ms_median": statistics.median(overheads) if overheads else None,
            "bytes_up": sum(h["bytes_up"] for h in history), "bytes_down": sum(h["bytes_down"] for h in history),
            "agreements": len(agreements), "model_digest": status["model_digest"],
        }
        self.say(f"\n  {'partner':<12}  {'examples':>8}  {'alone':>8}  {'federated':>9}  {'sent':>9}  {'received':>9}  agreements")
        for name, r in results.items():
            own = [a["id"][:12] for a in agreements if name in (a["assigner"], a["assignee"]) or a.get("participant") == name]
            self.say(f"  {name:<12}  {r['examples']:>8}  {100 * r['accuracy_alone']:>6.2f} %  {100 * r['accuracy_federated']:>7.2f} %  "
                     f"{human(r['bytes_up']):>9}  {human(r['bytes_down']):>9}  {' '.join(own)}")
        self.say(f"\n  Federated model      {100 * accuracy:.2f} % on the 10 000 test digits")
        self.say(f"  Final model digest   {summary['model_digest']}")
        self.say(f"  Beyond the training  {summary['round_overhead_ms_median']} ms a round (median)")
        self.say(f"  Time                 {summary['seconds']:.1f} s")
        if self.o.json:
            print(json.dumps(summary), flush=True)

    def stop(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="script/demo")
    parser.add_argument("--entente", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--data", required=True, help="folder with the four MNIST files, gzipped or not")
    parser.add_argument("--rounds", type=int, default=None, help="instead of the plan's ten")
    parser.add_argument("--partners", type=int, default=2)
    parser.add_argument("--partition", choices=("iid", "shards"), default="iid")
    parser.add_argument("--plan", help="a plan in TOML")
    parser.add_argument("--port", type=int, default=8443, help="a free one is taken when it is in use")
    parser.add_argument("--native-only", action="store_true")
    parser.add_argument("--json", action="store_true", help="last line: one JSON object")
    demo = Demo(parser.parse_args())
    try:
        demo.run()
    except KeyboardInterrupt:
        raise SystemExit(130)
    finally:
        demo.stop()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
main()
