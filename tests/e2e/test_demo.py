"""script/demo's own part on tiny data: each option, the JSON that others read, and what a person sees on a terminal."""
import fcntl, json, os, pathlib, pty, re, shutil, signal, struct, subprocess, sys, tempfile, termios, unittest

from harness import ENTENTE, ROOT, write_idx

KEYS = {"accuracy", "rounds", "partners", "seconds", "round_overhead_ms_median", "bytes_up", "bytes_down", "agreements", "model_digest"}
COLUMNS = 80


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="entente-demo-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        write_idx(cls.folder / "mnist", "train", 1200, seed=1)
        write_idx(cls.folder / "mnist", "t10k", 200, seed=2)

    def command(self, *more):
        return [sys.executable, ROOT / "script/demo.py", "--entente", ENTENTE, "--data", self.folder / "mnist", "--port", "0", *more]

    def demo(self, *more):
        return subprocess.run(self.command(*more), capture_output=True, text=True, timeout=120)

    def summary(self, *more):
        done = self.demo("--json", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(set(summary), KEYS)
        return summary

    def test_json(self):
        summary = self.summary("--native-only", "--rounds", "2")
        self.assertEqual((summary["rounds"], summary["partners"], summary["agreements"]), (2, 2, 4))
        self.assertGreater(summary["bytes_up"], 4 * 100_000)
        self.assertGreater(summary["bytes_down"], summary["bytes_up"])
        self.assertEqual(summary["model_digest"], self.summary("--rounds", "2")["model_digest"], "with links or without")

    def test_three_partners_with_unequal_data(self):
        shards = self.summary("--native-only", "--rounds", "2", "--partners", "3", "--partition", "shards")
        iid = self.summary("--native-only", "--rounds", "2", "--partners", "3", "--partition", "iid")
        self.assertEqual((shards["partners"], shards["agreements"]), (3, 6))
        self.assertNotEqual(shards["model_digest"], iid["model_digest"])

    def test_a_plan_of_ones_own(self):
        plan = self.folder / "own.toml"
        plan.write_text('[federation]\nid = "own"\n[training]\nepochs = 2\n[round]\nrounds = 3\nmin_cohort = 2\n')
        self.assertEqual(self.summary("--native-only", "--plan", plan)["rounds"], 3)
        done = self.demo("--native-only", "--plan", plan, "--rounds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1/1", done.stdout)
        self.assertNotIn("Join in a browser", done.stdout)

    def test_mistakes(self):
        plan = self.folder / "bad.toml"
        plan.write_text("[round]\nround = 3\n")
        done = self.demo("--plan", plan)
        self.assertEqual(done.returncode, 1)
        self.assertIn('did you mean "rounds"', done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        done = self.demo("--data", self.folder / "nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        for wrong in (["--partners", "1"], ["--rounds", "0"], ["--partition", "odd"]):
            self.assertEqual(self.demo(*wrong).returncode, 2, wrong)

    def test_on_a_terminal(self):
        """Stays up until Ctrl-C, and what a person sees keeps its columns."""
        child, terminal = pty.fork()
        if child == 0:
            os.execvp(sys.executable, list(map(str, self.command("--rounds", "2", "--partners", "3"))))
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        text = b""
        try:
            while b"Ctrl-C ends it" not in text:
                text += os.read(terminal, 65536)
            os.write(terminal, b"\x03")
            try:
                while piece := os.read(terminal, 65536):
                    text += piece
            except OSError:
                pass  # the terminal's way of ending
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
            child = 0
        finally:
            if child:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            os.close(terminal)
        lines = [line.replace("\x1b[K", "") for line in text.decode().replace("\r\n", "\n").split("\n")]
        for state in (state for line in lines for state in line.split("\r") if "http" not in state and "digest" not in state):
            self.assertLess(len(state), COLUMNS + 10, "nothing wraps")
        seen = "\n".join(line.split("\r")[-1] for line in lines)
        for expected in (r"Dashboard +http://127.0.0.1:\d+/#token=op_", r"Join in a browser +http\S+/join#code=", r"Offline demo +http\S+/demo",
                         r"round +accuracy +loss +time +up +down +contributors", r"1/2 +\d+\.\d\d % .* kB .* partner-1, partner-2, partner-3",
                         r"partner +examples +alone +federated +sent +received +agreements",
                         r"partner-2 +400 +\d+\.\d\d % +\d+\.\d\d % .* agr-\w{4} agr-\w{4}", r"Federated model +\d+\.\d\d %", r"Final model digest +[0-9a-f]{64}",
                         r"Beyond the training +\d+ ms a round"):
            self.assertRegex(seen, expected)
        self.assertNotRegex(seen, "Round 1 of 2", "the changing line is gone at the end")
        header = next(line for line in seen.split("\n") if "contributors" in line)
        row = next(line for line in seen.split("\n") if re.match(r" +1/2 ", line))
        self.assertEqual(header.index("contributors"), row.index("partner-1"), "columns stand under their heads")


if __name__ == "__main__":
    unittest.main()
