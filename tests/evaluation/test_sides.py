"""Sides that are never compared: by hand, in a table, in the store, and by both ways to measure."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pul import jobs
from pul.algorithm.direct_transfer import evaluate_network
from pul.config import EvaluationConfig
from pul.data.datasets import read_dataset
from pul.errors import EvaluationError
from pul.evaluation.protocol import Protocol
from pul.evaluation.ranked_lists import mark_found
from pul.evaluation.retrieval import evaluate, evaluate_distances
from pul.jobs.worker import work
from pul.models.network import load_network, save_network
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN, tiny_network


def test_relations__of_another_side_is_junk_whoever_it_is() -> None:
    # Gallery without junk: own left, own right, own unknown, other right, other left, own left c1.
    sides = (["left"], ["", "left", "right", "", "right", "left", "left"])
    pids, camids = [-1, 7, 7, 7, 8, 8, 7], [2, 2, 2, 2, 2, 2, 1]
    protocol = Protocol.of([7], [1], pids, camids, camera_aware=True, sides=sides)
    ((matches, junk),) = protocol.relations()
    assert (matches.tolist(), junk.tolist()) == ([0, 2], [1, 3, 5])


@pytest.mark.parametrize(("side", "removed"), [("left", [1]), ("right", [0]), ("", [])])
def test_relations__each_side_removes_the_other(side: str, removed: list[int]) -> None:
    sides = ([side], ["left", "right", ""])
    protocol = Protocol.of([7], [1], [7] * 3, [2] * 3, camera_aware=True, sides=sides)
    ((matches, junk),) = protocol.relations()
    assert junk.tolist() == removed
    assert matches.tolist() == [row for row in range(3) if row not in removed]


@pytest.mark.parametrize("sides", [(["left"], ["", ""]), ([""], ["left", "right"])])
def test_explain_unmatched__a_side_that_only_one_part_knows_is_not_to_blame(
    sides: tuple[list[str], list[str]],
) -> None:
    protocol = Protocol.of([7], [1], [8, 9], [2, 2], camera_aware=True, sides=sides)
    assert "side" not in protocol.explain_unmatched()


def test_evaluate__by_hand() -> None:
    # By similarity: other's right, own right, own left, other's left, own left.
    angles = np.deg2rad([5, 10, 20, 30, 40])
    gallery = np.column_stack([np.cos(angles), np.sin(angles)])
    columns = ([7], [1], [8, 7, 7, 8, 7], [2] * 5)
    sides = (["left"], ["right", "right", "left", "left", "left"])

    def mean_ap(**options: object) -> float:
        return evaluate(
            [[1, 0]], gallery, *columns, ap_method="step", unmatched="zero", **options
        ).mean_ap  # type: ignore[arg-type]

    assert mean_ap(sides=sides) == pytest.approx((1 / 2 + 2 / 3 + 3 / 5) / 3)
    # Without the right flanks: hits at ranks 1 and 3.
    assert mean_ap(sides=sides, side_aware=True) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert mean_ap(sides=([""], sides[1]), side_aware=True) == mean_ap()


def test_evaluate_distances__counts_sides_as_evaluate_does() -> None:
    # By distance: own right, own left. The query shows the left.
    columns = ([7], [1], [8, 7, 7], [2] * 3)
    options = {"ap_method": "step", "unmatched": "zero", "sides": (["left"], ["", "right", "left"])}
    distances = np.array([[2, 1, 3]])
    default = evaluate_distances(distances, *columns, **options)  # type: ignore[arg-type]
    assert default.mean_ap == pytest.approx((1 / 1 + 2 / 3) / 2)
    aware = evaluate_distances(distances, *columns, side_aware=True, **options)  # type: ignore[arg-type]
    assert aware.mean_ap == pytest.approx(1 / 2)


def test_evaluate__says_that_the_side_left_nothing() -> None:
    columns = ([7], [1], [7, 8], [2, 2])
    options = {"ap_method": "step", "unmatched": "zero", "sides": (["left"], ["right", "left"])}
    with pytest.raises(EvaluationError, match=r"or of another side.*--no-side-aware"):
        evaluate([[1, 0]], np.eye(2), *columns, side_aware=True, **options)
    assert evaluate([[1, 0]], np.eye(2), *columns, side_aware=False, **options).mean_ap == 1  # type: ignore[arg-type]


def test_mark_found__agrees_with_the_protocol() -> None:
    pids, camids = np.array([7, 7, 8, 7, -1, 7]), np.array([2, 2, 2, 1, 2, 2])
    sides = ["left", "right", "right", "left", "right", ""]
    protocol = Protocol.of([7], [1], pids, camids, camera_aware=True, sides=(["left"], sides))
    ((matches, _),) = protocol.relations()
    other = np.array([side == "right" for side in sides])
    marks = mark_found(7, 1, pids, camids, camera_aware=True, is_other_side=other)
    assert marks == ["match", "other side", "other side", "same camera", "junk", "match"]
    rows = np.flatnonzero(protocol.kept)[matches].tolist()
    assert [row for row, mark in enumerate(marks) if mark == "match"] == rows


def animals(folder: Path, column: str, *more: str) -> Path:
    """Draw striped animals from two sides, listed in a table."""
    random = np.random.default_rng(4)
    folder.mkdir()
    rows = []
    for pid in range(1, 9):
        for number, side in enumerate(("Left", "right", "Left", "right", "", "unknown")):
            pixels = random.integers(0, 120, (20, 40, 3)).astype(np.uint8)
            pixels[:, :: 2 + pid % 5 + (side == "right")] = (255 - 20 * pid, 200, 25 * pid)
            name = f"{pid}-{number}.png"
            Image.fromarray(pixels).save(folder / name)
            split = "train" if pid <= 4 else "query" if number < 2 else "gallery"
            rows.append([name, pid, number % 3, split, side, *more])
    names = ["path", "pid", "camid", "split", column, *more]
    with (folder / "animals.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return folder / "animals.csv"


@pytest.mark.parametrize("column", ["side", "Orientation", "viewpoint", "flank", "position"])
def test_read_dataset__a_column_of_sides(tmp_path: Path, column: str) -> None:
    samples = read_dataset(animals(tmp_path / "zebras", column)).samples
    sides = [sample.side for sample in samples if sample.path.name.startswith("1-")]
    assert sides == ["left", "right", "left", "right", None, None]


def test_read_dataset__two_columns_of_sides(tmp_path: Path) -> None:
    """Data sets have both: the first that is known counts, and it is said."""
    dataset = read_dataset(animals(tmp_path / "zebras", "side", "viewpoint"))
    assert dataset.samples[0].side == "left"
    assert any("Not used: viewpoint" in note for note in dataset.notes)


def test_run_and_evaluate__give_one_figure(tmp_path: Path) -> None:
    dataset = read_dataset(animals(tmp_path / "zebras", "viewpoint"))
    with Workspace.create(tmp_path / "workspace") as workspace:
        workspace.add_dataset(dataset)
        assert workspace.images().sides[:6] == ("left", "right", "left", "right", "", "")
        model = workspace.path / "start.safetensors"
        save_network(tiny_network(), model)
        figures = []
        for number, side_aware in enumerate((False, True), start=1):
            config = TINY_RUN.replace(
                n_iterations=0, n_clusters=4, **{"evaluation.side_aware": side_aware}
            )
            assert work(workspace, jobs.create_run(workspace, config, model).job_id).error == ""
            metrics = workspace.iterations(number)[0].metrics
            plain = EvaluationConfig(**config.evaluation.model_dump())
            direct = evaluate_network(load_network(model), dataset, plain)
            assert metrics is not None
            assert metrics.mean_ap == pytest.approx(direct.mean_ap, abs=1e-6)
            figures.append(metrics.mean_ap)
    assert figures[0] != pytest.approx(figures[1], abs=1e-3)
