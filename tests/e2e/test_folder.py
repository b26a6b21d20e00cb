"""Partners without a network: a shared folder is all that lies between them and the coordinator."""
import json
import os
import subprocess
import unittest

from harness import ENTENTE, Small, undisturbed_digest


class ByFolder(Small):
    def __init__(self, **options):
        super().__init__(**options)
        self.share = self.folder / "share"
        self.share.mkdir()
        self.partners_file = self.folder / "folder-partners.txt"
        self.partners_file.write_text("# id and public key\n")

    def open(self):
        self.start_server("--folder", self.share, "--folder-partners", self.partners_file)
        greeting = [json.loads(line) for line in self.log().splitlines() if '"listening"' in line][-1]
        self.coordinator_key = greeting["coordinator_key"]

    def arguments(self, i, *more):
        return ["join", "--folder", self.share, "--partner", f"plant-{i}", "--data", self.folder / f"data-{i}",
                "--state", self.folder / f"plant-{i}", "--json", *more]

    def attempt(self, i, *more):
        """A join that is expected to end by itself."""
        return subprocess.run([ENTENTE, *map(str, self.arguments(i, *more))], capture_output=True, text=True, timeout=30)

    def introduce(self, i):
        """The partner makes its key; the operator enters it."""
        first = self.attempt(i)
        key = (self.folder / f"plant-{i}" / "partner.pub").read_text()
        assert first.returncode != 0 and key in first.stderr, first
        with open(self.partners_file, "a") as file:
            file.write(f"plant-{i} {key}\n")

    def start_by_folder(self, i):
        name = f"plant-{i}"
        self.partners[name] = self.spawn(name, *self.arguments(i, "--coordinator-key", self.coordinator_key))
        return self.partners[name]

    def kill(self, process):
        process.kill()
        process.wait()

    def updates(self):
        return [row for row in self.ledger() if row["kind"] == "update.accepted"]


class FolderTest(unittest.TestCase):
    def test_a_federation_over_a_folder_learns_the_same_model(self):
        expected = undisturbed_digest(rounds=3)
        with ByFolder(rounds=3) as f:
            f.open()
            for i in (1, 2):
                f.introduce(i)
                f.start_by_folder(i)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], expected)
            for i in (1, 2):
                result = f.result(f"plant-{i}")
                self.assertEqual(result["model_digest"], expected)
                self.assertEqual(result["rounds"], 3)
                self.assertEqual(result["agreements"], 2)
            self.assertEqual(len(f.updates()), 6)
            # Every file has one writer, and only what is offered now lies there.
            found = sorted(str(p.relative_to(f.share)) for p in f.share.rglob("*") if p.is_file())
            names = [name for name in found if "/content/" not in name]
            self.assertEqual(names, ["coordinator/_everyone.book", "coordinator/plant-1.book", "coordinator/plant-2.book", "plan.frame",
                                     "plant-1/coordinator.book", "plant-2/coordinator.book"])
            self.assertEqual(len(found) - len(names), 3)
            raw = (f.folder / "data-1" / "train-images-idx3-ubyte").read_bytes()[16:16 + 784]
            for name in found:
                self.assertNotIn(raw, (f.share / name).read_bytes())

    def test_one_by_the_folder_and_one_by_the_network(self):
        expected = undisturbed_digest(rounds=2)
        with ByFolder(rounds=2) as f:
            f.open()
            f.introduce(1)
            f.start_by_folder(1)
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], expected)

    def test_killed_partner_and_coordinator_go_on_with_what_lies_in_the_folder(self):
        expected = undisturbed_digest(rounds=3)
        with ByFolder(rounds=3) as f:
            f.open()
            for i in (1, 2):
                f.introduce(i)
            f.start_by_folder(1)
            f.wait_for(lambda: (f.share / "plant-1" / "coordinator.book").exists(), "the first partner's book")
            f.kill(f.partners["plant-1"])
            f.start_by_folder(1)
            f.start_by_folder(2)
            f.wait_for(lambda: len(f.updates()) >= 1, "an accepted update")
            f.kill(f.server)
            f.kill(f.partners["plant-2"])
            f.start_by_folder(2)
            f.open()
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], expected)
            self.assertEqual(len(f.updates()), 6)

    def test_what_is_wrong_is_said(self):
        with ByFolder(rounds=2) as f:
            f.open()
            f.introduce(1)
            foreign = f.attempt(1, "--coordinator-key", "ab" * 32)
            self.assertNotEqual(foreign.returncode, 0)
            self.assertIn("coordinator's key", foreign.stderr)
            both = f.attempt(1, "--url", f.url)
            self.assertNotEqual(both.returncode, 0)
            self.assertIn("found both", both.stderr)
            # A stranger's book and a forged one are named in the server's log and change nothing.
            (f.share / "plant-x").mkdir()
            (f.share / "plant-1").mkdir(exist_ok=True)
            (f.share / "plant-1" / "coordinator.book").write_bytes(b"entbook1" + os.urandom(500))
            f.wait_for(lambda: "plant-x has a place in the folder" in f.log(), "a word about the stranger")
            f.wait_for(lambda: "folder.damaged" in f.log(), "a word about the damaged book")
            self.assertEqual(f.server.poll(), None)


if __name__ == "__main__":
    unittest.main()
