"""npm's oidc-provider as a process of its own (oidc.mjs), and what tests ask of it.

    with IdentityProvider() as provider:
        f.start_server(*provider.serve_options)
        token = provider.token("operator")
"""
import base64
import html
import http.cookiejar
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "script"))
from ports import free_ports  # noqa: E402

AUDIENCE = "urn:entente:api"


def installed():
    return (ROOT / "web/node_modules/oidc-provider").exists()


class IdentityProvider:
    def __init__(self, **environment):
        self.port = free_ports(1)[0]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.environment = environment
        self.serve_options = ["--issuer", self.issuer, "--audience", AUDIENCE]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(["node", str(ROOT / "tests/e2e/oidc.mjs")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env={**os.environ, "OIDC_PORT": str(self.port), **self.environment})
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("issuer "):
                return
        raise RuntimeError("the identity provider did not start: " + "".join(said))

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def rotate(self):
        self.stop()
        self.start()

    def post(self, path, body, headers=None):
        request = urllib.request.Request(self.issuer + path, data=body.encode(), headers=headers or {})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def token(self, client, resource=None):
        """By client credentials."""
        form = {"grant_type": "client_credentials", **({"resource": resource} if resource else {})}
        basic = base64.b64encode(f"{client}:{client}-secret".encode()).decode()
        return json.loads(self.post("/token", urllib.parse.urlencode(form), {"Authorization": "Basic " + basic}))["access_token"]

    def signed(self, claims=None, header=None, stranger=False):
        """A token of any content with the provider's own signature: of an operator, unless the claims say else. None: left out."""
        now = int(time.time())
        whole = {"iss": self.issuer, "aud": AUDIENCE, "sub": "olga", "iat": now, "exp": now + 300, "realm_access": {"roles": ["operator"]}, **(claims or {})}
        whole = {name: value for name, value in whole.items() if value is not None}
        return self.post("/test/sign", json.dumps({"claims": whole, "header": header or {}, "stranger": stranger}))


def confirm(address, person, password):
    """What a person does in a browser: follows the forms of the provider's pages to their end."""
    # On loopback a browser takes "secure" cookies over http, too.
    policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(policy)))
    page = browser.open(address, timeout=20)
    for _ in range(8):
        text, here = page.read().decode(), page.geturl()
        form = re.search(r"<form.*?</form>", text, re.DOTALL)
        if not form:
            return text
        action = re.search(r'action="([^"]*)"', form.group(0))
        fields = {}
        for field in re.findall(r"<(?:input|button)[^>]*>", form.group(0)):
            name, value = re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)
            if name and name.group(1) not in ("abort", "cancel"):
                fields[name.group(1)] = html.unescape(value.group(1)) if value else ""
        for field, value in (("login", person), ("username", person), ("password", password)):
            if field in fields and "password" in fields:
                fields[field] = value
        page = browser.open(urllib.parse.urljoin(here, html.unescape(action.group(1)) if action else here), urllib.parse.urlencode(fields).encode(), timeout=20)
    raise AssertionError("the provider's pages have no end: " + text)
