"""A row that a disk changes is noticed, whichever summed column it is; so is one that is gone."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.records import RunRecord
from pul.store.row_sums import ChangedRow
from pul.store.schema import annotation_events, controls, images, runs
from pul.store.sums import ALL_SUMMED
from pul.store.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, run: RunRecord, tmp_path: Path) -> Workspace:
    """A workspace of two images, a run, two controls and three acts."""
    samples = []
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(name.encode())
        samples.append(Sample(tmp_path / name, pid=3, camid=1, tracklet="t", frame=4, side="left"))
    workspace.add_dataset(Dataset("small", "folder", tmp_path, tuple(samples), ()))
    workspace.set_control(run.run_id, "lambda_", 0.5, author="ann")
    workspace.set_control(run.run_id, "n_clusters", 7, author="bob")
    for image in (1, 2, 1):
        workspace.append_annotation_event("create", {"images": [image]}, "ann")
    return workspace


def change(workspace: Workspace, table: Any, number: int, **values: Any) -> None:
    (key,) = table.primary_key.columns
    with workspace._database.write() as connection:
        connection.execute(update(table).where(key == number).values(**values))


SUMMED = [
    *((images, name, "x") for name in ("content_hash", "split", "tracklet", "side")),
    *((images, name, 99) for name in ("n_bytes", "pid", "camid", "frame")),
    (runs, "config", {"n_clusters": 4}),
    (runs, "model", "x"),
    (runs, "model_hash", "x"),
    (runs, "last_image_id", 99),
    (controls, "name", "n_clusters"),
    (controls, "value", 0.25),
    (controls, "author", "x"),
    (controls, "created_at", "x"),
    *((annotation_events, name, "x") for name in ("created_at", "author", "kind", "token")),
    (annotation_events, "payload", {"images": [2]}),
]


@pytest.mark.parametrize(("table", "column", "value"), SUMMED, ids=lambda x: getattr(x, "name", x))
def test_changed_rows__any_summed_column(
    filled: Workspace, table: Any, column: str, value: object
) -> None:
    assert list(filled.changed_rows()) == []
    change(filled, table, 1, **{column: value})
    assert list(filled.changed_rows()) == [ChangedRow(table.name, 1)]


def test_changed_rows__what_changes_in_the_course_of_things_is_no_part(
    filled: Workspace, run: RunRecord
) -> None:
    filled.set_run_status(run.run_id, "paused")
    assert filled.take_controls(run.run_id, 1) == {"lambda_": 0.5, "n_clusters": 7}
    assert list(filled.changed_rows()) == []


def test_changed_rows__an_act_that_is_no_json_stops_nothing(filled: Workspace) -> None:
    if "://" in filled.location:
        return  # a server takes nothing else
    with filled._database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE annotation_events SET payload = '{\"images\": [1' WHERE event_id = 2"
        )
    change(filled, annotation_events, 3, author="x")
    found = list(filled.changed_rows())
    assert found == [ChangedRow("annotation_events", 2), ChangedRow("annotation_events", 3)]


def test_add_missing_sums__of_rows_from_before_there_were_any(filled: Workspace) -> None:
    assert filled.add_missing_sums() == 0
    filled.set_setting(ALL_SUMMED, False)  # as in a workspace of before
    change(filled, images, 2, row_sum=None, pid=99)
    change(filled, controls, 1, row_sum=None)
    assert list(filled.changed_rows()) == []  # nothing is known of them
    assert filled.add_missing_sums() == 2
    assert list(filled.changed_rows()) == []
    change(filled, images, 2, pid=3)
    assert list(filled.changed_rows()) == [ChangedRow("images", 2)]


def test_add_missing_sums__once_all_have_one_none_may_be_gone(filled: Workspace) -> None:
    filled.add_missing_sums()
    change(filled, controls, 1, row_sum=None)
    assert filled.add_missing_sums() == 0
    assert list(filled.changed_rows()) == [ChangedRow("controls", 1)]


def test_missing_rows__of_images_and_acts(filled: Workspace) -> None:
    is_server = "://" in filled.location
    assert filled.missing_rows() == {}
    with filled._database.write() as connection:
        connection.execute(delete(annotation_events).where(annotation_events.c.event_id >= 2))
    assert filled.missing_rows() == ({} if is_server else {"annotation_events": 2})
    with filled._database.write() as connection:
        connection.execute(delete(images).where(images.c.image_id == 2))
    assert filled.missing_rows() == ({} if is_server else {"images": 1, "annotation_events": 2})


def test_set_aside_event__keeps_what_was_there_in_a_file(filled: Workspace) -> None:
    token = filled.append_annotation_event("merge", {"identities": [1, 3]}, "bob", token="t-9")
    change(filled, annotation_events, token, author="b\u00f6b", payload={"identities": "?"})
    path = filled.set_aside_event(token)
    assert path == filled.path / "damaged" / "annotation-event-4.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert (kept["event_id"], kept["kind"], kept["token"]) == (4, "merge", "t-9")
    payload = kept["payload"]  # SQLite gives its text, a server what it read
    assert (json.loads(payload) if isinstance(payload, str) else payload) == {"identities": "?"}
    event = filled.annotation_events(after=3)[0]
    assert (event.kind, event.author, event.payload) == ("lost", "b\u00f6b", {"was": "merge"})
    assert list(filled.changed_rows()) == []
    # The act keeps its token: the screen that sends it again does not store it twice.
    assert filled.append_annotation_event("merge", {}, "bob", token="t-9") == token
    assert len(filled.annotation_events()) == 4
