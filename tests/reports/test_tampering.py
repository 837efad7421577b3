"""Rows that were changed by hand or by a disk: told, and put back where their sum says how."""

import shutil

import pytest
from sqlalchemy import text

from pul.reports.workspace_check import examine_workspace
from pul.store.workspace import Workspace
from tests.faults.damage import make_workspace, outcome


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tampering") / "workspace"
    make_workspace(folder)
    return folder


@pytest.fixture
def place(template, tmp_path):
    return shutil.copytree(template, tmp_path / "workspace")


def execute(place, statement: str) -> None:
    with Workspace.open(place) as workspace, workspace._database.write() as connection:
        connection.execute(text(statement))


def errors(place, *, repair: bool = False) -> list[str]:
    found = examine_workspace(place, repair=repair)
    return [finding.subject for finding in found if finding.level == "error"]


@pytest.mark.parametrize(
    ("table", "subject"),
    [
        ("images", "rows of images"),
        ("runs", "rows of runs"),
        ("controls", "rows of controls"),
        ("annotation_events", "labels"),
        ("settings", "rows of settings"),
    ],
)
def test_examine_workspace__a_row_that_lost_its_sum_is_damaged(place, table, subject):
    """It is no row of before there were sums: this workspace has no such rows."""
    assert errors(place) == []
    execute(place, f"UPDATE {table} SET row_sum = NULL")
    assert errors(place) == [subject]


def test_examine_workspace__an_iteration_that_lost_its_sums_is_damaged(place):
    execute(place, "UPDATE iterations SET files = NULL WHERE iteration = 1")
    assert errors(place) == ["run 1"]


def test_examine_workspace__a_changed_setting_is_told(place):
    execute(place, "UPDATE settings SET value = '\"demage\"' WHERE name = 'workspace_name'")
    assert errors(place) == ["rows of settings"]


@pytest.mark.parametrize("gone", [(2,), (1, 2), (0, 1, 2), (1,), (0,)])
def test_examine_workspace__iterations_that_are_gone_are_told_and_dropped(place, gone):
    """Those at the end as well, which leave no gap."""
    for table in ("metrics", "iterations"):
        execute(place, f"DELETE FROM {table} WHERE iteration IN ({', '.join(map(str, gone))})")
    assert errors(place) == ["run 1"]
    examine_workspace(place, repair=True)
    assert errors(place) == []
    with Workspace.open(place) as workspace:
        assert workspace.iteration_numbers(1) == list(range(min(gone)))


SINGLE = [
    "UPDATE images SET pid = 3 WHERE image_id = 2",  # what another row has
    "UPDATE images SET pid = pid + 65536 WHERE image_id = 2",  # one bit
    "UPDATE images SET camid = NULL WHERE image_id = 2",
    "UPDATE images SET split = 'tsain' WHERE image_id = 2",  # r and s differ in one bit
    "UPDATE images SET content_hash = 'any' WHERE image_id = 2",  # the file says it
    "UPDATE images SET n_bytes = 5 WHERE image_id = 2",
    "UPDATE runs SET last_image_id = 28",  # 12 and 16
    "UPDATE runs SET config = replace(config, '\"n_clusters\": 3', '\"n_clusters\": 1')",
    "UPDATE runs SET config = replace(config, '\"n_clusters\": 3', '\"n_clusters\":(3')",
    "UPDATE controls SET value = -value",
    "UPDATE annotation_events SET payload = replace(payload, '[3]', '[1]') WHERE event_id = 2",
    "UPDATE annotation_events SET payload = replace(payload, '}', ']') WHERE event_id = 2",
]


@pytest.mark.parametrize("statement", SINGLE)
def test_recover_rows__a_single_changed_value_is_found_again_by_the_sum(place, statement):
    table = statement.split()[1]
    with Workspace.open(place) as workspace:
        before = rows(workspace, table)
        with workspace._database.write() as connection:
            connection.execute(text(statement))
        assert rows(workspace, table) != before
        changed = list(workspace.changed_rows())
        assert {row.table for row in changed} == {table}
        assert workspace.recover_rows(changed) == []
        assert rows(workspace, table) == before
        assert list(workspace.changed_rows()) == []


def rows(workspace: Workspace, table: str) -> list[object]:
    with workspace._database.read() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")
        return [tuple(row) for row in found]


def test_repair__puts_back_what_is_known_and_sets_no_label_aside(place):
    sound = outcome(place)
    execute(place, SINGLE[0])
    execute(place, SINGLE[-1])
    assert set(errors(place)) == {"labels", "rows of images"}
    assert errors(place, repair=True) == []
    assert outcome(place) == sound
    assert not (place / "damaged").exists()


def test_repair__what_nobody_can_know_is_left_as_it_is(place):
    execute(place, "UPDATE images SET pid = 77, camid = 78 WHERE image_id = 2")
    assert errors(place, repair=True) == ["rows of images"]
    with Workspace.open(place) as workspace:
        assert workspace.images().pids[1] == 77


def test_experiments_and_guidance__are_summed_however_often_they_change(workspace_at):
    workspace_at.set_setting("identities of run 1", {2: 1, 10: 3})
    workspace_at.set_setting("identities of run 1", {"2": 1, "10": 4})
    assert list(workspace_at.changed_rows()) == []


@pytest.fixture
def workspace_at(tmp_path):
    with Workspace.create(tmp_path / "new") as workspace:
        yield workspace
