"""Each step of writing is killed: what was acknowledged is there, and nothing is there half."""

import itertools
import shutil
from dataclasses import fields

import numpy as np
import pytest

from pul.records import IterationArrays
from pul.store.schema import HEAD_REVISION
from pul.store.workspace import Workspace
from tests.store import crashing
from tests.store.kept_workspace import write_kept_database
from tests.support.fakes import iteration_arrays, iteration_record


def check_whole(workspace: Workspace, run_id: int) -> int:
    """Make sure that every stored iteration is as it was written; return how many there are."""
    records = workspace.iterations(run_id)
    for iteration, record in enumerate(records):
        assert record == iteration_record(iteration)
        expected, stored = iteration_arrays(seed=iteration), workspace.arrays(run_id, iteration)
        for field in fields(IterationArrays):
            np.testing.assert_array_equal(stored[field.name], getattr(expected, field.name))
        assert workspace.checkpoint_path(run_id, iteration).read_bytes() == b"%d" % iteration
    return len(records)


@pytest.mark.parametrize("call", ["save", "fsync", "rename", "rename!", "sql:", "commit"])
def test_add_iteration__killed_at_any_step_is_whole_or_absent(workspace, run, call):
    n_before = 0
    for n in itertools.count(1):
        through = crashing.runs_through(
            crashing.add_iteration, call, n, workspace.location, run.run_id
        )
        n_whole = check_whole(workspace, run.run_id)
        assert n_whole - n_before == 1 if through else n_whole - n_before in (0, 1)
        n_before = n_whole
        if through:
            break
    assert n > 1, f"no {call} was ever reached"
    workspace.remove_stray_folders(run.run_id)
    names = {path.name for path in workspace.run_path(run.run_id).iterdir()}
    assert names == {f"iteration-{iteration}" for iteration in range(n_whole)}


@pytest.mark.parametrize("call", ["sql:", "commit"])
def test_append_annotation_event__what_was_acknowledged_survives(workspace, tmp_path, call):
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    for n in itertools.count(1):
        arguments = (workspace.location, str(acknowledged))
        through = crashing.runs_through(crashing.annotate, call, n, *arguments)
        stored = {event.event_id for event in workspace.annotation_events()}
        assert {int(number) for number in acknowledged.read_text().split()} <= stored
        if through:
            break
    assert n > 1


@pytest.mark.parametrize("call", ["sql:", "commit"])
def test_open__killed_while_it_migrates_has_the_old_or_the_new_tables(tmp_path, call):
    write_kept_database(tmp_path / "old.db")
    for n in itertools.count(1):
        folder = tmp_path / str(n)
        folder.mkdir()
        shutil.copy(tmp_path / "old.db", folder / "pul.db")
        through = crashing.runs_through(crashing.open_workspace, call, n, str(folder))
        with Workspace.open(folder) as workspace:
            assert workspace._database.revision() == HEAD_REVISION
            assert workspace.name == "shop"
            assert "kmeans_backend" not in workspace.run(1).config
        if through:
            break
    assert n > 1
