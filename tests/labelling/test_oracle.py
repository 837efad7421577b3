"""The oracle labels made-up people through acts alone; its pace is worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pul.errors import ConfigError
from pul.labelling.annotations import Annotations, create, fold
from pul.labelling.effort import Effort
from pul.labelling.label_quality import measure
from pul.labelling.oracle import STRATEGIES, Oracle, Strategy, plan_joins
from tests.support.events import Log, log
from tests.support.people import People, make_people


def make_oracle(
    people: People, *, strategy: Strategy = "queue", error_rate: float = 0.0, seed: int = 0
) -> Oracle:
    return Oracle(
        people.index(),
        people.truth(),
        Log(),
        Annotations(),
        strategy=strategy,
        error_rate=error_rate,
        seed=seed,
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_label__easy_people_are_whole_and_pure(strategy: Strategy) -> None:
    report = make_oracle(make_people(noise=0.3), strategy=strategy).label(8)
    assert len(report.identities) == 8
    assert len({known.pid for known in report.identities}) == 8
    assert (report.precision, report.recall, report.n_images) == (1.0, 1.0, 96)


def test_label__pace_of_one_clear_card() -> None:
    # One look at the card, one at the row of candidates, Enter: nothing to click.
    report = make_oracle(make_people(noise=0.1)).label(1)
    assert report.effort.n_actions == 1
    assert report.effort.seconds == pytest.approx(1.35 + 1.35 + 0.2)


@pytest.mark.parametrize(
    ("row", "n_joined", "singly", "last"),
    [
        ("", 0, [], None),
        ("..x", 0, [2], None),
        ("x.x", 0, [2], 0),
        ("xx", 0, [], 1),
        ("xxx.x.", 0, [4], 2),
        ("xx.", 2, [], None),
        ("x.x", 3, [1], None),
        ("x.xx.x", 2, [1, 5], 3),
        (".x", 1, [0], 1),
    ],
)
def test_plan_joins__strangers_out_singly_and_the_first_ones_by_the_chord_that_ends_the_row(
    row: str, n_joined: int, singly: list[int], last: int | None
) -> None:
    assert plan_joins([mark == "x" for mark in row], n_joined) == (singly, last)


def test_effort__of_joining() -> None:
    # A number key; Shift and a number key; a click, as the tenth has no key; Shift and a click.
    paces = {(0, False): 0.2, (8, True): 0.2 + 0.2, (9, False): 1.1, (9, True): 1.1 + 0.2}
    for (place, is_last), seconds in paces.items():
        effort = Effort()
        effort.join(place, is_last=is_last)
        assert (effort.n_actions, effort.seconds) == (1, pytest.approx(seconds))
    whole = Effort()
    whole.join(11, is_last=True, is_whole=True)  # a whole row has a key: Shift and 0
    assert (whole.n_actions, whole.seconds) == (1, pytest.approx(0.2 + 0.2))


def test_label__joins_the_first_of_a_row_and_is_done_with_it_by_one_act() -> None:
    # Everyone looks different from camera to camera, and each look is a cluster: two candidates.
    people = make_people(40, noise=0.1)
    clothes = 0.6 * np.random.default_rng(0).normal(size=(40, 4, 128))
    features = np.hstack([people.features, clothes[people.pids - 1, people.camids]])
    clusters = people.pids * 10 + people.camids
    people = replace(people, features=features.astype(np.float32), clusters=clusters)
    report = make_oracle(people).label(1)
    assert report.recall == 1
    # Look at the card and at the row, Shift+2; a row of strangers; Enter.
    assert report.effort.n_actions == 2
    assert report.effort.seconds == pytest.approx(3 * 1.35 + (0.2 + 0.2) + 0.2)


def test_label__errors_cost_precision_and_the_seed_repeats_them() -> None:
    people = make_people(noise=0.6)
    reports = [make_oracle(people, error_rate=0.2, seed=seed).label(8) for seed in (1, 1, 2)]
    assert reports[0] == reports[1] != reports[2]
    assert reports[0].precision < 1


def test_label__goes_on_from_what_is_known() -> None:
    people = make_people(noise=0.3)
    first = make_oracle(people)
    first.label(5)
    second = Oracle(people.index(), people.truth(), first.store, first.annotations)
    second.label(100)
    assert (
        len({known.pid for known in measure(first.store.state, people.truth(), people.image_ids)})
        == 12
    )  # type: ignore[attr-defined]
    assert len(second.annotations.identities) == 12


def test_label__tells_how_far_it_is() -> None:
    steps: list[tuple[int, int]] = []
    make_oracle(make_people(noise=0.3)).label(2, on_progress=lambda *step: steps.append(step))
    assert steps == [(1, 2), (2, 2)]


def test_measure__by_hand() -> None:
    truth = {1: 7, 2: 7, 3: 7, 4: 7, 5: 8, 6: 8}
    state = fold(log(create([1, 2, 3, 5]), create([6])))
    first, second = measure(state, truth, np.arange(1, 7))
    assert (first.pid, first.n_images, first.precision, first.recall) == (7, 4, 0.75, 0.75)
    assert (second.pid, second.precision, second.recall) == (8, 1.0, 0.5)


def test_oracle__refuses_what_means_nothing() -> None:
    people = make_people(2)
    with pytest.raises(ConfigError, match="strategy 'best'"):
        make_oracle(people, strategy="best")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="error rate"):
        make_oracle(people, error_rate=1.0)
