"""Adds up what the suites left in a folder (JUnit from ctest, TAP from the others) and prints the last line.

A doctest binary counts by its test cases, anything else by its tests. Exits 1 when something failed or nothing ran.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree

# A tool that colours what it prints may leave its last colour before our next line.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
passed, failed, skipped = 0, [], []

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    if path.suffix == ".xml":
        for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
            name = f"{path.stem} {case.get('name')}"
            counts = re.search(r"test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", case.findtext("system-out") or "")
            bad = case.get("status") not in ("run", None) or case.find("failure") is not None
            if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
                (failed if case.get("status") == "notrun" else skipped).append(name)
            elif counts:
                passed += int(counts.group(1))
                failed += [f"{name}: {counts.group(2)} cases"] * (int(counts.group(2)) or (1 if bad else 0))
            elif bad:
                failed.append(name)
            else:
                passed += 1
    elif path.suffix == ".tap":
        for line in path.read_text(errors="replace").splitlines():
            match = re.match(r"\s*(not ok|ok)\b[\s\d-]*(.*)", COLOUR.sub("", line))
            if not match:
                continue
            name = f"{path.stem} {match.group(2)}"
            if re.search(r"#\s*SKIP", name, re.I):
                skipped.append(name)
            elif match.group(1) == "ok":
                passed += 1
            else:
                failed.append(name)

for name in skipped:
    print(f"skipped: {name}")
for name in failed:
    print(f"failed: {name}")
print(f"{passed} passed, {len(failed)} failed")
sys.exit(1 if failed or passed == 0 else 0)
