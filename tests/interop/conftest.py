# SPDX-License-Identifier: Apache-2.0
"""What the strangers stand on: the build, and a cache of pinned downloads."""
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))


def pytest_configure(config):
    config.addinivalue_line("markers", "full: a long run, only in make interop-full")


def pytest_terminal_summary(terminalreporter):
    """How many differences the strangers saw, each with its reason in docs/: told of tests that pass, too."""
    told = [line for report in terminalreporter.getreports("passed") for line in report.capstdout.splitlines()
            if "with a reason" in line]
    if told:
        terminalreporter.section("differences with a reason")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build/release"))


@pytest.fixture(scope="session")
def cache():
    """Downloads that survive between runs."""
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def out():
    """Where tables for people are left."""
    folder = pathlib.Path(os.environ.get("SLUICE_INTEROP_OUT", ROOT / "build/interop"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
