from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from pul.config import RunConfig
from pul.errors import StoreError, WorkspaceError
from pul.labelling.annotations import fold
from pul.records import JobProgress
from pul.store import database
from pul.store.database import upgrade
from pul.store.locations import locate
from pul.store.schema import HEAD_REVISION, metadata
from pul.store.workspace import Workspace
from tests.store.kept_workspace import write_kept_workspace
from tests.support.events import members
from tests.support.fakes import METRICS, iteration_record


def unopened(location: str) -> database.Database:
    """Return the database of a place at which no workspace was made."""
    url, path, _ = locate(location)
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


def test_open__a_workspace_of_november_2026_has_all_its_rows(location):
    write_kept_workspace(location)
    with Workspace.open(location) as workspace:
        assert workspace._database.revision() == HEAD_REVISION
        assert (workspace.name, workspace.get_setting("preset")) == ("shop", "quick")
        images = workspace.images()
        assert [Path(path).relative_to(workspace.path).as_posix() for path in images.paths] == [
            "images/train/0000.png",
            "images/train/0001.png",
            "images/train/0002.png",
            "images/query/0000.png",
        ]
        assert images.pids.tolist() == [2, 2, 5, 6]
        assert workspace.skipped() == [("/elsewhere/c.jpg", "truncated")]
        assert workspace.iterations(1) == [iteration_record(0, n_images=3)]
        assert workspace.take_controls(1, 1) == {"lambda_": 0.7}
        assert workspace.job(1).progress == JobProgress("finetune", 3, 9)
        (fork,) = workspace.runs(shelf="archived")
        assert (fork.name, fork.parent_run_id, fork.parent_iteration) == ("fork", 1, 0)


def test_open__a_workspace_of_november_2026_keeps_its_labels(location):
    write_kept_workspace(location)
    with Workspace.open(location) as workspace:
        events = workspace.annotation_events()
        signed = [(event.event_id, event.author, event.kind) for event in events]
        assert signed == [(1, "ann", "create"), (2, "ben", "rename"), (3, "ann", "junk")]
        state = fold(events)
        assert members(state) == {1: (1, 2)}
        assert (state.name(1), state.held_out()) == ("Ann's λ", {3})
        again = workspace.append_annotation_event("create", {}, "ann", token="screen-1")
        assert again == 1  # the name of an act counts after the migration, too
        assert workspace.append_annotation_event("junk", {"images": [4]}, "ann") == 4


def _kept_config(n_clusters, n_iterations):
    """Return the settings of that time: all features were kept."""
    return RunConfig(n_clusters=n_clusters, n_iterations=n_iterations, keep_features=None)


def test_open__removes_kmeans_backend_from_stored_settings(location):
    write_kept_workspace(location)
    with Workspace.open(location) as workspace:
        for run_id, n_clusters, n_iterations in ((1, 3, 2), (2, 2, 25)):
            config = workspace.run(run_id).config
            expected = _kept_config(n_clusters, n_iterations)
            assert "kmeans_backend" not in config
            assert RunConfig(**config) == expected
        first, second = workspace.experiment("table4-ab").rows
        assert (first.config, first.metrics) == (None, METRICS)
        assert "kmeans_backend" not in second.config
        assert RunConfig(**second.config) == _kept_config(3, 2)
        assert (second.sources, second.value, second.run_id) == (("cuhk03",), 0.85, 1)


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_open__says_what_to_do_with_a_revision_that_was_never_released(workspace, revision):
    with workspace._database.write() as connection:
        change = text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(change, {"revision": revision})
    with pytest.raises(WorkspaceError, match=rf"never released .* {revision}, .*import its images"):
        Workspace.open(workspace.location)
    assert workspace._database.revision() == revision


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
        # The tables of images and runs can be made; that of the events is there.
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
