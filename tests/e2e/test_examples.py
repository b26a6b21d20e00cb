"""Each example of a task runs with one command, in its small form, and ends with its table."""
import os, subprocess, unittest

from harness import ENTENTE, ROOT


class Examples(unittest.TestCase):
    def test_each_ends_with_its_table(self):
        for story, metric in (("late-deliveries", "auc"), ("sensor-anomalies", "auc"), ("engine-health", "rmse")):
            with self.subTest(story=story):
                done = subprocess.run([ROOT / "examples" / story / "run", "--small"], capture_output=True, text=True, timeout=280,
                                      env={**os.environ, "ENTENTE_BINARY": str(ENTENTE)})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"{story} on data that the project makes itself", done.stdout)
                self.assertRegex(done.stdout, rf"\n  {metric} +rows +constant +(T² +T²\+Q +)?local +federated +pooled *\n")
                self.assertRegex(done.stdout, r"\n  all +\d[\d .]+\n")
                self.assertIn("partners gain", done.stdout)
