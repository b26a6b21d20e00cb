"""Client certificates: asked for and not demanded, bound to the token at joining, and the authority read anew at SIGHUP."""
import http.client, json, re, shutil, signal, ssl, subprocess, unittest

from harness import ENTENTE, Small, write_idx


class Authority:
    """A CA of openssl's, and certificates of it."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem = folder / f"{name}.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / f"{name}.key", "-out", self.pem,
                     "-days", "2", "-subj", f"/CN={name}")

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def issue(self, name, server=False, days=2, key=None):
        """(certificate, key); with an older one's key: a renewal."""
        key_file, pem, extensions = self.folder / f"{name}.key", self.folder / f"{name}.pem", self.folder / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=" + ("serverAuth" if server else "clientAuth") + "\n")
        if key:
            shutil.copy(key, key_file)
            self.openssl("req", "-new", "-key", key_file, "-out", self.folder / f"{name}.csr", "-subj", f"/CN={name}")
        else:
            self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key_file, "-out", self.folder / f"{name}.csr",
                         "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.pem, "-CAkey", self.folder / f"{self.name}.key", "-CAcreateserial", "-out", pem,
                     "-days", days, "-extfile", extensions)
        return pem, key_file


class ClientCertificates(unittest.TestCase):
    def ask(self, f, path, token, certificate=None):
        """(status, code), or the error of a handshake."""
        context = ssl.create_default_context(cafile=f.ca)
        if certificate:
            context.load_cert_chain(*certificate)
        try:
            connection = http.client.HTTPSConnection("localhost", f.port, context=context, timeout=20)
            connection.request("GET", path, headers={"Authorization": "Bearer " + token} if token else {})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            connection.close()
            return answer.status, body.get("code")
        except (ssl.SSLError, ConnectionError, http.client.HTTPException) as error:
            return type(error).__name__

    def test_a_token_is_worth_nothing_without_the_certificate_that_joined(self):
        with Small(rounds=30, partners=3) as f:
            ours, theirs = Authority(f.folder, "ours"), Authority(f.folder, "theirs")
            server = ours.issue("server", server=True)
            certificates = {i: ours.issue(f"client-{i}") for i in (1, 2)}
            stranger = theirs.issue("stranger")
            clients = f.folder / "clients.pem"
            shutil.copy(ours.pem, clients)
            f.ca = ours.pem
            options = ("--tls-cert", server[0], "--tls-key", server[1], "--client-ca", clients)
            f.start_server(*options)
            write_idx(f.folder / "data-3", "train", 400, seed=3)
            write_idx(f.folder / "data-3", "t10k", 50, seed=103)
            url = f"https://localhost:{f.port}"
            for i in (1, 2):
                f.start_partner(i, "--tls-cert", certificates[i][0], "--tls-key", certificates[i][1], url=url)
            f.start_partner(3, url=url)  # a certificate is asked for, not demanded
            token = {}
            for i in (1, 2, 3):
                path = f.folder / f"plant-{i}/state.toml"
                f.wait_for(path.exists, "it has joined")
                token[i] = re.search(r'token = "(\w+)"', path.read_text())[1]
            f.wait_for(lambda: f.status()["completed"] >= 1, "a round of all three", 120)
            me = "/api/v1/me"
            self.assertEqual(self.ask(f, me, token[1], certificates[1]), (200, None))
            self.assertEqual(self.ask(f, me, token[1]), (401, "auth.other-certificate"))
            self.assertEqual(self.ask(f, me, token[1], certificates[2]), (401, "auth.other-certificate"))
            self.assertEqual(self.ask(f, me, token[3]), (200, None))
            self.assertEqual(self.ask(f, me, token[3], certificates[1]), (200, None), "a token that is bound to none")
            self.assertIsInstance(self.ask(f, "/healthz", None, stranger), str, "another authority's certificate ends the handshake")
            self.assertEqual(self.ask(f, me, f.token), (200, None))
            # Renewed with its key, a certificate stays the same for us.
            renewed = ours.issue("client-1-renewed", key=certificates[1][1])
            self.assertEqual(self.ask(f, me, token[1], renewed), (200, None))
            other_key = ours.issue("client-1-new-key")
            self.assertEqual(self.ask(f, me, token[1], other_key), (401, "auth.other-certificate"))
            # The authority is read anew at SIGHUP: theirs is taken, ours no more.
            shutil.copy(theirs.pem, clients)
            f.server.send_signal(signal.SIGHUP)
            f.wait_for(lambda: self.ask(f, "/healthz", None, stranger) == (200, None), "their authority's certificates")
            self.assertIsInstance(self.ask(f, me, token[1], certificates[1]), str)
            clients.write_text("damaged")
            f.server.send_signal(signal.SIGHUP)
            f.wait_for(lambda: "the old one stays" in f.log(), "the damaged file is told of")
            self.assertEqual(self.ask(f, "/healthz", None, stranger), (200, None))
            shutil.copy(ours.pem, clients)
            f.stop_server()
            f.start_server(*options)
            self.assertEqual(self.ask(f, me, token[1]), (401, "auth.other-certificate"), "after a restart too")
            self.assertEqual(self.ask(f, me, token[1], certificates[1]), (200, None))
            # The key is rotated over the same certificate.
            f.partners["plant-1"].terminate()
            f.partners["plant-1"].wait(20)
            bare = subprocess.run([ENTENTE, "key", "rotate", "--state", f.folder / "plant-1", "--ca", f.ca], capture_output=True, text=True, timeout=60)
            self.assertIn("auth.other-certificate", bare.stderr)
            done = subprocess.run([ENTENTE, "key", "rotate", "--state", f.folder / "plant-1", "--ca", f.ca, "--tls-cert", certificates[1][0], "--tls-key", certificates[1][1]],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_option_needs_tls(self):
        with Small() as f:
            ours = Authority(f.folder, "ours")
            done = subprocess.run([ENTENTE, "serve", "--data", f.folder / "d", "--listen", "127.0.0.1:0", "--client-ca", ours.pem], capture_output=True, text=True, timeout=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("--client-ca needs --tls-cert", done.stderr)
            server = ours.issue("server", server=True)
            done = subprocess.run([ENTENTE, "serve", "--data", f.folder / "d", "--listen", "127.0.0.1:0", "--tls-cert", server[0], "--tls-key", server[1],
                                   "--client-ca", f.folder / "none.pem"], capture_output=True, text=True, timeout=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("tls.client-ca", done.stderr)


if __name__ == "__main__":
    unittest.main()
