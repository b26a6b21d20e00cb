"""The document's scene: two hosts, one with two clients, one with the coordinator, and everything between them recorded.

    unshare --net python3 scene.py tls 10                      as root
    unshare --map-root-user --net python3 scene.py clear 10    as anybody

Begins in a network namespace of its own, which becomes the coordinator's host, and prints facts as one JSON object;
test_scene.py judges them. The clients' host is a namespace that lives as long as a process that reads our pipe, so that
nothing is left behind however this program ends.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from capture import ACK, SYN, Capture, tls_records
from harness import ENTENTE, ROOT, Federation, split, write_idx
from pixels import FORMS, Finder, images_of

SERVER, CLIENTS = "10.77.0.1", "10.77.0.2"
EXAMPLES = 3000  # a partner: 2.4 MB of pictures, more than any slack in what is sent
PORT = 8443


def sh(*command):
    subprocess.run(command, check=True, capture_output=True)


class ClientHost:
    """A namespace held by `cat`, joined to ours by a pair of virtual interfaces."""

    def __init__(self, here="ent0", there="ent1", server=SERVER, clients=CLIENTS):
        self.here, self.there, self.server, self.clients = here, there, server, clients

    def __enter__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        ours = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == ours:
            time.sleep(0.01)
        self.prefix = ["nsenter", "--net", "--target", str(self.holder.pid)]
        sh("ip", "link", "add", self.here, "type", "veth", "peer", "name", self.there)
        sh("ip", "link", "set", self.there, "netns", str(self.holder.pid))
        for where, name, address in (([], self.here, self.server), (self.prefix, self.there, self.clients)):
            sh(*where, "ip", "link", "set", "dev", name, "gso_max_segs", "1")  # frames as a wire would carry them
            sh(*where, "ip", "address", "add", f"{address}/24", "dev", name)
            sh(*where, "ip", "link", "set", name, "up")
            sh(*where, "ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        self.holder.stdin.close()
        self.holder.wait()

    def listening(self):
        """Sockets that wait for somebody on the clients' host: TCP in LISTEN, and any UDP."""
        found = []
        for table, wanted in (("tcp", "0A"), ("tcp6", "0A"), ("udp", ""), ("udp6", "")):
            rows = pathlib.Path(f"/proc/{self.holder.pid}/net/{table}").read_text().splitlines()[1:]
            found += [f"{table} {row.split()[1]}" for row in rows if not wanted or row.split()[3] == wanted]
        return found

    def send(self, payload):
        """One request with `payload` as its body, from the clients' host; what is answered does not matter."""
        program = ("import http.client, sys; c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]));"
                   "c.request('POST', '/api/v1/join', sys.stdin.buffer.read()); c.getresponse().read()")
        subprocess.run([*self.prefix, sys.executable, "-c", program, SERVER, str(PORT)], input=payload, check=True)


def data(folder):
    source = pathlib.Path(os.environ.get("ENTENTE_MNIST_DIR", ROOT / "third_party/mnist"))
    if any(source.glob("train-images-idx3-ubyte*")):
        split(ENTENTE, source, folder, 2, "--examples", 2 * EXAMPLES)
        return "MNIST"
    for n in (1, 2):
        write_idx(folder / f"partner-{n}", "train", EXAMPLES, seed=n)
        write_idx(folder / f"partner-{n}", "t10k", 500, seed=100 + n)
    return "synthetic"


def certificate(folder, name="tls", address=SERVER):
    sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
       str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"), "-days", "2", "-subj", f"/CN={name}", "-addext",
       f"subjectAltName=IP:{address}")
    return folder / f"{name}.pem", folder / f"{name}.key"


def run(tls, rounds, folder):
    facts = {"data": data(folder / "shares"), "rounds": rounds}
    plan = folder / "plan.toml"
    plan.write_text(f'[federation]\nid = "scene"\n[round]\nrounds = {rounds}\nmin_cohort = 2\npresence_s = 60\n')
    names = ("client-1", "client-2")
    with ClientHost() as host, Federation(ENTENTE, folder) as f:
        more = ["--behind-proxy"]
        if tls:
            pem, key = certificate(folder)
            f.ca, more = pem, ["--tls-cert", pem, "--tls-key", key]
        with Capture("ent0") as capture:
            f.serve(plan, *more, listen=f"{SERVER}:{PORT}")
            for n, name in enumerate(names, 1):
                f.join(name, folder / f"shares/partner-{n}", prefix=host.prefix)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            facts["listening"] = host.listening()
            f.wait_partners(300)
            facts["listening"] += host.listening()
            status = f.status()
            partners = [f.result(name) for name in names]
            if not tls:  # the proof that the search can find: each form of a picture, sent once
                image = images_of(folder / "shares/partner-1/train-images-idx3-ubyte")[7]
                for form in FORMS.values():
                    host.send(form(image))
    segments, streams = capture.segments(), capture.streams()
    up = {flow: stream for flow, stream in streams.items() if flow[0] == CLIENTS}
    down = {flow: stream for flow, stream in streams.items() if flow[0] == SERVER}
    facts |= {
        "completed": status["completed"], "digest": status["model_digest"], "accuracy": [p["accuracy_federated"] for p in partners],
        "partner_digests": [p["model_digest"] for p in partners], "lost_frames": capture.lost,
        "openings": sorted({f"{s.flow[0]} -> {s.flow[2]}:{s.flow[3]}" for s in segments if s.flags & (SYN | ACK) == SYN}),
        "longest_frame": max(s.frame_bytes for s in segments),
        "updates": sum(h["bytes_up"] for h in status["history"]), "sent_by_partners": sum(p["bytes_up"] for p in partners),
        "models": sum(p["bytes_down"] for p in partners),
        "wire_up": sum(s.frame_bytes for s in segments if s.flow[0] == CLIENTS),
        "wire_down": sum(s.frame_bytes for s in segments if s.flow[0] == SERVER),
        "headers_up": sum(s.frame_bytes - len(s.payload) for s in segments if s.flow[0] == CLIENTS),
        "retransmitted_up": sum(len(s.payload) for s in segments if s.flow[0] == CLIENTS) - sum(map(len, up.values())),
        "payload_up": sum(map(len, up.values())), "payload_down": sum(map(len, down.values())),
        "pictures": sum((folder / f"shares/partner-{n}/train-images-idx3-ubyte").stat().st_size for n in (1, 2)),
    }
    if tls:
        records = [record for stream in up.values() for record in tls_records(stream)]
        facts["records_up"] = len(records)
        facts["others_up"] = sum(kind != 23 for kind, _ in records)  # handshake and alerts before the keys are there
        facts["handshake_up"] = sum(5 + length for kind, length in records if kind != 23)
        # TLS 1.3: 5 bytes of header before each record, inside it 16 bytes of tag and one byte of type.
        facts["application_up"] = sum(length - 17 for kind, length in records if kind == 23)
    return facts, up


def main():
    tls, rounds = sys.argv[1] == "tls", int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="entente-scene-") as name:
        folder = pathlib.Path(name)
        facts, up = run(tls, rounds, folder)
        if not tls:
            finder = Finder([i for n in (1, 2) for i in images_of(folder / f"shares/partner-{n}/train-images-idx3-ubyte")])
            planted = [stream for stream in up.values() if stream.startswith(b"POST /api/v1/join") and b"User-Agent" not in stream]
            learned = [stream for stream in up.values() if stream not in planted]
            facts["application_up"] = sum(map(len, learned))
            facts["strips"] = len(finder.strips)
            facts["found"] = sorted({name for stream in learned for name in finder.find(stream)})
            facts["found_when_planted"] = sorted({name for stream in planted for name in finder.find(stream)})
            facts["updates_seen"] = sum(stream.count(b"ENTF") for stream in learned)
        print(json.dumps(facts))


if __name__ == "__main__":
    main()
