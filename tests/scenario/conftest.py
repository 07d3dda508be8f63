# SPDX-License-Identifier: Apache-2.0
"""What every scenario stands on: one PostgreSQL cluster a worker, and a pipeline of its own a test."""
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import pipeline, postgres  # noqa: E402


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build/release"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A cluster shared by the tests of one worker. Those that stop PostgreSQL make their own (own_cluster)."""
    cluster = postgres.Postgres(tmp_path_factory.mktemp("pg") / "cluster", {"fsync": "off"}).create().start()
    yield cluster
    cluster.close()


@pytest.fixture
def own_cluster(tmp_path):
    cluster = postgres.Postgres(tmp_path / "cluster").create().start()
    yield cluster
    cluster.close()


@pytest.fixture
def make_pipeline(tmp_path, build, request):
    """A factory of pipelines: SQL Server with the warehouse's tables, PostgreSQL with theirs, sluice between them."""
    made = []

    def make(target, **options):
        made.append(pipeline.Pipeline(tmp_path / f"pipeline{len(made)}", build, target, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
