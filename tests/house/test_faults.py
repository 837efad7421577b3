"""Short forms of `python -m tests.faults --faults 500`, and of `damage`, `acts`, `rounds` there."""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pul.store.workspace import Workspace
from tests.faults import acts
from tests.faults.damage import damage
from tests.faults.replay import Replay

ROOT = Path(__file__).resolve().parents[2]
N_FAULTS = 24


@pytest.mark.slow
def test_faults__nothing_is_lost_and_runs_end_the_same() -> None:
    # A process of its own: it forks, which one that has computed before had better not.
    struck = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--faults", str(N_FAULTS), "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert struck.returncode == 0, struck.stdout + struck.stderr
    assert re.search(rf"^{N_FAULTS} faults in .*: 0 problems$", struck.stdout, re.MULTILINE)


N_MUTATIONS = 40


@pytest.mark.slow
def test_damage__none_that_changes_a_figure_is_silent() -> None:
    counts, problems = damage(N_MUTATIONS, seed=11)
    assert problems == []
    assert counts.total() == N_MUTATIONS
    assert counts["told, changed"] >= N_MUTATIONS // 2


def run_harness(*words: str) -> str:
    """Run a harness in a process of its own, as it forks; return what it said at last."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


POSTGRES = os.environ.get("PUL_TEST_POSTGRES", "")
PLACES = [(), ("--postgres", POSTGRES)] if POSTGRES else [()]


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=["sqlite", "postgres"][: len(PLACES)])
def test_acts__none_is_lost_or_doubled_and_identities_are_those_of_a_replay(
    place: tuple[str, ...],
) -> None:
    last = run_harness("tests.faults.acts", "--acts", "240", "--seed", "5", *place)
    assert re.fullmatch(r"240 acts in .* s: 0 problems", last)


@pytest.mark.slow
def test_rounds__what_is_done_at_once_could_have_been_done_in_turn() -> None:
    last = run_harness("tests.faults.rounds", "--rounds", "1", "--seed", "5")
    assert re.fullmatch(r"1 rounds in .* s: 0 problems", last)


# The replay that acts are judged by, by hand


def test_replay__of_some_acts() -> None:
    replay = Replay(
        [
            (1, "ann", "create", {"images": [1, 2], "name": ""}),
            (2, "ben", "create", {"images": [3, 4], "name": "Bo"}),
            (3, "ben", "add", {"identity": 2, "images": [2]}),  # the last opinion counts
            (4, "ann", "junk", {"images": [5]}),
            (5, "ben", "split", {"identity": 2, "images": [4]}),
            (6, "ann", "same", {"images": [4, 6]}),  # 6 joins whom 4 shows
            (7, "ann", "unsure", {"images": [3]}),  # gives way to Ben's
            (8, "ben", "merge", {"identities": [1, 5]}),
            (9, "ben", "undo", {"event": 8}),
            (10, "cy", "remove", {"identity": 1, "images": [1]}),
        ]
    )
    assert replay.identities == {"Bo": {2, 3}, "ID_003": {4, 6}}
    assert replay.junk == {5}
    assert replay.problems == []


@pytest.mark.parametrize(
    ("kind", "event"),
    [("undo", 2), ("undo", 1), ("redo", 3)],  # another's; not the last; not undone
)
def test_replay__tells_an_undo_of_what_is_not_ones_own_last(kind: str, event: int) -> None:
    events = [
        (1, "ann", "junk", {"images": [1]}),
        (2, "ben", "junk", {"images": [2]}),
        (3, "ann", "junk", {"images": [3]}),
        (4, "ann", kind, {"event": event}),
    ]
    assert Replay(events).problems == [f"{kind} 4 by ann took {event}"]


def test_crowd__tells_what_was_lost_doubled_altered_and_never_sent(tmp_path: Path) -> None:
    place = str(tmp_path / "workspace")
    with Workspace.create(place) as workspace:
        for token, author in (("b", "ann"), ("b", "ann"), ("c", "ben"), ("d", "ann"), ("e", "cy")):
            workspace.append_annotation_event("junk", {"images": [1], "token": token}, author)
    crowd = acts.Crowd(place, random.Random(0), acts.Tally())
    crowd.sent = {t: ("ann", {"kind": "junk", "images": [1]}) for t in "abc"}
    crowd.sent["d"] = ("ann", {"kind": "junk", "images": [2]})
    crowd.told = {"a": False, "b": False, "c": True}
    assert crowd.check() == [
        "lost: a",
        "never sent: e",
        "refused and stored: c",
        "never answered: d",
        "doubled: b",
        "3 is signed by ben instead of ann",
        "4 holds other images than were sent",
        "5 is signed by cy instead of ",
    ]
