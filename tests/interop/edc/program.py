"""A C++ program of tests/interop that takes commands on standard input and answers each with a line of JSON."""
import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ.get("ENTENTE_BUILD", pathlib.Path(__file__).resolve().parents[3] / "build/native")) / "tests"


class Refused(Exception):
    """reason and message are ours."""

    def __init__(self, answer):
        super().__init__(f"{answer['error']}: {answer['message']}")
        self.reason = answer["error"]


class Program:
    def __init__(self, name, **options):
        arguments = [word for key, value in options.items() for word in ("--" + key.replace("_", "-"), str(value))]
        self.process = subprocess.Popen([BUILD / name, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer)
        return answer["ok"]

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
