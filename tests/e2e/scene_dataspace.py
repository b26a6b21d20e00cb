"""Three companies on three hosts, each with a connector of its own, over TLS: the loop of the document.

Begins in a network namespace of its own, which is the coordinator's host, and prints facts as one JSON object;
test_scene_dataspace.py judges them. The partners cannot reach each other, only the coordinator, and it them.
"""
import contextlib
import json
import pathlib
import sys
import tempfile

from harness import ENTENTE, Federation
from scene import ClientHost, certificate, data, sh

NETWORK, PORT = "10.77.0.0/16", 8443


def run(rounds, folder):
    facts = {"data": data(folder / "shares")}
    plan = folder / "plan.toml"
    plan.write_text(f'[federation]\nid = "scene"\n[round]\nrounds = {rounds}\nmin_cohort = 2\npresence_s = 60\n')
    server = "10.77.1.1"
    certificates = {name: certificate(folder, name, address)
                    for name, address in (("coordinator", server), ("plant-1", "10.77.1.2"), ("plant-2", "10.77.2.2"))}
    trusted = folder / "ca.pem"
    trusted.write_text("".join(pem.read_text() for pem, _ in certificates.values()))
    with contextlib.ExitStack() as stack:
        hosts = {n: stack.enter_context(ClientHost(f"here{n}", f"there{n}", f"10.77.{n}.1", f"10.77.{n}.2")) for n in (1, 2)}
        f = stack.enter_context(Federation(ENTENTE, folder))
        f.ca = trusted
        pem, key = certificates["coordinator"]
        # The second partner's way leads over the coordinator's other interface, to the same address.
        sh(*hosts[2].prefix, "ip", "route", "add", server, "via", "10.77.2.1")
        f.serve(plan, "--tls-cert", pem, "--tls-key", key, "--ca", trusted, "--network", NETWORK, listen=f"{server}:{PORT}")
        for n in (1, 2):
            pem, key = certificates[f"plant-{n}"]
            f.join(f"plant-{n}", folder / f"shares/partner-{n}", "--connector", "dsp", "--listen", f"10.77.{n}.2:8444", "--tls-cert", pem,
                   "--tls-key", key, "--network", NETWORK, prefix=hosts[n].prefix)
        f.wait_partners(300)
        status = f.status()
        connector = f.get("/api/v1/connector")
        facts |= {
            "completed": status["completed"], "digest": status["model_digest"],
            "partners": [f.result(f"plant-{n}") for n in (1, 2)],
            "peers": connector["peers"],
            "negotiations": [(n["peer"], n["role"], n["state"]) for n in connector["processes"]["negotiations"]],
            "transfers": [(t["role"], t["state"]) for t in connector["processes"]["transfers"]],
        }
    return facts


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="entente-scene-") as name:
        print(json.dumps(run(int(sys.argv[1]), pathlib.Path(name))))
