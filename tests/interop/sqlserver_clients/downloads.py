# SPDX-License-Identifier: Apache-2.0
"""The clients from their registries, pinned, fetched once and cached. A client that cannot be had is a failure."""
import os
import pathlib
import shutil

from harness.fetch import once, run

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent.parent.parent / "tools"
TEDIOUS = "19.2.2"
MSSQL_JDBC = "13.6.2.jre11"


def python_clients(cache):
    """A Python with the clients in it."""
    def make(folder):
        run(["/usr/bin/python3", "-m", "venv", folder])
        run([folder / "bin/pip", "install", "-q", "-r", HERE / "requirements.txt"])
    return once(cache / "sqlserver-clients/python", (HERE / "requirements.txt").read_text(), make) / "bin/python"


def odbc_settings(python, folder):
    """An odbcinst.ini with Microsoft's driver and FreeTDS's; its folder is for ODBCSYSINI."""
    libs = run([python, "-c", "import mssql_python_odbc as m; print(m.get_libs_dir())"]).strip()
    found = sorted(p for p in pathlib.Path(libs).glob("linux/debian_ubuntu/*/lib/libmsodbcsql-*.so*")
                   if p.parent.parent.name == os.uname().machine.replace("aarch64", "arm64"))
    assert found, f"no Microsoft ODBC driver for this machine below {libs}"
    tds = next(p for p in pathlib.Path("/usr/lib").glob("*/odbc/libtdsodbc.so"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "odbcinst.ini").write_text(
        f"[ODBC Driver 18 for SQL Server]\nDriver={found[-1]}\n[FreeTDS]\nDriver={tds}\n")
    return folder


def tedious(cache):
    """The folder whose node_modules has tedious."""
    def make(folder):
        run(["npm", "install", "--no-audit", "--no-fund", "--no-save", f"tedious@{TEDIOUS}"], cwd=folder)
    return once(cache / "sqlserver-clients/tedious", TEDIOUS, make) / "node_modules"


def java_client(cache):
    """The class path with mssql-jdbc and our client, compiled."""
    def make(folder):
        artifact = f"com.microsoft.sqlserver:mssql-jdbc:{MSSQL_JDBC}"
        run(["mvn", "-q", "-B", f"-Dmaven.repo.local={cache}/m2", "dependency:copy", f"-Dartifact={artifact}",
             f"-DoutputDirectory={folder}"])
        run(["javac", "-cp", folder / f"mssql-jdbc-{MSSQL_JDBC}.jar", "-d", folder, HERE / "Client.java"])
    source = (HERE / "Client.java").read_text()
    folder = once(cache / "sqlserver-clients/jdbc", MSSQL_JDBC + source, make)
    return f"{folder}/mssql-jdbc-{MSSQL_JDBC}.jar:{folder}"


def go_client(cache):
    """Our client with go-mssqldb, compiled; go.sum pins every module's hash."""
    def make(folder):
        for name in ("client.go", "go.mod", "go.sum"):
            shutil.copy(HERE / name, folder)
        go = run([TOOLS / "go-toolchain"]).splitlines()[-1]  # Debian's own may be too old
        run([go, "build", "-o", "client", "."], cwd=folder,
            env={**os.environ, "GOMODCACHE": str(cache / "gomod"), "GOFLAGS": "-modcacherw -mod=readonly",
                 "GOTOOLCHAIN": "local"})
    stamp = "".join((HERE / name).read_text() for name in ("client.go", "go.mod", "go.sum"))
    return once(cache / "sqlserver-clients/go", stamp, make) / "client"
