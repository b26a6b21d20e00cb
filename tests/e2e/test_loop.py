"""Federations over the Dataspace Protocol: the coordinator and each partner have connectors of their own."""
import json, re, shutil, signal, subprocess, time, unittest

from envelope import token
from harness import ENTENTE, Small, free_ports, undisturbed_digest
from proxy import Proxy
from test_updates import CLOCK

OWN = ("--connector", "dsp")
PURPOSE = b"urn:fl:federation:e2e"


class Loop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest()

    def ended_well(self, f, rounds=3, partners=2):
        f.wait_partners()
        status = f.status()
        self.assertEqual((status["phase"], status["completed"]), ("finished", rounds), f.log())
        accepted = [e for e in f.ledger() if e["kind"] == "update.accepted"]
        self.assertEqual(len(accepted), rounds * partners, "each update counted exactly once")

    def test_three_connectors_come_to_the_model_of_the_hub(self):
        with Small(rounds=3) as f:
            f.start_server()
            f.start_partner(1, *OWN)
            f.start_partner(2, *OWN)
            self.ended_well(f)
            self.assertEqual(f.status()["model_digest"], self.digest)
            for i in (1, 2):
                self.assertEqual(f.result(f"plant-{i}")["model_digest"], self.digest)
            seen = f.get("/api/v1/connector")
            self.assertEqual(sorted(p["participant"] for p in seen["peers"]), ["plant-1", "plant-2"])
            self.assertEqual([(d["dataset"], d["provider"], d["round"]) for d in seen["catalogue"]],
                             [("urn:fl:e2e:global", "coordinator", 4), ("urn:fl:e2e:plant-1:updates", "plant-1", 3), ("urn:fl:e2e:plant-2:updates", "plant-2", 3)])
            self.assertIn("It may be used only for the federation e2e.", [t["sentence"] for t in seen["catalogue"][1]["terms"]])
            negotiations = seen["processes"]["negotiations"]
            self.assertEqual(sorted((n["peer"], n["role"], n["state"]) for n in negotiations),
                             sorted((f"plant-{i}", role, "FINALIZED") for i in (1, 2) for role in ("consumer", "provider")))
            messages = [h["message"] for h in negotiations[0]["history"]]
            self.assertEqual(messages, ["ContractRequestMessage", "ContractAgreementMessage", "ContractAgreementVerificationMessage",
                                        "ContractNegotiationEventMessage"])
            transfers = seen["processes"]["transfers"]
            pulled = [t for t in transfers if t["role"] == "consumer"]
            self.assertEqual((len(pulled), {t["state"] for t in pulled}), (6, {"COMPLETED"}))
            kinds = [e["kind"] for e in f.ledger()]
            self.assertEqual(kinds.count("agreement.concluded"), 4, "negotiated once for each partner and direction")

    def test_one_partner_with_a_connector_and_one_without(self):
        with Small(rounds=3) as f:
            f.start_server()
            f.start_partner(1, *OWN)
            f.start_partner(2)
            self.ended_well(f)
            self.assertEqual(f.status()["model_digest"], self.digest)

    def test_coordinator_killed_at_its_worst_moments(self):
        for point in ("uploaded:3", "accepted:3", "closed:2", "published:3"):
            with self.subTest(point=point), Small(rounds=3) as f:
                f.start_server(ENTENTE_CRASH_AT=point)
                f.start_partner(1, *OWN)
                f.start_partner(2, *OWN)
                self.assertEqual(f.server.wait(60), -signal.SIGKILL, f.log())
                f.start_server()
                self.ended_well(f)
                self.assertEqual(f.status()["model_digest"], self.digest)

    def test_partner_killed_and_started_again(self):
        """It comes back on another port: its connector is registered anew."""
        with Small(rounds=3, rows=3000) as f:
            f.start_server()
            f.start_partner(1, *OWN)
            victim = f.start_partner(2, *OWN)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            victim.kill()
            victim.wait()
            time.sleep(0.3)
            f.start_partner(2, *OWN)
            self.ended_well(f)


class Altered(unittest.TestCase):
    """Terms that somebody changes on the way are agreed to by nobody."""

    def behind(self, f, meddle, wanted):
        port = free_ports(1)[0]
        with Proxy(f"http://127.0.0.1:{port}", meddle) as proxy:
            f.start_server()
            f.start_partner(1, *OWN)
            f.start_partner(2, *OWN, "--listen", f"127.0.0.1:{port}", "--public-url", proxy.url)
            f.wait_for(wanted, "the coordinator has seen it")
            f.wait_for(lambda: "  Coordinator" in f.log("plant-2"), "the partner reads why")
        self.assertEqual((f.status()["phase"], f.status()["completed"]), ("waiting", 0))

    def updates_of_plant_2(self, f):
        return [n for n in f.get("/api/v1/connector")["processes"]["negotiations"] if (n["peer"], n["role"]) == ("plant-2", "consumer")]

    def test_in_the_catalogue(self):
        def looser(exchange):
            if exchange.path.startswith("/dsp/2025-1/catalog/"):
                status, body, kind = exchange.forward()
                return status, body.replace(b'"rightOperand":"100"', b'"rightOperand":"999"'), kind

        def unknown(exchange):
            if exchange.path.startswith("/dsp/2025-1/catalog/"):
                status, body, kind = exchange.forward()
                more = b'"constraint":[{"leftOperand":"https://example.org/weather","operator":"eq","rightOperand":"fair"},'
                return status, body.replace(b'"constraint":[', more, 1), kind

        def other_purpose(exchange):
            if exchange.path.startswith("/dsp/2025-1/catalog/"):
                status, body, kind = exchange.forward()
                self.assertIn(PURPOSE, body)
                return status, body.replace(PURPOSE, b"urn:fl:federation:resale"), kind

        for meddle in (looser, unknown, other_purpose):
            with self.subTest(meddle.__name__), Small() as f:
                self.behind(f, meddle, lambda: "dataset.other-terms" in f.log())
                self.assertEqual(self.updates_of_plant_2(f), [], "nothing was negotiated")
                self.assertIn("(code dataset.other-terms)", f.log("plant-2"))

    def test_in_the_coordinators_catalogue(self):
        """The offer of the global model reaches the partners with another purpose: none takes it, and the operator reads so."""
        def other_purpose(exchange):
            if exchange.path.startswith("/dsp/2025-1/catalog/"):
                status, body, kind = exchange.forward()
                self.assertIn(PURPOSE, body)
                return status, body.replace(PURPOSE, b"urn:fl:federation:resale"), kind

        port = free_ports(1)[0]
        with Small() as f, Proxy(f"http://127.0.0.1:{port}", other_purpose) as proxy:
            f.start_server("--public-url", proxy.url, listen=f"127.0.0.1:{port}")
            for i in (1, 2):
                f.start_partner(i, *OWN)
            f.wait_for(lambda: all("dataset.other-terms" in f.log(f"plant-{i}") for i in (1, 2)), "both partners say why")
            f.wait_for(lambda: all("dataset.other-terms" in p.get("problem", "") for p in f.get("/api/v1/connector")["peers"]), "the operator reads it")
            self.assertEqual([n for n in f.get("/api/v1/connector")["processes"]["negotiations"] if n["role"] == "provider"], [])

    def test_in_the_request(self):
        def looser(exchange):
            if exchange.path == "/dsp/2025-1/negotiations/request":
                altered = exchange.body().replace(b'"rightOperand":"100"', b'"rightOperand":"999"')
                self.assertNotEqual(altered, exchange.body())
                exchange._body = altered
                del exchange.headers["Content-Length"]
                return exchange.forward()

        with Small() as f:
            self.behind(f, looser, lambda: any(n["state"] == "TERMINATED" for n in self.updates_of_plant_2(f)))
            self.assertEqual({n["code"] for n in self.updates_of_plant_2(f)}, {"agreement.mismatch"})


class Endings(unittest.TestCase):
    """Each ends as the contract says, and both sides can read why."""

    def told(self, f, i, *words, code=4):
        self.assertEqual(f.partners[f"plant-{i}"].wait(60), code, f.log(f"plant-{i}") + f.log())
        for word in words:
            self.assertIn(word, f.log(f"plant-{i}"))
        self.assertEqual(f.ask("GET", "/healthz")[0], 200)

    def test_exhausted(self):
        with Small(rounds=1, rows=20000, plan="[policy]\nmax_rounds = 1", round_keys="deadline_s = 3") as f:
            f.start_server()
            f.start_partner(1, *OWN)
            other = f.start_partner(2, *OWN)
            f.wait_for(lambda: f.status()["phase"] == "collecting", "round 1")
            other.kill()
            other.wait()
            f.wait_for(lambda: f.status()["round"] == 2, "round 1 is abandoned, and the agreements with it")
            self.told(f, 1, "maxRounds", "policy.denied")

    @unittest.skipUnless(shutil.which("cc"), "no C compiler: the clock cannot be put forward")
    def test_expired_while_it_runs(self):
        with Small(rounds=100) as f:
            (f.folder / "clock.c").write_text(CLOCK)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", f.folder / "clock.so", f.folder / "clock.c", "-ldl"], check=True)
            later = {"LD_PRELOAD": str(f.folder / "clock.so"), "AHEAD_S": str(31 * 86400)}
            f.start_server()
            for i in (1, 2):
                f.start_partner(i, *OWN)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            for i in (1, 2):
                f.partners[f"plant-{i}"].kill()
                f.partners[f"plant-{i}"].wait()
            f.stop_server()
            f.start_server("--token-life-s", 10**8, **later)
            for i in (1, 2):
                f.start_partner(i, *OWN, **later)
                self.told(f, i, "inForceDate", "policy.denied")
            self.assertLess(f.status()["completed"], 100)

    def test_too_few(self):
        with Small(rounds=2, rows=20000, round_keys="deadline_s = 3") as f:
            f.start_server()
            f.start_partner(1, *OWN)
            other = f.start_partner(2, *OWN)
            f.wait_for(lambda: f.status()["phase"] == "collecting", "round 1")
            other.kill()
            other.wait()
            f.wait_for(lambda: any(e["kind"] == "round.abandoned" for e in f.ledger()), "round 1 is abandoned")
            abandoned = next(e for e in f.ledger() if e["kind"] == "round.abandoned")
            self.assertIn("1 of at least 2", abandoned["summary"])
            f.wait_for(lambda: "fewer than 2 updates" in f.log("plant-1"), "the other one reads it")
            self.assertEqual(f.status()["completed"], 0)
            f.start_partner(2, *OWN)

    def test_one_that_leaves(self):
        with Small(rounds=4, partners=3) as f:
            f.plan.write_text(f.plan.read_text().replace("min_cohort = 3", "min_cohort = 2").replace("presence_s = 30", "presence_s = 3"))
            f.start_server()
            for i in (1, 2, 3):
                f.start_partner(i, *OWN)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            f.partners["plant-3"].send_signal(signal.SIGINT)
            self.assertEqual(f.partners["plant-3"].wait(60), 0, f.log("plant-3"))
            for i in (1, 2):
                self.assertEqual(f.partners[f"plant-{i}"].wait(60), 0, f.log(f"plant-{i}"))
            self.assertEqual(f.status()["completed"], 4)

    def test_under_anothers_agreement(self):
        """A partner that names another's agreement, or another's name, gets neither model nor a hint."""
        with Small(rounds=100) as f:
            f.start_server()
            for i in (1, 2):
                f.start_partner(i, *OWN)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            seen = f.get("/api/v1/connector")
            base, callback = seen["address"], next(p["address"] for p in seen["peers"] if p["participant"] == "plant-2")
            theirs, own = (next(t["agreement"] for t in seen["processes"]["transfers"] if (t["peer"], t["role"]) == (peer, "provider"))
                           for peer in ("plant-1", "plant-2"))
            seed = bytes.fromhex((f.folder / "plant-2/partner.key").read_text().strip())

            def ask(agreement, participant="plant-2"):
                body = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "TransferRequestMessage", "consumerPid": "urn:uuid:mine",
                        "agreementId": agreement, "format": "HttpData-PULL", "callbackAddress": callback}
                status, answer = f.ask("POST", "/dsp/2025-1/transfers/request", json.dumps(body).encode(), token(seed, participant, base))
                return status, json.loads(answer)
            self.assertEqual(ask(own, "plant-1")[0], 401)
            answers = [ask(theirs), ask("urn:uuid:none")]
            self.assertEqual([(status, answer["@type"]) for status, answer in answers], [(404, "TransferError")] * 2, answers)
            self.assertEqual(*({k: v for k, v in answer.items() if k != "reason"} for _, answer in answers), "whose it is stays hidden")
            transfers = f.get("/api/v1/connector")["processes"]["transfers"]
            self.assertEqual([t for t in transfers if t["agreement"] == theirs and t["peer"] != "plant-1"], [])

    def test_removed_by_the_operator(self):
        with Small(rounds=100) as f:
            f.start_server()
            for i in (1, 2):
                f.start_partner(i, *OWN)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            self.assertEqual(f.ask("DELETE", "/api/v1/participants/plant-2")[0], 204)
            self.assertNotEqual(f.partners["plant-2"].wait(60), 0)
            self.assertEqual([p["participant"] for p in f.get("/api/v1/connector")["peers"]], ["plant-1"])
            self.assertEqual(f.ask("GET", "/healthz")[0], 200)

    def test_a_stranger_gets_nothing(self):
        with Small(rounds=2) as f:
            f.start_server()
            for i in (1, 2):
                f.start_partner(i, *OWN)
            f.wait_partners()
            body = json.dumps({"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}).encode()
            for token in (None, "abc", "eyJhbGciOiJub25lIn0.e30."):
                status, answer = f.ask("POST", "/dsp/2025-1/catalog/request", body, token)
                self.assertEqual((status, json.loads(answer)["@type"]), (401, "CatalogError"))
            seen = subprocess.run([ENTENTE, "doctor", "connector", f.url, "--json"], capture_output=True, text=True, timeout=60)
            self.assertEqual((seen.returncode, [s["step"] for s in json.loads(seen.stdout)["steps"] if s["good"]]),
                             (0, ["address", "reachable", "version", "clock", "protocol"]), seen.stdout)
            nobody = subprocess.run([ENTENTE, "doctor", "connector", "http://127.0.0.1:9"], capture_output=True, text=True, timeout=60)
            self.assertEqual(nobody.returncode, 5, nobody.stdout)
            self.assertIn("check name, port, firewall", nobody.stdout)
            did = json.loads(f.ask("GET", "/.well-known/did.json", token=None)[1])
            self.assertEqual(did["id"], f"did:web:127.0.0.1%3A{f.port}")
            version = json.loads(f.ask("GET", "/.well-known/dspace-version", token=None)[1])
            self.assertEqual(version["protocolVersions"][0]["version"], "2025-1")
            for pid in [n["pid"] for n in f.get("/api/v1/connector")["processes"]["negotiations"]] + ["urn:uuid:none"]:
                self.assertEqual(f.ask("GET", f"/dsp/2025-1/negotiations/{pid}", token=None)[0], 401)
            for transfer in f.get("/api/v1/connector")["processes"]["transfers"]:
                self.assertIn(f.ask("GET", f"/dsp/data/{transfer['pid']}", token="guess")[0], (401, 403, 404))
            self.assertEqual(f.ask("GET", "/api/v1/connector", token=f.enter("plant-9")[0])[0], 403)


class Doctor(unittest.TestCase):
    def test_a_partner_asks_whether_its_connector_is_reached(self):
        with Small() as f:
            f.start_server()
            path = f.folder / "partner.toml"
            path.write_text(f'url = "{f.url}"\nstate = "plant-1"\n')

            def callback():
                seen = subprocess.run([ENTENTE, "doctor", "connector", path, "--json"], capture_output=True, text=True, timeout=60)
                step = json.loads(seen.stdout)["steps"][-1]
                self.assertEqual((step["step"], seen.returncode == 0), ("callback", step["good"]), seen.stdout)
                return step

            self.assertIn("file", callback()["found"], "it has not joined")
            partner = f.start_partner(1, *OWN)
            reached = re.compile(r"has reached http://127\.0\.0\.1:\d+/dsp/2025-1 \d+ ms ago$")
            f.wait_for(lambda: reached.search(callback()["found"]), "the coordinator reaches it")
            partner.kill()
            partner.wait()
            f.wait_for(lambda: "Connection refused" in callback()["found"], "the coordinator does not reach it any more")


if __name__ == "__main__":
    unittest.main()
