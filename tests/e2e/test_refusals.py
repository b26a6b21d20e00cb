"""Bad configuration and bad state: one clear sentence, the right exit code, nothing lost."""
import os, pathlib, sqlite3, subprocess, tempfile, unittest

from harness import ENTENTE, Small, write_idx


def run(*args, **more):
    return subprocess.run([ENTENTE, *args], capture_output=True, text=True, timeout=60, **more)


class CommandLine(unittest.TestCase):
    def test_usage(self):
        for args, code in ((["simulte"], 2), (["simulate", "--partnrs", "3"], 2), ([], 2), (["--help"], 0),
                           (["serve", "--help"], 0), (["join", "--help"], 0), (["plan", "check", "--help"], 0), (["doctor"], 0)):
            with self.subTest(args=args):
                self.assertEqual(run(*args).returncode, code)
        self.assertIn('did you mean "simulate"', run("simulte").stderr)

    def test_plan_errors_name_line_column_and_key(self):
        with tempfile.TemporaryDirectory() as folder:
            plan = pathlib.Path(folder, "plan.toml")
            plan.write_text("[training]\nepochs = 1\nbatchs = 32\n")
            answer = run("plan", "check", str(plan))
            self.assertEqual(answer.returncode, 3)
            self.assertIn("plan.toml:3:1: training.batchs", answer.stderr)
            self.assertIn('did you mean "batch"', answer.stderr)

    def test_listening_for_everybody_needs_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            answer = run("serve", "--data", folder, "--listen", "0.0.0.0:0")
            self.assertEqual(answer.returncode, 3)
            self.assertIn("--behind-proxy", answer.stderr)

    def test_idx_files(self):
        good = b"\0\0\x08\x03" + b"\0\0\0\x01" + b"\0\0\0\x1c" * 2 + bytes(784)
        label = b"\0\0\x08\x01" + b"\0\0\0\x01" + b"\3"
        cases = {"magic": (b"\0\0\x08\x04" + good[4:], label), "truncated": (good[:-1], label),
                 "counts": (good, b"\0\0\x08\x01\0\0\0\x02\1\2"), "empty": (b"", label), "label": (good, label[:-1] + b"\x0b")}
        for name, (images, labels) in cases.items():
            with self.subTest(case=name), tempfile.TemporaryDirectory() as folder:
                for prefix in ("train", "t10k"):
                    pathlib.Path(folder, f"{prefix}-images-idx3-ubyte").write_bytes(images)
                    pathlib.Path(folder, f"{prefix}-labels-idx1-ubyte").write_bytes(labels)
                answer = run("simulate", "--data", folder)
                self.assertEqual(answer.returncode, 6, answer.stderr)
                self.assertIn("train-", answer.stderr)

    def test_join_without_a_coordinator(self):
        with tempfile.TemporaryDirectory() as folder:
            write_idx(folder, "train", 50, 1)
            answer = run("join", "--url", "http://127.0.0.1:9", "--data", folder, "--state", folder + "/s", "--give-up-s", "1",
                         env={**os.environ, "ENTENTE_JOIN_CODE": "AAAA-BBBB-CCCC"})
            self.assertEqual(answer.returncode, 5, answer.stderr)


class Server(unittest.TestCase):
    def test_port_in_use(self):
        with Small() as f:
            f.start_server()
            second = run("serve", "--data", str(f.folder / "second"), "--listen", f"127.0.0.1:{f.port}")
            self.assertEqual(second.returncode, 1)
            self.assertIn("port", second.stderr)

    def test_folder_in_use(self):
        with Small() as f:
            f.start_server()
            second = run("serve", "--data", str(f.folder / "coordinator"), "--listen", "127.0.0.1:0")
            self.assertEqual(second.returncode, 1)
            self.assertIn("folder.in-use", second.stderr)
            self.assertEqual(f.ask("GET", "/healthz")[0], 200)

    def test_damaged_database(self):
        with Small() as f:
            f.start_server()
            f.stop_server()
            path = f.folder / "coordinator/entente.db"
            data = bytearray(path.read_bytes())
            data[100:4000] = os.urandom(3900)
            path.write_bytes(data)
            f.start_server(wait=False)
            self.assertEqual(f.server.wait(20), 6)
            self.assertIn("is damaged", f.log())
            self.assertIn("restore", f.log())

    def test_broken_ledger(self):
        with Small() as f:
            f.run_to_the_end()
            f.stop_server()
            db = sqlite3.connect(f.folder / "coordinator/entente.db")
            db.execute("UPDATE ledger SET entry = (SELECT entry FROM ledger WHERE sequence = 4) WHERE sequence = 5")
            db.commit()
            db.close()
            f.start_server(wait=False)
            self.assertEqual(f.server.wait(20), 6)
            self.assertIn("ledger.broken", f.log())

    def test_missing_model(self):
        with Small() as f:
            f.run_to_the_end()
            f.stop_server()
            for blob in (f.folder / "coordinator/blobs").iterdir():
                blob.unlink()
            f.start_server(wait=False)
            self.assertEqual(f.server.wait(20), 6)
            self.assertIn("ledger.missing-blob", f.log())

    def test_damaged_model(self):
        with Small() as f:
            f.run_to_the_end()
            f.stop_server()
            for blob in (f.folder / "coordinator/blobs").iterdir():
                content = bytearray(blob.read_bytes())
                content[len(content) // 2] ^= 1
                blob.write_bytes(content)
            f.start_server(wait=False)
            self.assertEqual(f.server.wait(20), 6)
            self.assertIn("coordinator/blobs/", f.log())
            self.assertIn("restore the data folder from a copy", f.log())

    def test_another_plan(self):
        with Small() as f:
            f.start_server()
            f.stop_server()
            (f.folder / "plan.toml").write_text('[federation]\nid = "other"\n')
            f.start_server(wait=False)
            self.assertEqual(f.server.wait(20), 3)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_unwritable_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o500)
            answer = run("serve", "--data", folder + "/data", "--listen", "127.0.0.1:0")
            self.assertEqual(answer.returncode, 1)

    def test_folder_that_cannot_be_made(self):
        answer = run("serve", "--data", "/proc/entente", "--listen", "127.0.0.1:0")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("/proc/entente", answer.stderr)


if __name__ == "__main__":
    unittest.main()
