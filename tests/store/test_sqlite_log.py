"""What was committed is in `pul.db` soon, and its absence is told."""

import shutil
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from pul.reports.workspace_check import examine_workspace
from pul.store import sqlite_log
from pul.store.backup import back_up, restore
from pul.store.workspace import Workspace


@pytest.fixture
def place(tmp_path):
    return tmp_path / "w"


def label(workspace: Workspace, n_acts: int = 1) -> None:
    for _ in range(n_acts):
        workspace.append_annotation_event("create", {"images": [1]}, "ann")


def copy_alone(place, target):
    target.mkdir()
    shutil.copy(place / "pul.db", target / "pul.db")
    return target


def n_acts(place) -> int:
    with Workspace.open(place) as workspace:
        return len(workspace.annotation_events())


def test_log__a_database_that_was_copied_without_it_says_so(place, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_log, "IDLE_S", 3600.0)  # however slow this machine is
    monkeypatch.setattr(sqlite_log, "LONGEST_S", 3600.0)
    with Workspace.create(place) as workspace:
        label(workspace, 3)
        copy = copy_alone(place, tmp_path / "copy")
    with Workspace.open(copy) as opened:
        lacks = 3 - len(opened.annotation_events())
        assert lacks > 0
        assert opened.missing_since()
    errors = [f for f in examine_workspace(copy) if f.level == "error"]
    assert [f.subject for f in errors] == ["database"]
    assert "copied without its log" in errors[0].message
    assert n_acts(copy) == 3 - lacks
    examine_workspace(copy, repair=True)
    assert not [f for f in examine_workspace(copy) if f.level == "error"]


def test_log__is_moved_as_soon_as_writing_pauses(place, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_log, "IDLE_S", 0.05)
    with Workspace.create(place) as workspace:
        label(workspace, 3)
        deadline = time.monotonic() + 20
        while flagged(place):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        copy = copy_alone(place, tmp_path / "copy")
        assert n_acts(copy) == 3
        with Workspace.open(copy) as opened:
            assert opened.missing_since() == ""
        label(workspace)  # and it is watched again
        assert flagged(place)


def test_log__nothing_is_missing_after_closing_or_from_a_whole_copy(place, tmp_path):
    with Workspace.create(place) as workspace:
        label(workspace, 2)
        shutil.copytree(place, tmp_path / "both")
        back_up(workspace, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    for copy in (place, tmp_path / "both", tmp_path / "again"):
        with Workspace.open(copy) as opened:
            assert (opened.missing_since(), len(opened.annotation_events())) == ("", 2)


def test_log__of_a_process_that_was_killed_is_read(place, tmp_path):
    """Its log is there, and what it had committed with it."""
    workspace = Workspace.create(place)
    label(workspace, 2)
    shutil.copytree(place, tmp_path / "as it was left")
    workspace.close()
    with Workspace.open(tmp_path / "as it was left") as opened:
        assert (opened.missing_since(), len(opened.annotation_events())) == ("", 2)


def test_log__its_note_goes_before_the_log_does(place, monkeypatch):
    """Who opens it in between must not take the log for lost."""
    workspace, seen = Workspace.create(place), []
    label(workspace)
    dispose = workspace._database._engine.dispose
    monkeypatch.setattr(
        workspace._database._engine, "dispose", lambda: (seen.append(flagged(place)), dispose())
    )
    workspace.close()
    assert seen == [False]


def flagged(place) -> bool:
    with closing(sqlite3.connect(place / "pul.db")) as connection:
        query = "SELECT count(*) FROM settings WHERE name = 'log_since'"
        return bool(connection.execute(query).fetchone()[0])


def test_log__its_note_stays_while_somebody_writes(place):
    """Who moves the log must not take the note back that another write relies on."""
    with Workspace.create(place) as workspace, Workspace.open(place) as other:
        label(workspace)
        with other._database.write() as connection:
            settling = threading.Thread(target=sqlite_log._settle, args=(place / "pul.db",))
            settling.start()
            time.sleep(0.3)  # by now it has moved the log, and waits to take the note back
            connection.exec_driver_sql("INSERT INTO settings (name, value) VALUES ('late', '1')")
        settling.join()
        assert flagged(place)


def test_log__who_opens_while_another_begins_to_write_misses_nothing(place, monkeypatch):
    """The note is there before the first write is, and with it the log."""
    Workspace.create(place).close()
    assert not flagged(place)
    seen = []
    note = sqlite_log.WriteAheadLog.note

    def note_and_look(log):
        noted = note(log)
        monkeypatch.setattr(sqlite_log.WriteAheadLog, "note", note)
        with Workspace.open(place) as other:
            seen.append(other.missing_since())
        return noted

    with Workspace.open(place) as workspace:
        monkeypatch.setattr(sqlite_log.WriteAheadLog, "note", note_and_look)
        label(workspace)
    assert seen == [""]
