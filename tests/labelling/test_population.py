"""How many people there are, against drawn crowds whose number is known."""

import numpy as np
import pytest

from pul.errors import ConfigError
from pul.labelling.population import Plan, draw_plan, estimate


def crowd(n_people: int, seed: int) -> np.ndarray:
    """Return the person of each unit: people of 1 to 20 units, in random order."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 21, n_people)
    return random.permutation(np.repeat(np.arange(n_people), sizes))


def answers(plan: Plan, pids: np.ndarray) -> np.ndarray:
    return (pids[plan.units][:, None] == pids[plan.others]).astype(np.float64)


def guess(pids: np.ndarray, error: float, seed: int):
    """Return a likeness that is right on average: of a person's units most, of a stranger few."""
    noise = np.random.default_rng(seed).random((len(pids), len(pids)))

    def similarity(unit: int) -> np.ndarray:
        is_same = pids == pids[unit]
        return np.where(is_same, 1 - error * noise[unit], 0.02 * error * noise[unit])

    return similarity


def test_estimate__is_exact_where_the_likeness_is_the_truth() -> None:
    pids = crowd(50, seed=0)
    degrees = np.bincount(pids)[pids]
    plan = draw_plan(1 / degrees, lambda unit: (pids == pids[unit]) * 1.0, seed=1)
    found = estimate(plan, answers(plan, pids))
    assert found == pytest.approx((50, 50, 50, 8))


def test_estimate__by_hand() -> None:
    # Two draws of four units, each with two of three others: 4 / (1 + 3 / 2) and 4 / 1.
    plan = Plan(np.array([0, 1]), np.full(2, 4.0), np.array([[1, 2], [2, 3]]), np.full((2, 2), 1.5))
    found = estimate(plan, np.array([[1.0, 0.0], [0.0, 0.0]]))
    first, second = 4 / 2.5, 4.0
    assert found is not None
    assert found.n_people == pytest.approx((first + second) / 2)
    spread = abs(first - second) / np.sqrt(2) / np.sqrt(2)
    assert found.high - found.n_people == pytest.approx(12.706 * spread, rel=1e-4)
    assert found.low == 1  # there is somebody


def test_estimate__agrees_with_counting_all() -> None:
    # Every unit with every other one is no sample: the number is exact.
    pids = crowd(7, seed=3)
    n = len(pids)
    others = np.array([[v for v in range(n) if v != u] for u in range(n)])
    plan = Plan(np.arange(n), np.full(n, float(n)), others, np.ones(others.shape))
    found = estimate(plan, answers(plan, pids))
    assert found is not None
    assert found.n_people == pytest.approx(len(set(pids.tolist())))


@pytest.mark.parametrize("error", [0.3, 0.7])
def test_estimate__the_interval_covers_the_truth(error: float) -> None:
    n_people, n_covered, found_all = 60, 0, []
    for seed in range(200):
        pids = crowd(n_people, seed)
        degrees = np.bincount(pids)[pids]
        wrong = np.random.default_rng(seed).uniform(0.5, 2, len(pids))
        alike = guess(pids, error, seed)
        plan = draw_plan(wrong / degrees, alike, n_units=24, n_others=8, seed=seed)
        found = estimate(plan, answers(plan, pids))
        assert found is not None
        n_covered += found.low <= n_people <= found.high
        found_all.append(found.n_people)
    assert n_covered >= 180  # of 200: 95 % are meant
    assert np.mean(found_all) == pytest.approx(n_people, rel=0.1)


def test_estimate__more_answers_make_the_interval_narrower() -> None:
    pids = crowd(60, seed=0)
    widths = []
    for n_units in (20, 80, 320):
        plan = draw_plan(np.ones(len(pids)), guess(pids, 0.5, 0), n_units=n_units, seed=0)
        found = estimate(plan, answers(plan, pids))
        assert found is not None
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)


def test_estimate__leaves_out_what_is_not_known() -> None:
    pids = crowd(30, seed=0)
    plan = draw_plan(np.ones(len(pids)), guess(pids, 0.5, 0), n_units=10, n_others=4, seed=0)
    known = answers(plan, pids)
    half = known.copy()
    half[5:] = np.nan
    part = Plan(*(column[:5] for column in plan))
    assert estimate(plan, half) == estimate(part, known[:5])
    half[1:] = np.nan
    assert estimate(plan, half) is None


def test_draw_plan__never_compares_a_unit_with_itself_and_repeats_by_its_seed() -> None:
    pids = crowd(10, seed=0)
    plans = [draw_plan(np.ones(len(pids)), guess(pids, 0.5, 0), seed=seed) for seed in (4, 4, 5)]
    assert (plans[0].units[:, None] != plans[0].others).all()
    assert all(len(set(row)) == 24 for row in plans[0].others.tolist())
    assert all(np.array_equal(*columns) for columns in zip(*plans[:2], strict=True))
    assert not np.array_equal(plans[0].others, plans[2].others)


def test_draw_plan__of_a_unit_that_is_like_nobody() -> None:
    plan = draw_plan(np.ones(5), lambda unit: np.zeros(5), seed=0)
    assert plan.others.shape == (8, 4)  # all others
    two = draw_plan(np.ones(5), lambda unit: np.zeros(5), n_others=2, seed=0)
    assert two.other_weights == pytest.approx(2)


def test_draw_plan__each_is_among_the_others_as_often_as_its_weight_says() -> None:
    likely = np.array([0.0, 0.9, 0.6, 0.3, 0.1, 0.1])
    counts, chance = np.zeros(6), np.zeros(6)
    for seed in range(1000):
        plan = draw_plan(
            np.array([1e9, 1, 1, 1, 1, 1]), lambda unit: likely, n_units=1, n_others=3, seed=seed
        )
        counts[plan.others[0]] += 1
        chance[plan.others[0]] = 1 / plan.other_weights[0]
    assert chance[1] == 1  # 3 · 0.9 / 2 is over 1
    assert chance.sum() == pytest.approx(3)
    assert counts / 1000 == pytest.approx(chance, abs=0.05)


def test_draw_plan__refuses_what_means_nothing() -> None:
    for chances in (np.ones(1), np.array([1.0, 0.0]), np.array([1.0, np.nan])):
        with pytest.raises(ConfigError, match="two units"):
            draw_plan(chances, lambda unit: np.ones(2))
