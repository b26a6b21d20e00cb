"""The coordinator's own figures: what a round costs beyond its training, and what it holds in memory."""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(root / "script"))
from federation import Federation, split  # noqa: E402


def round_overhead(entente, mnist):
    """Two native partners, 2NN, hub connector: the time of a round beyond its training."""
    done = subprocess.run([sys.executable, root / "script/demo.py", "--entente", entente, "--data", mnist, "--native-only",
                           "--json", "--port", "0"], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"round beyond the training: median {result['round_overhead_ms_median']} ms over {result['rounds']} rounds "
          f"({result['partners']} partners, accuracy {result['accuracy']:.4f}, {result['seconds']} s in all)")


def resident(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024


def memory(entente, mnist, most=20):
    """The coordinator's memory with the CNN: above idle, in models, for a few partners and for many."""
    model_bytes = 4 * 1_663_370
    for count in (2, most):
        with tempfile.TemporaryDirectory() as name, Federation(entente, name) as federation:
            folder = pathlib.Path(name)
            plan = folder / "plan.toml"
            plan.write_text(f'[task]\nmodel = "cnn"\n[round]\nrounds = 2\nmin_cohort = {count}\ndeadline_s = 1000\npresence_s = 300\n')
            split(entente, mnist, folder / "shares", count, "--examples", 20 * count)
            for test_file in folder.glob("shares/*/t10k*"):
                test_file.unlink()
            federation.serve(plan)
            time.sleep(0.5)
            idle = resident(federation.server.pid, "VmRSS")
            partners = [federation.join(f"partner-{n}", folder / f"shares/partner-{n}") for n in range(1, count + 1)]
            for partner in partners:
                partner.wait(timeout=900)
            peak = resident(federation.server.pid, "VmHWM")
            print(f"coordinator with {count} partners and the CNN: idle {idle / 1e6:.0f} MB, peak {peak / 1e6:.0f} MB, "
                  f"{(peak - idle) / model_bytes:.1f} models above idle")


all_of_them = {"round": round_overhead, "memory": memory}
