"""A data folder that fills up: senders are told 507, rounds stand still, and when there is room again everything goes on to
the undisturbed run's model."""
import errno, json, os, pathlib, re, resource, shutil, signal, subprocess, time, unittest

from harness import Small, undisturbed_digest

MIB = 1 << 20


class SmallDisk:
    """A tmpfs in a mount namespace of its own, held by `cat`; it ends with us, whoever ends us. As root or as anybody."""

    def __init__(self, folder, size):
        flags = [] if os.geteuid() == 0 else ["-Ur"]
        folder.mkdir()
        self.holder = subprocess.Popen(["unshare", *flags, "--mount", "sh", "-c", f"mount -t tmpfs -o size={size} none '{folder}' && echo ok && exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.there = self.holder.stdout.readline() == b"ok\n"
        self.prefix = ["nsenter", *(["--user", "--preserve-credentials"] if flags else []), "--mount", "--target", str(self.holder.pid)]
        self.folder = pathlib.Path(f"/proc/{self.holder.pid}/root{folder}")

    def leave(self, free):
        """Fills it until so many bytes are free, while others write to it."""
        with open(self.folder / "ballast", "wb") as ballast:
            for attempt in range(20):
                where = os.statvfs(self.folder)
                try:
                    size = os.fstat(ballast.fileno()).st_size + where.f_bavail * where.f_bsize - free
                    return os.posix_fallocate(ballast.fileno(), 0, size) if size > 0 else None
                except OSError as error:
                    if error.errno != errno.ENOSPC or attempt == 19:
                        raise

    def clear(self):
        (self.folder / "ballast").unlink()

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()


def ready(f):
    status, body = f.ask("GET", "/readyz", token=None)
    return status, json.loads(body).get("code")


class FullDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest()

    def small_disk(self, f):
        if not shutil.which("unshare") or not shutil.which("nsenter"):
            self.skipTest("unshare and nsenter are not installed")
        disk = SmallDisk(f.folder / "coordinator", "16m")
        self.addCleanup(disk.close)
        if not disk.there:
            self.skipTest("mount namespaces are not permitted here")
        return disk

    def finishes(self, f):
        f.wait_partners()
        self.assertEqual(f.status()["model_digest"], self.digest)
        self.assertEqual([e["kind"] for e in f.ledger()].count("update.accepted"), 6)
        self.assertEqual(ready(f), (200, None))

    def test_no_room_for_an_update(self):
        with Small() as f:
            disk = self.small_disk(f)
            f.start_server(prefix=disk.prefix)
            f.start_partner(1)
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "the first has agreed")
            token = re.search(r'token = "(\w+)"', (f.folder / "plant-1/state.toml").read_text())[1]
            disk.leave(64 * 1024)
            path = "/api/v1/hub/assets/urn:fl:e2e:plant-1:updates/content?round=1&content=" + "0" * 64
            status, body = f.ask("PUT", path, bytes(200_000), token)
            self.assertEqual((status, json.loads(body)["code"]), (507, "disk.full"))
            self.assertIn("free some space", json.loads(body)["detail"])
            self.assertEqual(f.ask("GET", "/healthz")[0], 200)
            disk.clear()
            f.start_partner(2)
            self.finishes(f)

    def test_partners_wait_and_send_again(self):
        with Small() as f:
            disk = self.small_disk(f)
            f.start_server(prefix=disk.prefix)
            f.start_partner(1)
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "the first has agreed")
            f.partners["plant-1"].send_signal(signal.SIGSTOP)  # does not deliver before the disk is full
            f.start_partner(2)
            f.wait_for(lambda: f.status()["round"] == 1 and f.status()["phase"] == "collecting", "round 1 is open")
            disk.leave(0)
            delivered = f.status()["delivered"]
            f.partners["plant-1"].send_signal(signal.SIGCONT)
            time.sleep(2)  # long enough to train and to be turned away
            self.assertEqual(f.status()["delivered"], delivered)
            self.assertLess(delivered, 2)
            disk.clear()
            self.finishes(f)

    def test_no_room_for_the_next_model(self):
        with Small() as f:
            disk = self.small_disk(f)
            f.start_server(prefix=disk.prefix)
            f.start_partner(1)
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "the first has agreed")
            disk.leave(6 * MIB // 10 + 6 * MIB // 10)  # two updates of 200 kB fit with what the books need; the model of 730 kB does not
            f.start_partner(2)
            f.wait_for(lambda: ready(f) == (503, "disk.full"), "rounds stand still")
            self.assertTrue(f.status()["stalled"])
            self.assertEqual(f.ask("GET", "/healthz")[0], 200)
            self.assertIn("entente_stalled 1", f.ask("GET", "/metrics")[1].decode())
            disk.clear()
            self.finishes(f)

    def test_a_folder_that_may_not_be_written(self):
        with Small() as f:
            disk = self.small_disk(f)
            subprocess.run([*disk.prefix, "mount", "-o", "remount,ro", f.folder / "coordinator"], check=True)
            f.start_server(prefix=disk.prefix, wait=False)
            self.assertEqual(f.server.wait(20), 1)
            self.assertIn(str(f.folder / "coordinator"), f.log())
            self.assertIn("Read-only file system", f.log())

    def test_files_may_not_grow(self):
        """The same without any privilege: a limit on the size of the coordinator's files."""
        with Small() as f:
            f.start_server()
            f.start_partner(1)
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "the first has agreed")
            f.partners["plant-1"].send_signal(signal.SIGSTOP)  # keeps round 1 open until the limit is set
            f.start_partner(2)
            f.wait_for(lambda: f.status()["round"] == 1 and f.status()["phase"] == "collecting", "round 1 is open")
            resource.prlimit(f.server.pid, resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
            f.partners["plant-1"].send_signal(signal.SIGCONT)
            time.sleep(2)  # long enough to train and to be turned away
            self.assertIsNone(f.server.poll(), "it lives")
            self.assertEqual(f.status()["completed"], 0)
            resource.prlimit(f.server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self.finishes(f)


if __name__ == "__main__":
    unittest.main()
