"""The connector's own figures: how long the protocol takes, what it holds in memory, and two EDCs beside it where there is
Java (script/interop --install)."""
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request

from figures import resident, root

sys.path.insert(0, str(root / "tests/e2e"))

ONE_MB = os.urandom(1_000_000)
LARGE_MB = 500


def say(what, found, unit, bound=None, above=False):
    met = bound is not None and (found >= bound if above else found < bound)
    verdict = "" if bound is None else f"   asked: {'at least' if above else 'under'} {bound:g} {unit}   {'met' if met else 'SHORT'}"
    print(f"{what:58} {found:9.1f} {unit}{verdict}", flush=True)


def wait(condition):
    while not condition():
        time.sleep(0.001)


def catalogue(pair):
    body = json.dumps({"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}).encode()
    address = f"http://localhost:{pair.provider.port}/dsp/2025-1"
    token = json.dumps({"region": "eu", "audience": address, "clientId": "plant-b"})
    request = urllib.request.Request(address + "/catalog/request", body, {"Authorization": token, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["dataset"]


def state_of(company, kind, pid):
    return next(p for p in company.processes(kind) if p["pid"] == pid)


def one_exchange(pair):
    """Catalogue, negotiation, transfer of 1 MB: milliseconds of each."""
    marks = [time.monotonic()]
    assert catalogue(pair)
    marks.append(time.monotonic())
    n = pair.consumer.begin("negotiations", peer="plant-a", dataset="model")
    wait(lambda: state_of(pair.consumer, "negotiation", n)["state"] == "FINALIZED")
    marks.append(time.monotonic())
    agreement = state_of(pair.consumer, "negotiation", n)["agreement"]
    t = pair.consumer.begin("transfers", peer="plant-a", agreement=agreement, format="HttpData-PULL")
    wait(lambda: state_of(pair.consumer, "transfer", t)["state"] == "COMPLETED")
    marks.append(time.monotonic())
    return [(b - a) * 1000 for a, b in zip(marks, marks[1:])]


def plainly(file, copy):
    done = subprocess.run([root / "build/native/tests/plain_file", file, copy], capture_output=True, text=True, check=True)
    copy.unlink()
    return float(done.stdout)


def edc():
    """What two EDCs take, by name; empty without Java or their jars."""
    done = subprocess.run([root / "script/interop", "edc-figures"], capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["what"]: line for line in lines}


def dataspace(entente, mnist):
    from dataspace import Pair
    with Pair(ONE_MB) as pair:
        pair.provider.start()
        pair.consumer.start()
        time.sleep(0.5)
        idle = resident(pair.provider.child.pid, "VmRSS") / 1e6
        one_exchange(pair)
        parts = [one_exchange(pair) for _ in range(10)]
        median = [statistics.median(p) for p in zip(*parts)]
        whole = statistics.median(sum(p) for p in parts)
        for name, value in zip(("catalogue", "negotiation", "transfer of 1 MB"), median):
            say(f"{name}, ours to ours, median of 10", value, "ms")
        say("all three", whole, "ms", 30)
        say("resident when idle", idle, "MB", 40)
    with Pair(ONE_MB, "--open", "1000") as pair:
        pair.provider.start()
        pair.consumer.start()
        begun = time.monotonic()
        for _ in range(1000):
            pair.consumer.begin("negotiations", peer="plant-a", dataset="model")
        wait(lambda: sum(p["state"] == "FINALIZED" for p in pair.provider.processes("negotiation")) == 1000)
        say("1,000 negotiations, begun at once, all in agreement", time.monotonic() - begun, "s")
        for company in (pair.provider, pair.consumer):
            say(f"resident with 1,000 agreements, {company.name}", resident(company.child.pid, "VmRSS") / 1e6, "MB", 80)
    with Pair(ONE_MB, "--copies", "10000") as pair:
        pair.provider.start()
        pair.consumer.start()
        catalogue(pair)
        times = []
        for _ in range(10):
            begun = time.monotonic()
            assert len(catalogue(pair)) == 100
            times.append((time.monotonic() - begun) * 1000)
        say("catalogue of 10,000 data sets, its first page", statistics.median(times), "ms", 50)
    large = pair.folder.parent / f"entente-bench-{os.getpid()}"
    try:
        with open(large, "wb") as file:
            for _ in range(LARGE_MB):
                file.write(ONE_MB)
        with Pair(large) as pair:
            pair.provider.start()
            pair.consumer.start()
            started = [resident(c.child.pid, "VmHWM") for c in (pair.provider, pair.consumer)]
            seconds = sum(one_exchange(pair)) / 1000
            say(f"transfer of {LARGE_MB} MB, digest checked, stored", LARGE_MB / seconds, "MB/s")
            plain = min(plainly(large, pair.folder / "copy") for _ in range(3))
            say("Beast serving the same file to Beast, nothing checked", LARGE_MB / plain, "MB/s")
            say("ours as a share of it", plain / seconds, "", 0.6, above=True)
            for company, before in zip((pair.provider, pair.consumer), started):
                say(f"most that {company.name} held meanwhile, {before / 1e6:.0f} MB before it", resident(company.child.pid, "VmHWM") / 1e6, "MB", 64)
    finally:
        large.unlink(missing_ok=True)
    theirs = edc()
    if not theirs:
        print("not measured: two EDCs (Java 17 and Maven: script/bootstrap --interop)")
        return
    for name, value in zip(("catalogue", "negotiation", "transfer", "all"), [*median, whole]):
        print(f"{name + ', EDC to EDC, median of 10':58} {theirs[name]['median']:9.1f} ms   ours {theirs[name]['median'] / value:.0f} times sooner")
    print(f"{'resident when idle, EDC':58} {theirs['resident when idle']['value']:9.1f} MB   ours {theirs['resident when idle']['value'] / idle:.0f} times smaller")
