"""How sure a likeness is: the curve, what it is learnt from, and who joins by it beforehand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from pul.labelling.annotations import Annotations, Side, create, not_same
from pul.labelling.suggestions import SURE, join_sure, suggest_more
from pul.labelling.suggestions.calibration import NONE, Answered, Compared, calibrate
from tests.support.events import said
from tests.support.people import People, make_people


def draw(n: int, *, slope: float, middle: float, seed: int = 0) -> Answered:
    """Return answers whose log-odds are a line."""
    random = np.random.default_rng(seed)
    likeness = random.uniform(0, 1, n)
    return Answered(likeness, likeness, random.random(n) < expit(slope * (likeness - middle)))


def alike(*likeness: float) -> Compared:
    return Compared(np.array(likeness), np.array(likeness))


def reliability(probability: np.ndarray, is_same: np.ndarray) -> float:
    """Return the expected calibration error: over tenths, how far the share is from the mean."""
    tenths = np.minimum((10 * probability).astype(int), 9)
    gaps = [
        abs(probability[tenths == tenth].mean() - is_same[tenths == tenth].mean())
        * np.mean(tenths == tenth)
        for tenth in np.unique(tenths)
    ]
    return float(sum(gaps))


def test_calibrate__nothing_answered_is_even_at_one_person() -> None:
    calibration = calibrate(NONE)
    assert calibration.n_answers == 0
    assert calibration.probability(alike(0.55, 0.55 + 0.15)) == pytest.approx([0.5, expit(2)])


def test_calibrate__many_answers_agree_with_logistic_regression() -> None:
    answered = draw(4000, slope=20, middle=0.4)
    calibration = calibrate(answered)
    peer = LogisticRegression(C=1e9).fit(answered.mean[:, None], answered.is_same)
    grid = np.linspace(0, 1, 21)
    expected = peer.predict_proba(grid[:, None])[:, 1]
    assert np.abs(calibration.probability(Compared(grid, grid)) - expected).max() < 0.01


@pytest.mark.parametrize("middle", [0.3, 0.5, 0.8])
def test_calibrate__is_reliable_on_answers_that_it_did_not_see(middle: float) -> None:
    calibration = calibrate(draw(300, slope=15, middle=middle, seed=1))
    unseen = draw(20_000, slope=15, middle=middle, seed=2)
    sureness = calibration.probability(Compared(unseen.mean, unseen.highest))
    assert reliability(sureness, unseen.is_same) < 0.04


def test_calibrate__the_clustering_weighs_as_twenty_answers() -> None:
    rehearsed = draw(1000, slope=30, middle=0.8)
    alone = calibrate(NONE, rehearsed)
    assert alone.probability(alike(0.8))[0] == pytest.approx(0.5, abs=0.15)
    people = draw(1000, slope=30, middle=0.3)
    both = calibrate(people, rehearsed)
    assert both.probability(alike(0.8))[0] > 0.95


# Who joins beforehand


def scattered(people: People) -> People:
    """Return people whose look at each camera is a cluster: their other looks are candidates."""
    return replace(people, clusters=people.pids * 10 + people.camids)


def one_look(people: People, pid: int) -> list[int]:
    return people.image_ids[(people.pids == pid) & (people.camids == 1)].tolist()


def test_join_sure__joins_the_rest_of_a_clear_person_and_nobody_else() -> None:
    people = scattered(make_people(30, noise=0.2))
    joined, others = join_sure(people.index(), Annotations(), one_look(people, 4))
    images = np.concatenate([candidate.images for candidate in joined])
    assert people.pids_of(images) == {4}
    assert len(images) == 8  # at the two other cameras
    assert all(candidate.probability >= SURE for candidate in joined)
    assert all(candidate.probability < SURE for candidate in others)


def test_join_sure__nobody_whom_answers_make_unsure() -> None:
    # Everyone who looks as like is said to be somebody else, again and again.
    people = scattered(make_people(60, noise=0.2))
    index, acts = people.index(), []
    for pid in range(1, 51):
        acts.append(create(one_look(people, pid)))
        rest = people.image_ids[(people.pids == pid) & (people.camids > 1)]
        acts.append(not_same(Side(2 * pid - 1), Side(images=tuple(rest.tolist()))))
    state = said(*acts)
    assert index.calibration(state).n_answers == 100
    assert join_sure(index, state, one_look(people, 55))[0] == []


def test_calibration__is_learnt_from_what_joined_and_what_was_refused() -> None:
    people = scattered(make_people(30, noise=0.2))
    index = people.index()
    whole = people.image_ids[people.pids == 1].tolist()
    strangers, others = (
        people.image_ids[(people.pids == pid) & (people.camids == 2)].tolist() for pid in (2, 3)
    )
    state = said(create(whole, refused=strangers, shown=others))
    # Of person 1 the two looks beside the largest, who was refused, and who was left.
    assert index.calibration(state).n_answers == 4
    assert index.calibration(state) is index.calibration(state)


def test_suggest_more__says_how_sure_it_is() -> None:
    people = scattered(make_people(30, noise=0.3))
    row = suggest_more(people.index(), Annotations(), one_look(people, 4))
    sureness = {min(people.pids_of(each.images)): each.probability for each in reversed(row)}
    assert sureness[4] > 0.8 > max(each for pid, each in sureness.items() if pid != 4)
