"""A connector of the Dataspace Protocol that is killed at every step of a negotiation and a transfer, on either side: after
its restart everything comes to its end, once."""
import concurrent.futures
import hashlib
import unittest

from dataspace import Gone, Pair

CONTENT = bytes(range(256)) * 800
POINTS = ("dsp-before-store", "dsp-stored", "dsp-answered", "dsp-taken")


def begin_once(pair, what, kind, **members):
    """Asks the consumer to begin a process, again only when a kill came before it was stored."""
    killed = False
    for _ in range(3):
        try:
            pair.consumer.begin(what, peer="plant-a", **members)
            return killed
        except Gone:
            begun = []
            killed = pair.until(lambda: begun.append(pair.consumer.processes(kind)) is None) or killed
            if begun[-1]:
                return killed
    raise AssertionError("the consumer could not begin")


def run(side, point):
    """A negotiation and a transfer, with one kill. Whether the kill came about."""
    with Pair(CONTENT) as pair:
        for name, company in (("provider", pair.provider), ("consumer", pair.consumer)):
            company.start(point if name == side else "")
        killed = begin_once(pair, "negotiations", "negotiation", dataset="model")

        # Whoever is asked may have been killed the moment before: what is looked at is what one whole answer says.
        seen = {}

        def all_in(state, kind):
            seen[kind] = [company.processes(kind) for company in (pair.provider, pair.consumer)]
            return all([(p["state"], p["waiting"]) for p in processes] == [(state, 0)] for processes in seen[kind])
        killed = pair.until(lambda: all_in("FINALIZED", "negotiation")) or killed
        agreement = seen["negotiation"][0][0]["agreement"]
        killed = begin_once(pair, "transfers", "transfer", agreement=agreement, format="HttpData-PULL") or killed
        killed = pair.until(lambda: all_in("COMPLETED", "transfer") and all_in("FINALIZED", "negotiation")) or killed

        # Each message has counted once: request, agreement, verification, finalization; request, start, completion.
        assert [(p["agreement"], p["passages"]) for p, in seen["negotiation"]] == [(agreement, 4)] * 2, seen
        assert [p["passages"] for p, in seen["transfer"]] == [3, 3], seen
        blob = pair.folder / "b/blobs" / hashlib.sha256(CONTENT).hexdigest()
        assert blob.read_bytes() == CONTENT
        return killed


class Faults(unittest.TestCase):
    def check(self, side, point):
        """Kills at the first passage of the point, the second, and so on, until there is none."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for first in range(1, 40, 4):
                killed = list(pool.map(lambda n: run(side, f"{point}:{n}"), range(first, first + 4)))
                if not all(killed):
                    self.assertGreater(first + sum(killed), 3, "expected the point to be passed several times")
                    return
        self.fail("expected an end of the passages")


def test_of(side, point):
    return lambda self: self.check(side, point)


for _side in ("provider", "consumer"):
    for _point in POINTS:
        setattr(Faults, f"test_{_side}_killed_at_{_point}".replace("-", "_"), test_of(_side, _point))

if __name__ == "__main__":
    unittest.main()
