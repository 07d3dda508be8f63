# SPDX-License-Identifier: Apache-2.0
"""An authority and what it signs, in the forms in which users keep them: PEM, PKCS#12 and Java's key stores."""
import pathlib

from .fetch import run

RSA = ("rsa:2048",)
EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Authority:
    """folder/ca.pem and ca.key; sign() makes NAME.pem and NAME.key beside them, the others stores of these."""

    def __init__(self, folder, keys=RSA):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keys = keys
        self.run("openssl", "req", "-x509", "-newkey", *keys, "-nodes", "-days", "30", "-subj", "/CN=authority of the test",
                 "-keyout", "ca.key", "-out", "ca.pem")
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")

    def run(self, *command):
        run(command, cwd=self.folder, timeout=60)

    def sign(self, *names):
        """A key and a certificate of loopback for each."""
        for name in names:
            self.run("openssl", "req", "-newkey", *self.keys, "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr")
            self.run("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "30", "-extfile", "names", "-out", f"{name}.pem")
            (self.folder / f"{name}.key").chmod(0o600)
        return self

    def pkcs12(self, name, password):
        """NAME.p12, under the alias NAME."""
        self.run("openssl", "pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-certfile", "ca.pem",
                 "-name", name, "-out", f"{name}.p12", "-passout", f"pass:{password}")

    def jks(self, name, password, key_password=None, to=None):
        """NAME.jks of NAME.p12 with the same password; key_password: another for the key within."""
        own = ["-srcalias", name, "-destkeypass", key_password] if key_password else []
        self.run("keytool", "-importkeystore", "-srckeystore", f"{name}.p12", "-srcstoretype", "PKCS12", "-srcstorepass",
                 password, "-destkeystore", to or f"{name}.jks", "-deststoretype", "JKS", "-deststorepass", password,
                 "-noprompt", *own)

    def trust(self, to, kind, password):
        """A store with the authority alone; kind: JKS or PKCS12."""
        self.run("keytool", "-importcert", "-alias", "authority", "-file", "ca.pem", "-keystore", to, "-storetype", kind,
                 "-storepass", password, "-noprompt")
