"""Person-minutes against mAP: what a budget buys, on a tiny workspace and by hand."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import minutes, minutes_report
from benchmarks.minutes import Log, Piece, TimeUpError
from benchmarks.pair_oracle import PairOracle, find_pairs
from pul import jobs
from pul.jobs.worker import work
from pul.labelling.annotations import Annotations, create
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN
from tests.support.places import make_small_workspace


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_small_workspace(tmp_path_factory.mktemp("made") / "workspace", "tiny")
    with Workspace.open(folder) as workspace:
        job = jobs.create_run(workspace, TINY_RUN, folder / "start.safetensors")
        assert work(workspace, job.job_id).status == "finished"
    return folder


@pytest.fixture
def call(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict]]:
    """Run the benchmark on the tiny workspace; returns the results that it has stored."""
    monkeypatch.setattr(minutes, "FOLDER", tmp_path / "results")

    def run(*options: str) -> list[dict]:
        fixed = ["--into", str(tmp_path / "into"), "--title", "Tiny", "--errors", "0"]
        minutes.main([str(place), *fixed, "--minutes", "0.1", "0.5", *options])
        return json.loads((tmp_path / "results" / "tiny.json").read_text())["results"]

    return run


def test_main__goes_on_piece_by_piece_until_all_is_done(call, capsys):
    assert [each["way"] for each in call("--pieces", "1")] == ["none"]
    assert [each["way"] for each in call("--pieces", "2")] == ["none", "everything", "cards"]
    results = call()
    assert [(each["way"], each["minutes"]) for each in results] == [
        ("none", 0.0),
        ("everything", 0.0),
        ("cards", 0.1),
        ("pairs", 0.1),
        ("cards", 0.5),
        ("pairs", 0.5),
    ]
    none, everything, *labelled = results
    assert (none["acts"], none["images"], none["precision"]) == (0, 0, None)
    assert (everything["acts"], everything["images"], everything["precision"]) == (6, 24, 1.0)
    assert labelled[1]["acts"] == int(6 / 1.55)  # an answer takes 1.35 + 0.2 s
    assert labelled[3]["acts"] <= int(30 / 1.55)
    assert labelled[0]["images"] <= labelled[2]["images"] <= 24
    capsys.readouterr()
    assert call() == results
    assert capsys.readouterr().out == ""  # nothing is done twice


def test_label__both_ways_end_in_time_and_make_no_mistake(place, tmp_path):
    desk = tmp_path / "desk"
    shutil.copytree(place, desk)
    for way in minutes.WAYS:
        acts = minutes.label(desk, Piece(way), 20.0)
        assert acts == minutes.label(desk, Piece(way), 20.0)
        assert max(act.seconds for act in acts) <= 20


def test_pair_oracle__what_follows_is_not_asked():
    # Two people of three images; two answers join each person's, a third tells them apart.
    looks = np.array([[1, 0.0], [1, 0.1], [1, 0.2], [0, 1.0], [0.1, 1], [0.2, 1]], dtype=np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    images = np.arange(6, dtype=np.int64) + 10
    pids = dict(zip(images.tolist(), (1, 1, 1, 2, 2, 2), strict=True))
    log = Log(1e9)
    oracle = PairOracle(images, looks, pids, log, effort=log.effort)
    oracle.label()
    groups = sorted(sorted(each) for each in log.state.unnamed_groups())
    assert groups == [[10, 11, 12], [13, 14, 15]]
    assert [act.kind for act in log.acts].count("same") == 4
    assert oracle.effort.n_pairs == len(log.acts) < 15
    assert log.acts[-1].seconds == pytest.approx(1.55 * len(log.acts))


def test_pair_oracle__begins_with_the_most_uncertain_pair_and_errs_as_told():
    looks = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2]] + np.float32(0.1)
    images, pids = np.arange(5), {0: 1, 1: 1, 2: 2, 3: 2, 4: -1}
    asked = []
    PairOracle(images, looks, pids, asked.append, error_rate=0.999).label()
    assert [act.kind for act in asked[:2]] == ["same", "same"]  # the median: of different people


def test_find_pairs__each_once_with_its_cosine():
    looks = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    pairs, cosines = find_pairs(looks)
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert cosines == pytest.approx([0, 0.6, 0.8])


def test_log__what_is_done_after_time_is_not_kept():
    log = Log(10.0)
    assert isinstance(log(create([1, 2])), Annotations)
    log.effort.seconds = 10.1
    with pytest.raises(TimeUpError):
        log(create([3, 4]))
    assert [act.seconds for act in log.acts] == [0.0]
    assert [identity.images for identity in log.state.identities] == [(1, 2)]


def test_describe__pairs_by_hand():
    # Rows 0 to 2 have three pairs, of which one is right; rows 3 and 4 have one, which is right.
    found = minutes.describe([[0, 1, 2], [3, 4]], [7, 7, 8, 9, 9, 9])
    assert found == {"images": 5, "precision": 0.5}


def test_report__means_over_seeds_and_the_share_of_the_way(tmp_path):
    def result(way, mean_ap, *, minutes=0.0, error_rate=0.0, seed=0):
        figures = {"mean_ap": mean_ap, "rank_1": 2 * mean_ap, "acts": 3, "images": 30}
        piece = Piece(way, minutes, error_rate, seed)
        return vars(piece) | figures | {"precision": 0.99 if minutes else None}

    results = [
        result("none", 0.10),
        result("everything", 0.30),
        result("pairs", 0.12, minutes=2),
        result("cards", 0.18, minutes=2),
        result("cards", 0.22, minutes=2, seed=1),
    ]
    rows = minutes_report.table(results).splitlines()[2:]
    assert rows == [
        "| by cards | 0 | 2 | 3 | 30 | 99.0 | 40.0 | 20.0 | 50 |",
        "| by pairs | 0 | 2 | 3 | 30 | 99.0 | 24.0 | 12.0 | 10 |",
        "| none |  |  | 3 | 30 |  | 20.0 | 10.0 | 0 |",
        "| everything |  |  | 3 | 30 |  | 60.0 | 30.0 | 100 |",
    ]
    folder, document = tmp_path / "kept", tmp_path / "docs" / "page.md"
    for each in (folder, document.parent / "pictures"):
        each.mkdir(parents=True)
    (folder / "here.json").write_text(json.dumps({"title": "Here", "results": results}))
    document.write_text("a\n<!-- minutes: begin -->\nold\n<!-- minutes: end -->\nb\n")
    minutes_report.render(folder, document, document.parent / "pictures")
    text = document.read_text()
    assert "### Here\n\n![mAP over minutes](pictures/minutes-here.svg)" in text
    assert "old" not in text
    assert rows[0] in text
    svg = (document.parent / "pictures" / "minutes-here.svg").read_text()
    assert "everything labelled" in svg
    assert "by pairs, 0 % wrong" in svg


def test_document__shows_the_curves_that_are_kept():
    text = minutes.DOCUMENT.read_text(encoding="utf-8")
    records = [json.loads(path.read_text()) for path in minutes.FOLDER.glob("*.json")]
    tables = [minutes_report.table(record["results"]) for record in records]
    assert [shown for shown in tables if shown not in text] == []
