"""The server with everything going on at once: rounds, concurrent uploads, WebSockets that come and go, and all that is asked beside.
With ENTENTE_BINARY it runs over a binary that watches itself, such as that of the ThreadSanitizer build (preset native-tsan)."""
import json, threading, time, unittest

from harness import Small
from test_live import WebSocket

PARTNERS = 4


class Load(unittest.TestCase):
    def test_rounds_uploads_and_listeners_at_once(self):
        with Small(rounds=3, partners=PARTNERS, rows=100, plan="[contract]\nmax_rounds = 100", round_keys="deadline_s = 600") as f:
            f.plan.write_text(f.plan.read_text().replace(f"min_cohort = {PARTNERS}", "min_cohort = 2").replace("presence_s = 30", "presence_s = 300"))
            f.start_server()
            auditor, _ = f.enter("works-council", "auditor")
            bystander, _ = f.enter("plant-9")
            stop, counts, lock = threading.Event(), {"asked": 0, "watched": 0, "frames": 0}, threading.Lock()

            def count(what, n=1):
                with lock:
                    counts[what] += n

            def ask():
                while not stop.is_set():
                    for path, token in (("/api/v1/status", f.token), ("/api/v1/ledger?limit=1000", auditor), ("/metrics", None), ("/", None), ("/api/v1/agreements", auditor),
                                        ("/api/v1/log/checkpoint", bystander), ("/api/v1/me", "pt_00"), ("/api/v1/hub/view?wait_ms=50", bystander), ("/api/v1/model", f.token)):
                        f.ask("GET", path, token=token)
                        count("asked")

            def watch():
                while not stop.is_set():
                    sockets = [WebSocket(f, first={"token": token}) for token in (f.token, auditor, bystander, "op_00")]
                    for s in sockets[:3]:
                        for _ in range(3):
                            s.socket.settimeout(1)
                            try:
                                s.frame()
                                count("frames")
                            except (TimeoutError, OSError):
                                break
                    for s in sockets:
                        s.close()
                    count("watched", len(sockets))

            def meddle():
                path = "/api/v1/participants/plant-9/suspension"
                while not stop.is_set():
                    f.ask("POST", path, json.dumps({"reason": "load"}).encode())
                    f.ask("DELETE", path)
                    time.sleep(0.2)

            threads = [threading.Thread(target=t) for t in (ask, ask, watch, watch, meddle)]
            for t in threads:
                t.start()
            try:
                for i in range(1, PARTNERS + 1):
                    f.start_partner(i)
                f.wait_partners(500)
            finally:
                stop.set()
                for t in threads:
                    t.join()
            self.assertEqual(f.status()["completed"], 3)
            self.assertEqual(f.stop_server(), 0)
            for name in ("coordinator", *f.partners):
                self.assertNotIn("ThreadSanitizer", f.log(name))
            print("# " + ", ".join(f"{n} {what}" for what, n in counts.items()), flush=True)


if __name__ == "__main__":
    unittest.main()
