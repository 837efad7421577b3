import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from pul.errors import StoreError, WorkspaceError
from pul.store import database
from pul.store.database import upgrade
from pul.store.schema import HEAD_REVISION, metadata
from pul.store.workspace import Workspace, _locate
from tests.support.fakes import METRICS

FROZEN = Path(__file__).parent / "data" / "revision_0001.sql"


def unopened(location: str) -> database.Database:
    """Return the database of a place at which no workspace was made."""
    url, path, _ = _locate(location)
    path.mkdir()
    return database.Database(url)


def test_head_revision__is_the_last_migration():
    script = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
    assert script.get_current_head() == HEAD_REVISION


def test_migrations__make_the_tables_of_the_schema(workspace):
    with workspace._database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_migrations__make_one_active_job_per_run(workspace, run):
    insert = (
        "INSERT INTO jobs (kind, run_id, params, status, error, traceback, worker, created_at,"
        " started_at, heartbeat_at, finished_at) VALUES ('run', 1, '{}', :status, '', '', '', '',"
        " '', '', '')"
    )
    with workspace._database.write() as connection:
        for status in ("finished", "failed", "stopped", "paused"):
            connection.execute(text(insert), {"status": status})
    with pytest.raises(StoreError), workspace._database.write() as connection:
        connection.execute(text(insert), {"status": "queued"})


def test_open__brings_a_workspace_of_revision_0001_up_to_date(tmp_path):
    connection = sqlite3.connect(tmp_path / "pul.db")
    connection.executescript(FROZEN.read_text())
    connection.close()
    with Workspace.open(tmp_path) as workspace:
        assert workspace._database.revision() == HEAD_REVISION
        assert workspace.name == "shop"
        images = workspace.images()
        assert images.paths == (
            str(tmp_path / "images" / "0002_c1s1_000451_03.jpg"),
            "/elsewhere/b.jpg",
        )
        assert images.pids.tolist() == [2, -2]
        assert workspace.skipped() == [("/elsewhere/c.jpg", "truncated")]
        assert workspace.run(1).config == {"n_clusters": 3, "lambda_": 0.8}
        (record,) = workspace.iterations(1)
        assert (record.metrics, record.n_reliable) == (METRICS, 9)
        assert workspace.take_controls(1, 1) == {"lambda_": 0.7}
        assert workspace.job(1).progress.done == 3
        assert workspace.append_annotation_event("create", {"images": [1]}, "ann") == 1


REVISIONS = [
    script.revision
    for script in ScriptDirectory(
        str(Path(database.__file__).parent / "migrations")
    ).walk_revisions()
]


@pytest.mark.parametrize("revision", REVISIONS)
def test_open__takes_a_workspace_of_every_revision_with_its_rows(location, revision):
    older = unopened(location)
    rows = (
        "INSERT INTO images (image_id, path, content_hash, n_bytes, split)"
        " VALUES (1, '/a.jpg', '', 3, 'train')",
        "INSERT INTO runs (run_id, name, config, model, model_hash, last_image_id, status,"
        " created_at) VALUES (1, 'old', '{}', 'm', '', 1, 'stopped', '')",
        "INSERT INTO settings (name, value) VALUES ('workspace_name', '\"shop\"')",
    )
    with older.write() as connection:
        upgrade(connection, revision)
        for row in rows:
            connection.execute(text(row))
    assert older.revision() == revision
    older.close()
    with Workspace.open(location) as workspace:
        assert workspace._database.revision() == HEAD_REVISION
        assert (workspace.name, workspace.run(1).name) == ("shop", "old")
        assert workspace.images().paths == ("/a.jpg",)


def test_migrate__is_one_transaction_with_its_record(location):
    clashing = unopened(location)
    with clashing.write() as connection:
        # Revision 0001 can be made, 0002 cannot: its table is there.
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("CREATE TABLE annotation_events (x INTEGER)"))
    with pytest.raises(StoreError, match="annotation_events"):
        clashing.migrate()
    with clashing.read() as connection:
        tables = set(inspect(connection).get_table_names())
    assert tables == {"alembic_version", "annotation_events"}
    assert clashing.revision() is None
    clashing.close()


def test_migrate__refuses_a_newer_revision(workspace):
    with workspace._database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WorkspaceError, match=r"newer version of PUL Studio .* 9999"):
        Workspace.open(workspace.location)


def test_write__undoes_a_block_that_fails(workspace):
    insert = text("INSERT INTO settings (name, value) VALUES (:name, '1')")
    with pytest.raises(StoreError), workspace._database.write() as connection:
        connection.execute(insert, [{"name": "a"}, {"name": None}])
    assert workspace.get_setting("a") is None


def test_write__says_what_the_database_refused(workspace):
    with (
        pytest.raises(StoreError, match="no_such_table"),
        workspace._database.write() as connection,
    ):
        connection.execute(text("DELETE FROM no_such_table"))


def test_sqlite__keeps_what_was_committed_through_a_power_cut(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace, workspace._database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_now__is_utc_and_counts_up(workspace):
    with workspace._database.read() as connection:
        moment = workspace._database.now(connection)
        assert moment.endswith("+00:00")
        assert 0 <= workspace._database.seconds_since(connection, moment) < 60


def test_version__changes_with_every_commit_of_anybody_and_with_nothing_else(workspace):
    first = workspace.version()
    workspace.runs()
    assert workspace.version() == first
    workspace.set_setting("anything", 1)
    second = workspace.version()
    assert second != first
    with Workspace.open(workspace.location) as elsewhere:
        opened = workspace.version()
        elsewhere.set_setting("anything", 2)
        assert workspace.version() not in (second, opened)


def test_version__what_was_undone_is_no_change(workspace):
    first = workspace.version()
    insert = text("INSERT INTO settings (name, value) VALUES (:name, '1')")
    with pytest.raises(StoreError), workspace._database.write() as connection:
        connection.execute(insert, [{"name": "a"}, {"name": None}])
    if workspace._database.is_sqlite:  # a server counts transactions that were undone, too
        assert workspace.version() == first
