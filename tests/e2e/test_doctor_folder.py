"""`entente doctor folder`: what will stop a coordinator is said before it does, with what to do."""
import json, sqlite3, subprocess, unittest

from harness import ENTENTE, Small, free_ports


def examined(*arguments):
    done = subprocess.run([ENTENTE, "doctor", "folder", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=60)
    report = json.loads(done.stdout)
    assert (done.returncode == 0) == report["good"], done.stdout
    return {(s["step"], s["found"].split(" ")[0]) if s["step"] == "key modes" else s["step"]: s for s in reversed(report["steps"])}


def certificate(folder, days):
    path = folder / f"certificate-{days}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                    "-days", str(days), "-keyout", folder / "key.pem", "-out", path], check=True, capture_output=True)
    return path


class Folder(unittest.TestCase):
    def test_what_it_finds(self):
        with Small() as f:
            self.assertFalse(examined(f.folder)["folder"]["good"])
            f.start_server()
            data = f.folder / "coordinator"
            steps = examined(data, "--public-url", f.url, "--tls-cert", certificate(f.folder, 90))
            for step in ("folder", ("key modes", "coordinator.key"), "certificate", "way in"):
                self.assertTrue(steps[step]["good"], steps[step])
            self.assertIn("MiB free", steps["disk"]["found"])
            self.assertRegex(steps["clock"]["found"], "^20")
            self.assertEqual(f.stop_server(), 0)

            steps = examined(data, "--public-url", f.url, "--tls-cert", certificate(f.folder, 3),
                             "--issuer", f"http://127.0.0.1:{free_ports(1)[0]}/realm")
            for step in ("certificate", "way in", "issuer"):
                self.assertFalse(steps[step]["good"], steps[step])
                self.assertTrue(steps[step]["todo"])
            (data / "coordinator.key").chmod(0o644)
            self.assertIn("chmod 600", examined(data)["key modes", "coordinator.key"]["todo"])
            (data / "coordinator.key").chmod(0o600)
            books = sqlite3.connect(data / "entente.db")
            books.execute("UPDATE ledger SET at_ms = at_ms + 864000000")  # ten days
            books.commit()
            books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            books.close()
            self.assertIn("behind the newest record", examined(data)["clock"]["found"])


if __name__ == "__main__":
    unittest.main()
