#!/usr/bin/env python3
"""What the structure promises, as TAP: the arrows, a README in each room, and documents that name real things."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).parents[2]
results = []


def check(name, problems):
    results.append(not problems)
    for problem in problems:
        print(f"# {problem}")
    print(f"{'ok' if not problems else 'not ok'} - {name}", flush=True)


arrows = subprocess.run([sys.executable, root / "tests/structure/arrows.py", root], capture_output=True, text=True)
check("the arrows between the rooms run one way", arrows.stdout.splitlines()[:-1] if arrows.returncode else [])

# The check itself must be able to fail.
planted = root / "build/results/planted"
(planted / "core/src/nn").mkdir(parents=True, exist_ok=True)
(planted / "core/src/nn/bad.cpp").write_text('#include "entente/round/journal.hpp"\n#include <thread>\n#include "native/src/x.hpp"\n')
breached = subprocess.run([sys.executable, root / "tests/structure/arrows.py", planted], capture_output=True, text=True)
check("a planted breach of each kind is found", [] if "3 breaches" in breached.stdout else [breached.stdout])

rooms = ["core", "threads", "connectors", "commands", "native", "wasm", "web", "tests", "examples"]
check("each top-level room has its README", [r for r in rooms if not (root / r / "README.md").exists()])

missing = []
for document in [*root.glob("*.md"), *root.glob("docs/*.md"), *(root / r / "README.md" for r in rooms)]:
    if not document.exists():
        continue
    for path in re.findall(r"`((?:core|threads|connectors|commands|native|wasm|web|tests|examples|script|docs|cmake)/[\w./-]+)`",
                           document.read_text()):
        # "core/round" stands for both its headers and its sources.
        inside = path.removeprefix("core/")
        places = [path, f"core/include/entente/{inside}", f"core/src/{inside}"]
        if not any((root / place).exists() for place in places) and not path.startswith("web/dist"):
            missing.append(f"{document.relative_to(root)} names {path}")
check("the documents name files that exist", missing)

long_files = [f"{p.relative_to(root)} has {n} lines" for p in [*root.glob("core/**/*.[ch]pp"), *root.glob("native/src/**/*.[ch]pp"),
              *root.glob("threads/*.[ch]pp"), *root.glob("connectors/**/*.[ch]pp"), *root.glob("commands/*.[ch]pp")]
              if (n := len(p.read_text().splitlines())) > 500]
check("no source file is longer than 500 lines", long_files)

sys.exit(0 if all(results) else 1)
