#!/usr/bin/env python3
"""Plants the bugs of mutants/ one at a time and asks a campaign whether it notices.

    python3 tests/fault/mutants.py                 # all of them; a table; 1 when fewer than 95 % are caught
    python3 tests/fault/mutants.py fold-on-retry   # these alone

The first line of a patch says what is wrong with it, behind the name of the campaign that should notice (the network's, unless
it says kills, io, power or upgrade) and, in brackets, more words for it: the calls that it is about ("io --touching ^EIO: ..."). What is
patched is a copy of the sources in build/mutants, built as the native preset builds these: with ccache what the native build has
compiled is not compiled again. A campaign ends at its first violation.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = ROOT / "tests/fault/mutants"
COPY = ROOT / "build/mutants"
BUILD = COPY / "build/native"
SEEDS = 2000
REAL = {"kills": [], "io": [], "power": ["--seeds", "150"], "upgrade": []}
CAUGHT_AT_LEAST = 0.95


def copy_sources():
    """Only what differs is written, so that only that is compiled again."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        source, target = ROOT / name, COPY / name
        if not source.is_file() or (target.exists() and target.read_bytes() == source.read_bytes()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=COPY)


def read(patch):
    """The campaign, its words, and what is wrong."""
    line = patch.read_text().splitlines()[0]
    found = re.match(r"(kills|io|power|upgrade)(?: \[(.*?)\])?: (.*)", line)
    return (found[1], shlex.split(found[2] or ""), found[3]) if found else ("network", [], line)


def build(campaign):
    if not (BUILD / "build.ninja").exists():
        made = run("cmake", "-S", ".", "--preset", "native", *(["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []))
        if made.returncode != 0:
            raise SystemExit(made.stderr)
    return run("cmake", "--build", BUILD, "--target", *(["fault_network"] if campaign == "network" else ["entente", "fault_io"]))


def violation(campaign, words):
    """The first one; empty when there is none."""
    if campaign == "network":
        found = run("timeout", 300, BUILD / "tests/fault_network", "--seeds", SEEDS, "--first")
    else:
        os.environ["ENTENTE_BINARY"] = str(BUILD / "native/entente")
        os.environ["ENTENTE_FAULT_LIBRARY"] = str(BUILD / "tests/libfault_io.so")
        found = run("timeout", 3600, sys.executable, ROOT / "tests/fault/campaign.py", campaign, "--partners", 2, *REAL[campaign], "--first", *words)
    told = [line for line in found.stdout.splitlines() if not line.startswith(f"{campaign}: ")]
    return "" if found.returncode == 0 else (told or [f"it ended with {found.returncode}: {found.stderr[-200:]}"])[0]


def main(names):
    # The same calls of the compiler in another folder are the same.
    os.environ.setdefault("CCACHE_BASEDIR", str(ROOT))
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")
    copy_sources()
    patches = sorted(MUTANTS.glob("*.patch"))
    if unknown := set(names) - {p.stem for p in patches}:
        raise SystemExit(f"no such mutant: {', '.join(sorted(unknown))}")
    # Whether a campaign is quiet without them is its own whole run's matter: here a share says that it works at all.
    for campaign in sorted({read(p)[0] for p in patches if not names or p.stem in names}):
        if (built := build(campaign)).returncode != 0:
            raise SystemExit(built.stdout + built.stderr)
        if told := violation(campaign, ["--slice"]):
            raise SystemExit(f"without any planted bug: {told}")
    caught = tried = 0
    began = time.monotonic()
    for patch in patches:
        if names and patch.stem not in names:
            continue
        tried += 1
        applied = run("patch", "-p1", "-F0", "--no-backup-if-mismatch", "-i", patch)
        campaign, words, sentence = read(patch)
        built = build(campaign) if applied.returncode == 0 else applied
        told = violation(campaign, words) if built.returncode == 0 else ""
        if built.returncode != 0:
            sentence = f"it does not apply or compile any more: {(built.stdout + built.stderr)[-1500:]}"
        if applied.returncode == 0:
            run("patch", "-p1", "-R", "--no-backup-if-mismatch", "-i", patch)
        caught += bool(told)
        print(f"{patch.stem:28} {'caught  ' + told[:110] if told else 'MISSED  ' + sentence}", flush=True)
    print(f"{caught} of {tried} planted bugs caught in {time.monotonic() - began:.0f} s")
    return 0 if caught >= CAUGHT_AT_LEAST * tried else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
