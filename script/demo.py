"""The demo's own part: deals the data, starts the processes, shows what happens, ends with a table.

script/demo builds everything and calls this.
"""
import argparse
import json
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile
import time

from federation import Failed, Federation, split


def human(count):
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.1f} {unit}" if unit in ("MB", "GB") else f"{count:.0f} {unit}"
        count /= 1000


def percent(share):
    return f"{100 * share:.2f} %"


def sparkline(values):
    low, high = min(values), max(values)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (v - low) / (high - low or 1))] for v in values)


class Demo:
    def __init__(self, options, folder):
        self.o = options
        self.folder = pathlib.Path(folder)
        self.federation = Federation(options.entente, folder)
        self.started = time.monotonic()
        self.tty = sys.stdout.isatty()
        self.shown = ""

    def say(self, text=""):
        if not self.o.json:
            print(text, flush=True)

    # The plan as given, with this run's number of rounds, and no round before all partners are here.
    def write_plan(self):
        toml = self.federation.run("plan", "show", *([self.o.plan] if self.o.plan else []))
        section, lines = "", []
        for line in toml.splitlines():
            if line.startswith("["):
                section = line
            key = line.split(" = ")[0]
            if section == "[round]" and key == "rounds" and self.o.rounds:
                line = f"rounds = {self.o.rounds}"
            if section == "[round]" and key == "min_cohort":
                line = f"min_cohort = {self.o.partners}"
            if section == "[policy]" and key == "max_rounds" and self.o.rounds:
                line = f"max_rounds = {max(self.o.rounds, int(line.split(' = ')[1]))}"
            lines.append(line)
        path = self.folder / "plan.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start_coordinator(self, plan):
        more = ("--evaluate", self.o.data, "--sample", self.folder / "sample" / "partner-1")
        try:
            self.federation.serve(plan, *more, listen=f"127.0.0.1:{self.o.port}")
        except Failed:
            self.federation.serve(plan, *more, listen="127.0.0.1:0")

    def progress(self, text=""):
        """The one line that changes, on a terminal; never wider than it."""
        if self.tty and not self.o.json and text != self.shown:
            self.shown = text
            print("\r\x1b[K" + text[:shutil.get_terminal_size().columns - 1], end="", flush=True)

    def follow(self, partners):
        """Shows each round as it closes; returns the status at the end."""
        row = "  {:>5}  {:>8}  {:>6}  {:>6}  {:>7}  {:>7}  {}"
        self.say("\n" + row.format("round", "accuracy", "loss", "time", "up", "down", "contributors"))
        told = 0
        while True:
            status = self.federation.status()
            history = status["history"]
            for h in [h for h in history[told:] if h["accuracy"] is not None]:
                told += 1
                self.progress()
                self.say(row.format(f"{told}/{status['rounds']}", percent(h["accuracy"]), f"{h['loss']:.4f}", f"{h['seconds']:.1f} s",
                                    human(h["bytes_up"]), human(h["bytes_down"]), ", ".join(h["contributors"])))
            if status["phase"] == "finished" and told == len(history):
                self.progress()
                return status
            for name, child in partners.items():
                if child.poll() not in (None, 0):
                    raise Failed(f"{name} ended:\n{self.federation.log(name)}")
            self.progress("  " + status["sentence"])
            time.sleep(0.1)

    def run(self):
        o = self.o
        split(o.entente, o.data, self.folder / "shares", o.partners, "--partition", o.partition)
        split(o.entente, o.data, self.folder / "sample", 1, "--examples", 6000)
        self.start_coordinator(self.write_plan())
        if not o.native_only:
            link = self.federation.invite("browser", name="A browser partner")["link"]
            self.say(f"\n  Dashboard            {self.federation.url}/#token={self.federation.token}")
            self.say(f"  Join in a browser    {link}")
            self.say(f"  Offline demo         {self.federation.url}/demo")
        partners = {}
        for n in range(1, o.partners + 1):
            name = f"partner-{n}"
            connector = ["--connector", o.connector] if o.connector else []
            partners[name] = self.federation.join(name, self.folder / "shares" / name, "--alone", *connector, name=f"Partner {n}")
        status = self.follow(partners)
        if not self.tty:
            self.say("\n  The rounds are done; each partner trains alone, for comparison.")
        self.progress("  The rounds are done. Each partner trains alone, for comparison.")
        self.federation.wait_partners(3600)
        self.progress()
        results = {name: self.federation.result(name) for name in partners}
        self.report(status, results)
        if self.tty and not o.json:
            try:
                self.say("\n  Still listening; Ctrl-C ends it.")
                while True:  # signal.pause() would miss one that comes just before it
                    time.sleep(0.2)
            except KeyboardInterrupt:
                self.say()

    def report(self, status, results):
        history = status["history"]
        accuracy = history[-1]["accuracy"]
        overheads = [h["overhead_ms"] for h in history if h["overhead_ms"] is not None]
        agreements = self.federation.get("/api/v1/agreements")
        summary = {
            "accuracy": accuracy, "rounds": len(history), "partners": len(results),
            "seconds": round(time.monotonic() - self.started, 2),
            "round_overhead_ms_median": statistics.median(overheads) if overheads else None,
            "bytes_up": sum(h["bytes_up"] for h in history), "bytes_down": sum(h["bytes_down"] for h in history),
            "agreements": len(agreements), "model_digest": status["model_digest"],
        }
        row = "  {:<10}  {:>8}  {:>8}  {:>9}  {:>7}  {:>8}  {}"
        self.say("\n" + row.format("partner", "examples", "alone", "federated", "sent", "received", "agreements"))
        known = {p["id"]: p for p in status["participants"]}
        for name, r in results.items():
            used = " ".join(known[name][which][:8] for which in ("update_agreement", "model_agreement"))
            self.say(row.format(name, r["examples"], percent(r["accuracy_alone"]), percent(r["accuracy_federated"]),
                                human(r["bytes_up"]), human(r["bytes_down"]), used))
        self.say(f"\n  Federated model      {percent(accuracy)} of the test digits  {sparkline([h['accuracy'] for h in history])}")
        self.say(f"  Final model digest   {summary['model_digest']}")
        self.say(f"  Beyond the training  {summary['round_overhead_ms_median']:.0f} ms a round (median)")
        self.say(f"  Time                 {summary['seconds']:.1f} s")
        if self.o.json:
            print(json.dumps(summary), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="script/demo")
    parser.add_argument("--entente", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--data", required=True, help="folder with the four MNIST files, gzipped or not")
    parser.add_argument("--rounds", type=int, default=None, help="instead of the plan's ten")
    parser.add_argument("--partners", type=int, default=2)
    parser.add_argument("--partition", choices=("iid", "shards"), default="iid")
    parser.add_argument("--plan", help="a plan in TOML")
    parser.add_argument("--port", type=int, default=8443, help="a free one is taken when it is in use")
    parser.add_argument("--connector", choices=("dsp",), help="each partner with a connector of its own: the Dataspace Protocol")
    parser.add_argument("--native-only", action="store_true")
    parser.add_argument("--json", action="store_true", help="last line: one JSON object")
    options = parser.parse_args()
    for name, least in (("partners", 2), ("rounds", 1)):
        if (value := getattr(options, name)) is not None and value < least:
            parser.error(f"--{name}: expected at least {least}, found {value}")
    with tempfile.TemporaryDirectory(prefix="entente-demo-", ignore_cleanup_errors=True) as folder:
        demo = Demo(options, folder)
        with demo.federation:
            try:
                demo.run()
            except Failed as failure:
                raise SystemExit(f"demo: {failure}")


# Also where a shell has started this in the background, with interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
