"""What the load test counts, by hand."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.queue import copy_workspace
from benchmarks.tally import Growth, ReportedAct, Spread, compare, growth, spread
from pul.store.artifacts import UNFINISHED
from pul.store.workspace import Workspace
from tests.app.fabricated import draw_people, fabricate


@dataclass(frozen=True)
class Stored:
    token: str
    kind: str = "create"
    author: str = "ann"
    images: tuple[int, ...] = (1, 2)
    event_id: int = 1
    payload: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "payload", {"token": self.token, "images": list(self.images)})


def acknowledged(kind: str = "create", images: tuple[int, ...] = (2, 1)) -> ReportedAct:
    return ReportedAct(kind, "ann", images, is_acknowledged=True)


def test_compare__all_is_well() -> None:
    reported = {
        "a": acknowledged(),
        "b": acknowledged("pair", ()),  # stored as what the answer means
        "c": acknowledged("skip", ()),  # never stored
        "d": ReportedAct("add", "ann", (5,), is_acknowledged=True, refusal="Not stored: no"),
    }
    verdict = compare(reported, [Stored("a"), Stored("b", "not_same", images=())])
    assert verdict.faults == {}
    assert (verdict.n_acknowledged, verdict.n_stored) == (2, 2)
    assert verdict.refused == ["add of 1 images by ann (d): Not stored: no"]


def test_compare__a_lost_act() -> None:
    verdict = compare({"a": acknowledged(), "b": acknowledged(images=(3,))}, [Stored("a")])
    assert verdict.faults == {"lost": ["create of 1 images by ann (b)"]}


def test_compare__an_act_that_is_stored_twice() -> None:
    reported = {"a": acknowledged(), "b": acknowledged()}
    once = {"a": reported["a"]}
    assert compare(once, [Stored("a"), Stored("a")]).faults == {"doubled": ["a: 2 times"]}
    # One press under two tokens; the same images by somebody else are another opinion.
    twice = compare(reported, [Stored("a"), Stored("b")])
    assert twice.faults == {"doubled": ["2 images, 2 times by ann"]}
    reported["b"] = ReportedAct("create", "bob", (1, 2), is_acknowledged=True)
    assert compare(reported, [Stored("a"), Stored("b", author="bob")]).faults == {}


@pytest.mark.parametrize(
    "stored",
    [Stored("a", author="bob"), Stored("a", kind="junk"), Stored("a", images=(1,))],
)
def test_compare__an_act_that_is_not_what_was_done(stored: Stored) -> None:
    assert list(compare({"a": acknowledged()}, [stored]).faults) == ["altered"]


def test_compare__told_as_refused_but_stored() -> None:
    reported = {"a": ReportedAct("create", "ann", (1, 2), is_acknowledged=True, refusal="no")}
    assert list(compare(reported, [Stored("a")]).faults) == ["altered"]


def test_compare__what_nobody_did_and_what_nobody_answered() -> None:
    reported = {"a": ReportedAct("create", "ann", (1, 2))}
    assert compare(reported, [Stored("z", images=(9,))]).faults == {
        "strange": ["z"],
        "unanswered": ["create of 2 images by ann (a)"],
    }


def test_spread__by_hand() -> None:
    seconds = [float(second) for second in range(100, -1, -1)]
    assert spread(seconds) == Spread(101, 50.0, 95.0, 100.0)
    with pytest.raises(ValueError, match="no waits"):
        spread([])


def test_growth__the_minute_after_the_warm_up_and_the_last_one() -> None:
    levels = [
        (float(s), 50.0 if s < 100 else 100.0 if s < 200 else 120.0) for s in range(0, 301, 5)
    ]
    level = growth(levels, 100)
    assert level == Growth(100.0, 120.0)
    assert level.percent == pytest.approx(20.0)


def test_growth__two_halves_of_a_short_run() -> None:
    assert growth([(0.0, 1.0), (10.0, 4.0), (20.0, 8.0), (30.0, 8.0)], 10) == Growth(6.0, 8.0)
    with pytest.raises(ValueError, match="longer"):
        growth([(0.0, 1.0), (10.0, 4.0)], 5)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("load")
    people = draw_people(folder / "people", n_pids=12, n_images=8)
    fabricate(folder / "workspace", people, n_iterations=1, status="stopped", has_rankings=True)
    return folder / "workspace"


def test_copy_workspace__a_run_may_go_on_in_the_copy(workspace: Path, tmp_path: Path) -> None:
    (workspace / "runs" / "1" / f"{UNFINISHED}7").mkdir()
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    copy_workspace(workspace, tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob(f"{UNFINISHED}*"))
    with Workspace.open(tmp_path / "copy") as copy:
        features = copy.arrays(1, 0, "features")["features"]
        assert features.shape == (96, 16)
        copy.prune_run(1, keep_features=1, checkpoints=[])  # what a worker does by and by
        copy.set_run_status(1, "failed")
        assert "features.npy" in copy.pruned(1, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with Workspace.open(workspace) as source:
        assert source.run(1).status == "stopped"
        assert (source.arrays(1, 0, "features")["features"] == features).all()
