# SPDX-License-Identifier: Apache-2.0
"""Where secrets come from and where rows go: OpenBao in development mode, and a PostgreSQL cluster."""
import pytest

from harness import openbao, postgres


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = postgres.Postgres(tmp_path_factory.mktemp("pg") / "cluster", {"fsync": "off"}).create().start()
    yield cluster
    cluster.close()


@pytest.fixture
def bao(cache, tmp_path):
    server = openbao.OpenBao(tmp_path / "openbao", openbao.program(cache)).start()
    yield server
    server.stop()
