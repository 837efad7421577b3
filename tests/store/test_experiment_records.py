from dataclasses import replace

import pytest

from pul.errors import StoreError
from pul.records import ExperimentRecord, ExperimentRow
from pul.store.workspace import Workspace
from tests.support.fakes import METRICS

ROWS = (
    ExperimentRow("bow", "BoW", "bow"),
    ExperimentRow("pul", "PUL", "pul", ("cuhk03",), 0.85, {"n_iterations": 2}),
)
RECORD = ExperimentRecord("table4-ab", "table4", "market", {"preset": "quick"}, ROWS, "")


@pytest.fixture
def workspace(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        yield workspace


def test_add_experiment__keeps_it_once_with_its_time(workspace):
    kept = workspace.add_experiment(RECORD)
    assert replace(kept, created_at="") == RECORD
    assert kept.created_at.startswith("20")
    assert workspace.add_experiment(replace(RECORD, target="other")) == kept
    assert workspace.experiments() == [kept] == [workspace.experiment("table4-ab")]


def test_update_experiment_row__leaves_the_others(workspace):
    workspace.add_experiment(RECORD)
    done = replace(ROWS[0], metrics=METRICS, seconds=1.5)
    workspace.update_experiment_row("table4-ab", done)
    workspace.update_experiment_row("table4-ab", replace(ROWS[1], run_id=3))
    assert workspace.experiment("table4-ab").rows == (done, replace(ROWS[1], run_id=3))


def test_experiment__unknown_ones_are_named(workspace):
    with pytest.raises(StoreError, match="'table9'"):
        workspace.experiment("table9")
    workspace.add_experiment(RECORD)
    with pytest.raises(StoreError, match="no row 'lomo'"):
        workspace.update_experiment_row("table4-ab", replace(ROWS[0], key="lomo"))
    assert workspace.experiments()[0].rows == ROWS
