"""Partners without a network: a shared folder is all that lies between them and the coordinator."""
import json, os, pathlib, subprocess, unittest

from harness import ENTENTE, Federation, undisturbed_digest


class FolderFederation(Federation):
    def __init__(self, **options):
        super().__init__(**options)
        self.share = self.folder / "share"
        self.share.mkdir()
        self.partners_file = self.folder / "folder-partners.txt"
        self.partners_file.write_text("# id and public key\n")

    def serve(self, **more):
        self.start_server("--json", "--folder", str(self.share), "--folder-partners", str(self.partners_file), **more)
        self.wait_for(lambda: '"listening"' in self.server_log(), "the server's greeting")
        lines = [json.loads(line) for line in self.server_log().splitlines() if '"listening"' in line]
        self.coordinator_key = lines[-1]["coordinator_key"]

    def folder_command(self, i, *extra):
        return [ENTENTE, "join", "--folder", str(self.share), "--partner", f"plant-{i}", "--data", str(self.folder / f"data-{i}"),
                "--state", str(self.folder / f"state-{i}"), "--json", *extra]

    def enter(self, i):
        """The partner makes its key; the operator enters it."""
        first = subprocess.run(self.folder_command(i), capture_output=True, text=True, timeout=30)
        key = (self.folder / f"state-{i}" / "partner.pub").read_text()
        assert first.returncode != 0 and key in first.stderr, first
        with open(self.partners_file, "a") as file:
            file.write(f"plant-{i} {key}\n")

    def start_folder_partner(self, i):
        self.partners[i] = self.spawn(f"partner-{i}.log", self.folder_command(i, "--coordinator-key", self.coordinator_key), {})

    def updates(self):
        return [row for row in self.ledger() if row["kind"] == "update.accepted"]


class FolderTest(unittest.TestCase):
    def test_a_federation_over_a_folder_learns_the_same_model(self):
        expected = undisturbed_digest(rounds=3)
        with FolderFederation(rounds=3) as f:
            f.serve()
            for i in (1, 2):
                f.enter(i)
                f.start_folder_partner(i)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], expected)
            for i in (1, 2):
                result = f.partner_result(i)
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
        with FolderFederation(rounds=2) as f:
            f.serve()
            f.enter(1)
            f.start_folder_partner(1)
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], expected)

    def test_killed_partner_and_coordinator_go_on_with_what_lies_in_the_folder(self):
        expected = undisturbed_digest(rounds=3)
        with FolderFederation(rounds=3) as f:
            f.serve()
            for i in (1, 2):
                f.enter(i)
            f.start_folder_partner(1)
            f.wait_for(lambda: (f.share / "plant-1" / "coordinator.book").exists(), "the first partner's book")
            f.partners[1].kill()
            f.partners[1].wait()
            f.start_folder_partner(1)
            f.start_folder_partner(2)
            f.wait_for(lambda: len(f.updates()) >= 1, "an accepted update")
            f.server.kill()
            f.server.wait()
            f.partners[2].kill()
            f.partners[2].wait()
            f.start_folder_partner(2)
            f.serve()
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], expected)
            self.assertEqual(len(f.updates()), 6)

    def test_what_is_wrong_is_said(self):
        with FolderFederation(rounds=2) as f:
            f.serve()
            f.enter(1)
            foreign = subprocess.run(f.folder_command(1, "--coordinator-key", "ab" * 32), capture_output=True, text=True, timeout=30)
            self.assertNotEqual(foreign.returncode, 0)
            self.assertIn("coordinator's key", foreign.stderr)
            both = subprocess.run(f.folder_command(1, "--url", f.url), capture_output=True, text=True, timeout=30)
            self.assertNotEqual(both.returncode, 0)
            self.assertIn("found both", both.stderr)
            # A stranger's book and a forged one are named in the server's log and change nothing.
            (f.share / "plant-x").mkdir()
            (f.share / "plant-1").mkdir(exist_ok=True)
            (f.share / "plant-1" / "coordinator.book").write_bytes(b"entbook1" + os.urandom(500))
            f.wait_for(lambda: "plant-x has a place in the folder" in f.server_log(), "a word about the stranger")
            f.wait_for(lambda: "folder.damaged" in f.server_log(), "a word about the damaged book")
            self.assertEqual(f.server.poll(), None)


if __name__ == "__main__":
    unittest.main()
