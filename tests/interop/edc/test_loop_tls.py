"""The same federation over TLS everywhere: coordinator, both partners' connectors, and an EDC behind its company's proxy."""
import os
import pathlib
import subprocess
import sys
import unittest

from connector import TRUST_PASSWORD, Edc, free_ports

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from harness import Small, undisturbed_digest  # noqa: E402

JARS = os.environ["ENTENTE_EDC_JARS"]
ROUNDS = 3


def run(*words):
    subprocess.run(list(map(str, words)), check=True, capture_output=True)


def certificate(folder, name):
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", pem,
        "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    return pem, key


class LoopOverTls(unittest.TestCase):
    def test_a_partner_behind_an_edc_trains_over_tls(self):
        digest = undisturbed_digest(rounds=ROUNDS)
        with Small(rounds=ROUNDS, federation="e2e-edc-tls") as f:
            certificates = {name: certificate(f.folder, name) for name in ("coordinator", "plant-1", "plant-2", "proxy")}
            f.ca = f.folder / "ca.pem"
            f.ca.write_text("".join(pem.read_text() for pem, _ in certificates.values()))
            java_trusts = f.folder / "trust.p12"
            run("keytool", "-importcert", "-noprompt", "-alias", "coordinator", "-file", certificates["coordinator"][0], "-keystore", java_trusts,
                "-storetype", "PKCS12", "-storepass", TRUST_PASSWORD)
            with Edc("BPNL000000000003", JARS, data_plane=False, tls=(*certificates["proxy"], java_trusts)) as edc:
                here, mine = ("--network", "127.0.0.0/8"), {}
                for i in (1, 2):
                    pem, key = certificates[f"plant-{i}"]
                    mine[i] = ("--listen", f"127.0.0.1:{free_ports(1)[0]}", "--tls-cert", pem, "--tls-key", key, *here)
                pem, key = certificates["coordinator"]
                f.start_server("--insecure-mock-identity", "--tls-cert", pem, "--tls-key", key, "--ca", f.ca, *here)
                self.assertTrue(f.url.startswith("https://"), f.url)
                f.start_partner(1, "--connector", "dsp", *mine[1])
                (f.folder / "edc.key").write_text(edc.key + "\n")
                path = f.folder / "partner.toml"
                path.write_text(f'connector = "edc"\n[edc]\nkey_file = "edc.key"\nmanagement = "{edc.management}"\ncontrol = "{edc.control}"\n'
                                f'protocol = "{edc.dsp}"\nparticipant = "{edc.name}"\n')
                f.start_partner(2, path, *mine[2])
                f.wait_partners(200)
                self.assertEqual((f.status()["completed"], f.status()["model_digest"]), (ROUNDS, digest), f.log())
                self.assertGreater(edc.front.accepted, 0, "the protocol came over TLS")
                addresses = {p["participant"]: p["address"] for p in f.get("/api/v1/connector")["peers"]}
                self.assertEqual([a.split(":")[0] for a in addresses.values()], ["https"] * 2, addresses)


if __name__ == "__main__":
    unittest.main()
