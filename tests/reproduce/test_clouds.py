from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from pul.config import RunConfig
from pul.data.datasets import read_dataset
from pul.records import ExperimentRecord, ExperimentRow
from pul.reproduce.clouds import N_PEOPLE, clouds_of, draw_clouds
from pul.reproduce.data import open_workspace
from pul.reproduce.results import read_results
from tests.support.fakes import iteration_arrays, iteration_record

ROW = ExperimentRow("pul", "PUL", "pul", config={"n_iterations": 3}, run_id=1)
RECORD = ExperimentRecord("fig3-ab", "fig3", "market-tiny", {}, (ROW,), "")


@pytest.fixture
def workspace(place, tmp_path):
    """A workspace of six people with a run of three iterations; people are far apart in it."""
    with open_workspace(tmp_path / "w", read_dataset(place / "market-tiny")) as workspace:
        pids = workspace.images("train").pids
        run_id = workspace.create_run(RunConfig(), model=place / "start.safetensors").run_id
        features = np.eye(8, dtype=np.float32)[pids]
        for iteration in range(4):
            arrays = replace(
                iteration_arrays(len(pids), n_clusters=6), features=features, clusters=pids - 1,
                reliable=np.arange(len(pids)) % 4 < iteration,
            )  # fmt: skip
            record = iteration_record(iteration, n_images=len(pids))
            workspace.add_iteration(run_id, record, arrays, b"")
        yield workspace


def test_clouds_of__the_papers_two_iterations_of_the_same_images(workspace):
    two, three = clouds_of(workspace, RECORD, read_results(workspace, RECORD))
    assert (two.iteration, three.iteration) == (2, 3)
    assert two.points.shape == (48, 2)
    assert len(set(two.groups.tolist())) == 6 <= N_PEOPLE
    np.testing.assert_array_equal(two.groups, three.groups)
    assert (two.reliable.mean(), three.reliable.mean()) == (0.5, 0.75)
    for group in range(6):  # equal features lie on one point
        assert np.ptp(two.points[two.groups == group], axis=0).max() < 1e-6


def test_clouds_of__none_before_two_iterations(workspace):
    (result,) = read_results(workspace, RECORD)
    early = replace(result, iterations=result.iterations[:2])
    assert clouds_of(workspace, RECORD, [early]) == ()
    assert clouds_of(workspace, replace(RECORD, name="fig5"), [result]) == ()


def test_draw_clouds__reliable_filled_and_others_hollow(workspace):
    clouds = clouds_of(workspace, RECORD, read_results(workspace, RECORD))
    root = ElementTree.fromstring(draw_clouds(clouds))
    fills = [dot.get("fill") for dot in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(fills) == 96
    assert fills[:48].count("none") == 24
    assert fills[48:].count("none") == 12
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["iteration 2: 24 of 48 reliable", "iteration 3: 36 of 48 reliable"]
