"""An Eclipse EDC as a child process, and the few calls of its Management API that the tests make in its owner's place.

    with Edc("provider", jars) as edc:
        edc.post("/v3/assets", {"@id": "a", ...})

The jars are those of script/interop. Everything is in a temporary folder and on free ports of loopback, and ends with
the block.
"""
import http.client
import json
import pathlib
import re
import shutil
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "script"))
from ports import free_ports  # noqa: E402
from tls_front import TlsFront  # noqa: E402

PORTS = ("default", "control", "management", "protocol", "version", "public")
DATA_PLANE = ("data-plane-core", "data-plane-http", "data-plane-iam", "data-plane-public-api", "data-plane-self-registration",
              "data-plane-signaling-api", "control-plane-api-client")
VOCABULARY = {"@vocab": "https://w3id.org/edc/v0.0.1/ns/"}
TRUST_PASSWORD = "no-secret"  # Java wants one; what is in the file is public
PROTOCOL = "dataspace-protocol-http:2025-1"


class Failed(Exception):
    pass


def wait_for(what, look, seconds=30):
    """The first true answer of look()."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise Failed(f"expected {what} within {seconds} s")


def ask(method, url, body=None, headers=None, timeout=30):
    """Status and bytes, whatever the status is."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def fetch(endpoint, token):
    """The bytes of a pull; status 0 when they broke off, as they do when the transfer ends meanwhile."""
    try:
        return ask("GET", endpoint, headers={"Authorization": token})
    except (http.client.HTTPException, ConnectionError):
        return 0, b""


def member(found, name):
    """By the last segment of its name: EDC's versions differ in how much of it they write."""
    for key, value in found.items():
        if key.replace("#", "/").replace(":", "/").rsplit("/", 1)[-1] == name:
            return value
    return None


class Edc:
    def __init__(self, name, jars, data_plane=True, validation=False, heap="256m", tls=None):
        """`tls`: (certificate, key, what Java trusts as a PKCS12 file) puts its protocol behind a TLS front."""
        self.name, self.key = name, "management-key-of-" + name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="entente-edc-"))
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.front = TlsFront(*tls[:2], self.ports["protocol"]) if tls else None
        self.callback = f"https://localhost:{self.front.port}/protocol" if tls else f"http://localhost:{self.ports['protocol']}/protocol"
        trust = [f"-Djavax.net.ssl.trustStore={tls[2]}", f"-Djavax.net.ssl.trustStorePassword={TRUST_PASSWORD}"] if tls else []
        settings = {"name": name, "key": self.key, "validation": str(validation).lower(), "callback": self.callback, **self.ports}
        properties = self.folder / "connector.properties"
        properties.write_text(string.Template((HERE / "connector.properties").read_text()).substitute(settings))
        jars = pathlib.Path(jars).resolve()
        used = [jar for jar in sorted(jars.glob("*.jar")) if data_plane or not jar.name.startswith(DATA_PLANE)]
        path = ":".join(map(str, [jars / "classes", *used]))
        self.log = self.folder / "log"
        started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["java", f"-Xmx{heap}", *trust, f"-Dedc.fs.config={properties}", "-cp", path,
                                             "org.eclipse.edc.boot.system.runtime.BaseRuntime"],
                                            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.started, self.start_s = started, None

    def complaints(self):
        """What it has warned of lately, for the message of a test that fails."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if "WARNING" in line or "SEVERE" in line][-12:])

    # Several start side by side: construct them all, then wait.
    def wait_ready(self, seconds=120):
        def ready():
            text = self.log.read_text(errors="replace")
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended:\n{text[-3000:]}")
            # Its health check answers before the last extension is up; this line does not.
            return re.search(r" ready(\x1b\[0?m)?$", text, re.M)
        wait_for(f"{self.name} to be ready", ready, seconds)
        self.start_s = time.monotonic() - self.started
        return self

    def __enter__(self):
        try:
            return self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.front:
            self.front.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def management(self):
        return f"http://localhost:{self.ports['management']}/management"

    @property
    def control(self):
        return f"http://localhost:{self.ports['control']}/control"

    @property
    def dsp(self):
        return self.callback + "/2025-1"

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def call(self, method, path, body=None):
        """Status and what the Management API said, parsed."""
        if body is not None:
            body = {"@context": VOCABULARY, **body}
        status, said = ask(method, self.management + path, body, {"X-Api-Key": self.key})
        return status, json.loads(said) if said else None

    def post(self, path, body=None):
        status, said = self.call("POST", path, body)
        if status >= 300:
            raise Failed(f"{self.name} {path}: expected success, found {status} {said}")
        return said

    def get(self, path):
        status, said = self.call("GET", path)
        if status >= 300:
            raise Failed(f"{self.name} {path}: expected success, found {status} {said}")
        return said

    # -- as its owner would ----------------------------------------------------------------------------------------

    def offer(self, asset, url, policy, properties=None):
        self.post("/v3/assets", {"@id": asset, "properties": properties or {"name": asset},
                                 "dataAddress": {"type": "HttpData", "baseUrl": url}})
        self.post("/v3/policydefinitions", {"@id": f"policy:{asset}", "policy": {
            "@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Set", **policy}})
        self.post("/v3/contractdefinitions", {
            "@id": f"definition:{asset}", "accessPolicyId": f"policy:{asset}", "contractPolicyId": f"policy:{asset}",
            "assetsSelector": [{"@type": "Criterion", "operandLeft": VOCABULARY["@vocab"] + "id", "operator": "=",
                                "operandRight": asset}]})

    def catalogue(self, peer_id, peer_address):
        return self.post("/v3/catalog/request", {"@type": "CatalogRequest", "counterPartyId": peer_id,
                                                 "counterPartyAddress": peer_address, "protocol": PROTOCOL})

    def negotiate(self, peer_id, peer_address, asset):
        """Asks for the asset as its catalogue offers it: the final negotiation."""
        catalogue = self.catalogue(peer_id, peer_address)
        datasets = member(catalogue, "dataset") or []
        dataset = next(d for d in (datasets if isinstance(datasets, list) else [datasets]) if d["@id"] == asset)
        offer = member(dataset, "hasPolicy")
        offer = offer[0] if isinstance(offer, list) else offer
        policy = {**offer, "@context": "http://www.w3.org/ns/odrl.jsonld", "assigner": peer_id, "target": asset}
        # EDC may lose its own race, above all while it is cold: edc_client.cpp says how. Its owner asks again.
        for _ in range(3):
            begun = self.post("/v3/contractnegotiations", {"@type": "ContractRequest", "counterPartyId": peer_id,
                                                           "counterPartyAddress": peer_address, "protocol": PROTOCOL, "policy": policy})
            done = self.until("contractnegotiations", begun["@id"], ("FINALIZED", "TERMINATED"))
            if member(done, "state") == "FINALIZED" or not re.search("409|dsp.state|Failed to send termination", str(member(done, "errorDetail"))):
                break
        return done

    def transfer(self, peer_id, peer_address, agreement, kind, destination=None):
        """Begins one; its id."""
        more = {"dataDestination": {"type": "HttpData", "baseUrl": destination}} if destination else {}
        return self.post("/v3/transferprocesses", {
            "@type": "TransferRequest", "counterPartyId": peer_id, "counterPartyAddress": peer_address, "protocol": PROTOCOL,
            "contractId": agreement, "transferType": kind, **more})["@id"]

    def until(self, kind, identifier, states, seconds=30):
        found = {}

        def look():
            found.update(self.get(f"/v3/{kind}/{identifier}"))
            return member(found, "state") in states
        try:
            wait_for(f"{kind} {identifier} in {states}", look, seconds)
        except Failed as error:
            raise Failed(f"{error}, found {member(found, 'state')} {member(found, 'errorDetail')}") from None
        return found

    def address(self, transfer):
        """Where the bytes of a pull are, and the token for them, which goes into Authorization as it is."""
        def told():
            status, said = self.call("GET", f"/v3/edrs/{transfer}/dataaddress")
            return status == 200 and said
        found = wait_for("the address, which follows the state by a moment", told)
        return member(found, "endpoint"), member(found, "authorization")

    def agreements(self):
        return self.post("/v3/contractagreements/request", {"@type": "QuerySpec"})
