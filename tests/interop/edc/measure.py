#!/usr/bin/env python3
"""EDC to EDC on this machine, as JSON lines: what a connector of ours is compared with. Nothing here is asserted.

    script/interop edc-figures          {"what": "negotiation", "unit": "ms", "first": 1900, "median": 480, "of": 10}
"""
import json
import os
import statistics
import time

from connector import Edc, ask, member
from source import Source, content

SIZE = 1_000_000


def timed(call):
    begun = time.monotonic()
    result = call()
    return result, (time.monotonic() - begun) * 1000


def measure(jars, repetitions=10):
    """Yields dicts: start and memory of one EDC; catalogue, negotiation, transfer and all of it, the first time and the
    median of those after it."""
    source = Source(model=content(SIZE))
    edcs = []
    try:
        for name in ("provider", "consumer"):
            edcs.append(Edc(name, jars).wait_ready())
            yield {"what": f"start of the {name}", "unit": "ms", "value": round(edcs[-1].start_s * 1000)}
        provider, consumer = edcs
        yield {"what": "resident when idle", "unit": "MB", "value": round(provider.resident_mb())}
        provider.offer("model", source.url + "/model", {"permission": [{"action": "use"}]})
        peer = ("provider", provider.dsp)
        times = {"catalogue": [], "negotiation": [], "transfer": [], "all": []}
        for _ in range(repetitions + 1):
            _, catalogue = timed(lambda: consumer.catalogue(*peer))
            agreed, with_catalogue = timed(lambda: consumer.negotiate(*peer, "model"))

            def transfer(agreement=member(agreed, "contractAgreementId")):
                identifier = consumer.transfer(*peer, agreement, "HttpData-PULL")
                consumer.until("transferprocesses", identifier, ("STARTED",))
                endpoint, token = consumer.address(identifier)
                status, body = ask("GET", endpoint, headers={"Authorization": token})
                assert status == 200 and len(body) == SIZE, status
            _, moved = timed(transfer)
            for name, value in (("catalogue", catalogue), ("negotiation", with_catalogue - catalogue), ("transfer", moved),
                                ("all", with_catalogue + moved)):
                times[name].append(value)
        for name, values in times.items():
            yield {"what": name, "unit": "ms", "first": round(values[0]), "median": round(statistics.median(values[1:])), "of": repetitions}
        yield {"what": "resident after it", "unit": "MB", "value": round(provider.resident_mb())}
    finally:
        for edc in edcs:
            edc.stop()
        source.stop()


if __name__ == "__main__":
    for line in measure(os.environ["ENTENTE_EDC_JARS"]):
        print(json.dumps(line), flush=True)
