"""The commands in the documents: what can run by itself is run, shortened; of the rest every option exists."""
import os, pathlib, re, shlex, subprocess, tempfile, unittest

from harness import ENTENTE, ROOT

MNIST = os.environ.get("ENTENTE_MNIST_DIR", str(ROOT / "third_party/mnist"))


def commands():
    """(document, words) of every line in a code block that calls the binary or a script."""
    for document in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/README.md"))]:
        for block in re.findall(r"^```\w*\n(.*?)^```", document.read_text(), re.M | re.S):
            for line in block.splitlines():
                line = re.sub(r"^(\w+=\S+ |\w+=<[^>]*> )*", "", line.split("  #")[0].strip())
                if re.match(r"(entente|script/\w+) ?", line):
                    yield document.name, shlex.split(line.replace("…", "x"))


class Documents(unittest.TestCase):
    def test_options_exist(self):
        helps = {}
        seen = 0
        for document, words in commands():
            if words[0] != "entente" or len(words) < 2:
                continue
            path = words[1:3] if words[1] in ("plan", "policy", "data") else words[1:2]
            if tuple(path) not in helps:
                done = subprocess.run([ENTENTE, *path, "--help"], capture_output=True, text=True, timeout=20)
                helps[tuple(path)] = done.stdout if done.returncode == 0 else ""
            for option in (word.split("=")[0] for word in words[1:] if word.startswith("-")):
                with self.subTest(document=document, command=" ".join(words)):
                    self.assertTrue(re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", helps[tuple(path)]), f"there is no {option}")
                    seen += 1
        self.assertGreater(seen, 15)

    def test_scripts_exist(self):
        for document, words in commands():
            if words[0].startswith("script/"):
                with self.subTest(document=document, command=words[0]):
                    self.assertTrue(os.access(ROOT / words[0], os.X_OK))

    @unittest.skipUnless(pathlib.Path(MNIST).is_dir(), "MNIST is not there: script/fetch-mnist")
    def test_what_runs_by_itself(self):
        ran = 0
        for document, words in commands():
            if document != "README.md" or words[0] != "entente" or words[1] not in ("simulate", "plan"):
                continue
            text = " ".join(words[1:]).replace("third_party/mnist", MNIST)
            for long, short in ((r"--rounds \d+", "--rounds 1"), (r"--seeds \d+", "--seeds 2"), (r"--partners 1000", "--partners 50")):
                text = re.sub(long, short, text)
            if "simulate" in text and "--rounds" not in text:
                text += " --rounds 1"
            with self.subTest(command=text), tempfile.TemporaryDirectory() as folder:
                words = [str(ROOT / w) if w.startswith("examples/") else os.path.join(folder, w) if w == "run" else w for w in shlex.split(text)]
                done = subprocess.run([ENTENTE, *words], capture_output=True, text=True, timeout=200, cwd=folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                ran += 1
        self.assertGreaterEqual(ran, 3)


if __name__ == "__main__":
    unittest.main()
