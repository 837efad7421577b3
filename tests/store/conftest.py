"""Every test of the store runs on SQLite, and on PostgreSQL where PUL_TEST_POSTGRES names it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pul.config import RunConfig
from pul.records import RunRecord
from pul.store.workspace import Workspace
from tests.store.postgres import PostgresServer, running_server

POSTGRES = os.environ.get("PUL_TEST_POSTGRES", "")  # folder of its programs
PLACES = ["sqlite", "postgres"] if POSTGRES else ["sqlite"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running_server(Path(POSTGRES)) as server:
        yield server


@pytest.fixture(params=PLACES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where a workspace may be made."""
    folder = tmp_path / "workspace"
    if request.param == "sqlite":
        return str(folder)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return f"{server.empty_database()}&artifacts={folder}"


@pytest.fixture
def workspace(location: str) -> Iterator[Workspace]:
    with Workspace.create(location, name="test") as workspace:
        yield workspace


@pytest.fixture
def run(workspace: Workspace) -> RunRecord:
    model = workspace.path / "start.safetensors"
    model.write_bytes(b"weights")
    return workspace.create_run(RunConfig(n_clusters=3), model=model)
