#!/usr/bin/env python3
"""The campaigns over a real process (real.py): the coordinator's, or a partner's.

    campaign.py kills   killed before every call that changes a file, and behind the half of every write
    campaign.py io      EIO, ENOSPC, EINTR and a short count at every call that can have it
    campaign.py power   the power is cut at a drawn call: what was not synced is there, is not, or is torn (power.py)
    campaign.py upgrade the data folder goes to the older format and is taken over again (upgrade.py): both killed, or without a disk, at every call
    campaign.py clock   the clock jumps at every call, forward beyond the agreements' end, and back
        --of partner    one partner's process, power or clock; --connector dsp: partners with connectors of their own
        --times N       io: not one call fails but N one behind the other, while the process lives
        --slice         a share of them, for CI
        --every N       only each N-th call; --partners N; --jobs N at a time; --seeds N of power cuts, --from N
        --touching RE   only calls of which "FAULT NAME PATH" has a match: "^short write .*spool/"; --first ends at a violation
        --run NAME      one of them, as a violation names it; --keep DIR leaves its folder there; --tap for script/test

The last line counts runs and violations; the exit code is 1 when there are any. Two threads share the disk: a run that is
repeated by its name may differ by a few calls.
"""
import argparse
import concurrent.futures
import os
import re
import sys

from power import Recorded, cut_partner
from real import PLAN, Run, undisturbed
from upgrade import TakenOver

# A partner then keeps on its disk what its updates have not sent yet. Only of the hub it always learns in time which of them counted.
KEEPING = PLAN + "[aggregation]\ntop = 0.1\n"
UNCOUNTED = ("answer", "close", "!")
FAULTS = {"kills": ("kill", "half"), "io": ("EIO", "ENOSPC", "EINTR", "short"), "upgrade": ("kill", "half", "EIO", "ENOSPC")}
DAY = 24 * 3600
# With what it must come to: the same model, an end, or nothing but the truth. Agreements last 30 days, rounds 300 seconds.
JUMPS = {"hour-back": (-3600, "same"), "day-back": (-DAY, "same"), "hour-ahead": (3600, "ends"), "40-days-ahead": (40 * DAY, "true"), "year-2106": (80 * 365 * DAY, "true")}


def can_happen(fault, line):
    """As may_happen() in preload/fault.cpp has it."""
    name, *rest = line.split(" ")
    if name in UNCOUNTED:
        return False
    reads = name in ("open", "read")
    size = int(rest[2]) if name == "write" else int(rest[1]) if name == "read" else 0
    if fault in ("kill", "jump"):
        return not reads
    if fault in ("half", "short"):
        return (name == "write" or (fault == "short" and name == "read")) and size > 1
    if fault == "ENOSPC":
        return name in ("create", "truncate", "rename", "mkdir", "fallocate", "write")
    if fault == "EINTR":
        return name not in ("rename", "unlink", "mkdir", "rmdir", "chmod")
    return True


def subjects(trace):
    """Of each line "NAME PATH" as the library has them: a descriptor is its file, and to open one to read is a read."""
    paths = {}
    for line in trace:
        name, *rest = line.split(" ")
        if name in ("open", "create", "truncate"):
            paths[rest[0]] = rest[1]
            name = "read" if name == "open" else "open"
        yield f"{name} {paths.get(rest[0], ' '.join(rest)) if rest else ''}"


def judge_fault(run, fault, digest):
    """A sentence about what broke, or None."""
    if run.outcome:
        return run.outcome
    if run.digest != digest:
        return f"I4: expected the model {digest[:8]}, found {run.digest[:8]}"
    if run.died > 1:
        return f"I9: it ended {run.died} times for one fault"
    if run.hit.startswith("! EIO fsync ") and any(part in run.hit for part in ("/spool/", ".tmp-", "-wal")) and not run.died:
        return f"I2: {run.hit}, and it went on"
    # SQLite takes an interrupted fsync, which Linux does not have on a disk of its own, for a failed one: it ends, nothing is lost.
    if fault in ("EINTR", "short") and run.died and not (run.hit.startswith("! EINTR fsync ") and run.hit.endswith((".db", "-wal", "-journal"))):
        return f"it ended because of {run.hit}, which is no failure"
    return None


def judge_jump(run, wanted, partners, digest):
    if run.outcome or run.died:
        return run.outcome or f"I9: it ended {run.died} times"
    agreed = [e["at_ms"] for e in run.records if e["kind"] == "agreement.concluded"]
    # Nobody agrees on anything with clocks more than five minutes apart (agreement.clock), so then no round begins.
    if wanted == "same" and run.digest != digest and len(agreed) == 2 * partners:
        return f"I4: expected the model {digest[:8]}, found {run.digest}"
    if wanted == "ends" and run.digest is None and len(agreed) == 2 * partners:
        return "I9: the rounds do not end"
    late = [e["summary"] for e in run.records if e["kind"] == "update.accepted" and e["at_ms"] > min(agreed) + 30 * DAY * 1000]
    return f"I8: behind the agreements' end: {late}" if late else None


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def faults(o):
    """(name, start, judge) of each run."""
    good = undisturbed(o.partners, **o.federation)
    for fault in FAULTS[o.campaign]:
        calls = [subject for subject, line in zip(subjects(good.trace), good.trace) if can_happen(fault, line)]
        # Calls that fail by themselves are in no trace: so the library counts those that match, too.
        matching = sum(re.search(o.touching, f"{fault} {subject}") is not None for subject in calls)
        chosen = range(1, matching + 1)[hash_of(fault, o.every)::o.every]
        aim = {"ENTENTE_FAULT_TIMES": str(o.times), **({"ENTENTE_FAULT_TOUCHING": o.touching} if o.touching else {})}
        print(f"{o.campaign}: {fault}: {len(calls)} calls, {len(chosen)} runs", flush=True)
        for at in chosen:
            yield f"{fault}:{at}", lambda f=fault, n=at: Run(o.partners, do=f, at=n, keep=o.keep, **o.federation, **aim), lambda run, f=fault: judge_fault(run, f, good.digest)


def upgrades(o):
    taken = TakenOver(o.partners)
    for way, trace in (("down", taken.down), ("up", taken.up)):
        for fault in FAULTS[o.campaign]:
            count = sum(can_happen(fault, line) for line in trace)
            chosen = range(1 + hash_of(fault, o.every), count + 1, o.every)
            print(f"{o.campaign}: {way}, {fault}: {count} calls, {len(chosen)} runs", flush=True)
            for at in chosen:
                yield f"{way}:{fault}:{at}", lambda w=way, f=fault, n=at: taken.run(w, f, n, o.keep), lambda run, f=fault: judge_fault(run, f, taken.digest)


def hash_of(name, modulus):
    """Another share of the calls for each fault."""
    return sum(name.encode()) % modulus


def jumps(o):
    good = undisturbed(o.partners, **o.federation)
    count = sum(can_happen("jump", line) for line in good.trace)
    # Connectors do not believe each other's tokens with clocks more than a minute apart.
    print(f"{o.campaign}: {count} calls, {len(JUMPS)} jumps", flush=True)
    for name, (seconds, wanted) in JUMPS.items():
        for at in range(1 + hash_of(name, o.every), count + 1, o.every):
            yield (f"{name}:{at}", lambda s=seconds, n=at: Run(o.partners, do="jump", at=n, keep=o.keep, may_stop=True, **o.federation, ENTENTE_FAULT_JUMP_S=str(s)),
                   lambda run, w="true" if o.connector else wanted: judge_jump(run, w, o.partners, good.digest))


def cuts(o):
    if o.of == "partner":
        good = undisturbed(o.partners, **o.federation, ENTENTE_FAULT_BYTES="1")
        count = sum(can_happen("kill", line) for line in good.trace)
        print(f"{o.campaign}: {count} calls, {o.seeds} cuts", flush=True)
        for seed in range(o.start, o.start + o.seeds):
            yield f"{seed}", lambda s=seed: cut_partner(s, count, o.partners, o.federation, o.keep), lambda run: judge_fault(run, "power", good.digest)
        return
    recorded = Recorded(o.partners)
    print(f"{o.campaign}: {len(recorded.trace)} calls and answers, {o.seeds} cuts", flush=True)
    for seed in range(o.start, o.start + o.seeds):
        yield f"{seed}", lambda s=seed: recorded.cut(s, o.keep), lambda run: judge_fault(run, "power", recorded.digest)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("campaign", choices=["kills", "io", "power", "upgrade", "clock"])
    parser.add_argument("--partners", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--from", type=int, default=1, dest="start")
    parser.add_argument("--of", choices=["coordinator", "partner"], default="coordinator")
    parser.add_argument("--connector", choices=["dsp"])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--touching", default="")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--run")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--keep")
    o = parser.parse_args()
    if o.of == "partner" and o.campaign == "upgrade":
        parser.error("upgrade: the coordinator's alone")
    if o.times > 1 and o.campaign != "io":
        parser.error(f"{o.campaign}: happens once")
    if o.slice:
        o.partners, o.every, o.seeds = 2, {"clock": 20 if o.of == "partner" else 100}.get(o.campaign, 5 if o.of == "partner" else 25), 40
    o.federation = {"joining": ("--connector", o.connector, "--listen", "127.0.0.1:0")} if o.connector else {}
    if o.of == "partner":
        o.federation |= {"victim": "plant-1", "plan": PLAN if o.connector else KEEPING}
    runs = {"kills": faults, "io": faults, "power": cuts, "upgrade": upgrades, "clock": jumps}[o.campaign](o)
    violations = happened = deaths = count = 0
    again_s = []
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        going = {pool.submit(start): (name, judge) for name, start, judge in runs if o.run in (None, name)}
        for done in concurrent.futures.as_completed(going):
            (name, judge), run = going[done], done.result()
            count, happened, deaths = count + 1, happened + bool(run.hit), deaths + run.died
            again_s += run.again_s
            if told := judge(run):
                violations += 1
                print(f"{name} ({run.hit}) {told}", flush=True)
                if o.first:
                    pool.shutdown(cancel_futures=True)
                    break
    took = f"; listening again after p50 {1000 * percentile(again_s, 0.5):.0f} ms, p99 {1000 * percentile(again_s, 0.99):.0f} ms" if again_s else ""
    tap = ("not ok - " if violations else "ok - ") if o.tap else ""
    of = f" of a partner{' with a connector' if o.connector else ''}" if o.of == "partner" else ""
    print(f"{tap}{o.campaign}{of}: {count} runs, {happened} met their call, {deaths} ends, {violations} violations{took}", flush=True)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
