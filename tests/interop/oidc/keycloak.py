"""Keycloak in a process of its own, in memory, with a realm for the tests.

    with Keycloak(coordinator="http://127.0.0.1:8443") as provider:
        provider.tokens("plant-1")["access_token"]

ENTENTE_KEYCLOAK: its folder, which script/interop unpacks. Machines (secret: name + "-secret"): operator, plant-1, and elsewhere, whose
tokens are for nobody. People (password = name): olga the operator, ada the auditor. It needs half a minute or more to start.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "script"), str(ROOT / "tests/e2e")]
from ports import free_ports  # noqa: E402

AUDIENCE = "entente-api"


def mapper(name, kind, **config):
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": {"access.token.claim": "true", **config}}


for_us = mapper("audience", "oidc-audience-mapper", **{"included.custom.audience": AUDIENCE})


def client(name, mappers=(for_us,), **more):
    return {"clientId": name, "standardFlowEnabled": False, "directAccessGrantsEnabled": False, "protocolMappers": list(mappers), **more}


def machine(name, mappers=(for_us,), **more):
    return client(name, mappers, secret=f"{name}-secret", serviceAccountsEnabled=True, **more)


def person(name, role):
    return {"username": name, "enabled": True, "email": f"{name}@example.org", "emailVerified": True, "firstName": name.title(), "lastName": "Test",
            "credentials": [{"type": "password", "value": name}], "realmRoles": [role]}


def realm(coordinator):
    participant = mapper("participant", "oidc-hardcoded-claim-mapper", **{"claim.name": "participant_id", "claim.value": "urn:entente:plant-1", "jsonType.label": "String"})
    account = lambda name, role: {"username": f"service-account-{name}", "enabled": True, "serviceAccountClientId": name, "realmRoles": [role]}
    return {
        "realm": "entente", "enabled": True, "sslRequired": "none", "defaultSignatureAlgorithm": "ES256", "accessTokenLifespan": 300,
        "roles": {"realm": [{"name": role} for role in ("operator", "auditor", "partner")]},
        "clients": [
            client("entente-web", publicClient=True, standardFlowEnabled=True, redirectUris=[coordinator + "/", coordinator + "/join"],
                   webOrigins=[coordinator], attributes={"pkce.code.challenge.method": "S256"}),
            client("entente-device", publicClient=True, attributes={"oauth2.device.authorization.grant.enabled": "true"}),
            machine("operator", directAccessGrantsEnabled=True), machine("plant-1", [for_us, participant]), machine("elsewhere", []),
        ],
        "users": [person("olga", "operator"), person("ada", "auditor"), account("operator", "operator"), account("plant-1", "partner"), account("elsewhere", "operator")],
    }


class Keycloak:
    def __init__(self, coordinator):
        self.home = pathlib.Path(os.environ["ENTENTE_KEYCLOAK"])
        self.port, self.management = free_ports(2)
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = self.base + "/realms/entente"
        self.realm = realm(coordinator)
        self.serve_options = ["--issuer", self.issuer, "--audience", AUDIENCE]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        folder = self.home / "data/import"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "entente-realm.json").write_text(json.dumps(self.realm))
        self.log = self.home / "data/entente-test.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [str(self.home / "bin/kc.sh"), "start-dev", "--db", "dev-mem", "--import-realm", "--http-host", "127.0.0.1", "--http-port", str(self.port),
                 "--http-management-port", str(self.management)], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "JAVA_OPTS_APPEND": "-Xmx384m", "KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin"})
        end = time.monotonic() + 300
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.issuer + "/.well-known/openid-configuration", timeout=5).close()
                return
            except OSError:
                time.sleep(0.5)
        self.stop()
        raise RuntimeError("Keycloak did not start:\n" + self.log.read_text()[-3000:])

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # its data is in memory: there is nothing to lose
            self.process.wait()

    def ask(self, path, form=None, body=None, token=None):
        data = urllib.parse.urlencode(form).encode() if form else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", "Bearer " + token)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
        return json.loads(text) if text else None

    def tokens(self, client_id, **form):
        """By client credentials, unless the form says else."""
        whole = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": f"{client_id}-secret", **form}
        return self.ask("/realms/entente/protocol/openid-connect/token", whole)

    def add_signing_key(self):
        """As an administrator would who rotates: a new key that comes before the others."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        admin = self.ask("/realms/master/protocol/openid-connect/token", form)["access_token"]
        self.ask("/admin/realms/entente/components", token=admin, body={
            "name": "newer", "providerId": "ecdsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"], "ecdsaEllipticCurveKey": ["P-256"]}})
