#!/usr/bin/env python3
"""Holds the arrows between the rooms: who may include whom, and what core may never include.

    python3 tests/structure/arrows.py [ROOT]

Prints each breach as file:line and exits 1 when there is one.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])

# Rooms of the house: what each may include of ours.
rooms = {
    "core": ["core"],
    "threads": ["core", "threads"],
    "connectors/memory": ["core", "connectors/memory"],
    "connectors/folder": ["core", "connectors/folder"],
    "connectors/hub": ["core", "connectors/hub"],
    "connectors/dsp": ["core", "connectors/dsp"],
    "connectors/edc": ["core", "connectors/dsp", "connectors/edc"],
    "commands": ["core", "connectors/memory", "commands"],
    "wasm": ["core", "threads", "connectors/memory", "commands", "wasm"],
    "native": ["core", "threads", "connectors/memory", "connectors/folder", "connectors/hub", "connectors/dsp", "connectors/edc",
               "commands", "native"],
}
# Floors inside core, ground floor first: a room includes itself and those before it.
floors = ["base", "tensor", "data", "table", "nn", "trees", "task", "aggregate", "policy", "codec", "proof", "contract", "plan", "round"]
# Rooms of core that may look at a later one, with the reason.
exceptions = {}

forbidden_in_core = re.compile(
    r"<(thread|mutex|condition_variable|future|filesystem|fstream|iostream|ostream|chrono|ctime|time\.h|sys/.*|unistd\.h|"
    r"boost/.*|openssl/.*|sqlite3\.h|cstdio|stdio\.h)>")
include = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|(<[^>]+>))')
breaches = []


def room_of(path):
    for room in sorted(rooms, key=len, reverse=True):
        if path.startswith(room + "/"):
            return room
    return None


def target_room(path, text):
    if text.startswith("entente/"):
        return "core"
    if text.startswith(("threads/", "connectors/", "commands/", "native/", "wasm/")):
        return room_of(text) or text.split("/")[0]
    return None


def core_floor(path):
    match = re.match(r"core/(?:include/entente|src)/([a-z]+)/", path)
    return match.group(1) if match else None


for source in sorted(root.glob("**/*.[ch]pp")):
    path = source.relative_to(root).as_posix()
    room = room_of(path)
    if room is None or path.startswith(("build/", "third_party/")):
        continue
    for number, line in enumerate(source.read_text().splitlines(), 1):
        match = include.match(line)
        if not match:
            continue
        ours, theirs = match.groups()
        where = f"{path}:{number}"
        if ours:
            target = target_room(path, ours)
            if target and target not in rooms[room]:
                breaches.append(f"{where}: {room} includes {ours}")
            here, there = core_floor(path), re.match(r"entente/([a-z]+)/", ours)
            if here and there and there.group(1) in floors and here in floors:
                above = floors.index(there.group(1)) > floors.index(here)
                if above and there.group(1) not in exceptions.get(here, []):
                    breaches.append(f"{where}: core/{here} includes {ours}, a floor above it")
        elif room == "core" and forbidden_in_core.match(theirs):
            breaches.append(f"{where}: core includes {theirs}")

for breach in breaches:
    print(breach)
print(f"arrows: {len(breaches)} breaches")
sys.exit(1 if breaches else 0)
