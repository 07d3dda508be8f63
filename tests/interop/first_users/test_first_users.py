# SPDX-License-Identifier: Apache-2.0
"""
The six connector files of our first users, and their worker's file, byte for byte, with every host, port and secret that they
name. pairs.py does it; here it gets a machine on which those names and ports are ours (own_machine.py).
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from interop.first_users import own_machine
from interop.first_users.world import NAMES, SECRETS

HERE = pathlib.Path(__file__).parent
PAIRS = ("sqlserver", "scylla", "scylla_legacy")


def _leads_here(name):
    try:
        return socket.gethostbyname(name).startswith("127.")
    except OSError:
        return False


def _run(command, log):
    with open(log, "w") as out:
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                              check=False, timeout=900).returncode


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """{pair: (passed, what it said)}"""
    folder = tmp_path_factory.mktemp("pairs")
    report, log = folder / "report.xml", folder / "log"
    tests = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"--basetemp={folder}/tmp", f"--junitxml={report}",
             HERE / "pairs.py"]
    names = [word for name in NAMES for word in ("--name", name)]
    status = _run([sys.executable, HERE / "own_machine.py", *names, "--folder", SECRETS, "--", *tests], log)
    if status == own_machine.NOT_ALLOWED:  # a machine that was made ready for this will do as well
        if not all(map(_leads_here, NAMES)) or not os.access(SECRETS, os.W_OK):
            pytest.fail(f"{log.read_text()}\nThe first users' files name hosts and ports. Run this as root, or allow user "
                        f"namespaces (kernel.unprivileged_userns_clone=1), or let {', '.join(NAMES)} lead to 127.0.0.1 in "
                        f"/etc/hosts, make {SECRETS} writable, and leave their ports free.")
        _run(tests, log)
    told = log.read_text(errors="replace")
    if not report.exists():
        pytest.fail(f"the pairs did not run:\n{told[-8000:]}")
    found = {}
    for case in xml.parse(report).getroot().iter("testcase"):
        bad = [part for part in case if part.tag in ("failure", "error", "skipped")]
        found[case.get("name")] = (not bad, "\n".join(part.text or part.get("message") or "" for part in bad))
    return found


@pytest.mark.parametrize("pair", PAIRS)
def test_their_files_run_unmodified(outcomes, pair):
    assert f"test_{pair}" in outcomes, f"it did not run; what did: {sorted(outcomes)}"
    passed, told = outcomes[f"test_{pair}"]
    assert passed, told[-12000:]


@pytest.mark.parametrize("theirs, ours, more", [
    ("sqlserver-cdc-source", "sqlserver/source", set()),
    ("sqlserver-postgres-sink", "sqlserver/sink", set()),
    ("scylla-source", "scylla/source", {"cdc.output.format", "cdc.include.after"}),  # the example shows the newer shape
    ("postgres-sink", "scylla/sink", set()),
])
def test_the_examples_have_the_keys_that_users_write(theirs, ours, more):
    examples = HERE.parent.parent.parent / "examples"
    written = json.loads((pathlib.Path(os.environ["SLUICE_FIXTURES"]) / f"connectors/{theirs}.json").read_text())["config"]
    shown = json.loads((examples / f"{ours}.json").read_text())["config"]
    assert set(shown) == set(written) | more
