from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from pul.arrays import DoubleArray
from pul.data.samples import Sample
from pul.errors import ConfigError, DataError, FeatureError
from pul.reproduce.baselines.umdl import (
    UmdlConfig,
    UmdlEncoder,
    _Domain,
    _fit_atoms,
    choose_images,
    choose_people,
    fit_umdl,
    match_across_cameras,
)

SMALL = UmdlConfig(n_atoms=4, n_iterations=4, n_rounds=2)


def random(*shape: int, seed: int = 0) -> DoubleArray:
    return np.random.default_rng(seed).normal(size=shape)


# The atoms


def test_fit_atoms__short_ones_are_least_squares() -> None:
    codes, target = random(30, 3), 0.1 * random(30, 6, seed=1)
    atoms = _fit_atoms(codes.T @ codes, codes.T @ target)
    np.testing.assert_allclose(atoms, np.linalg.lstsq(codes, target)[0], atol=1e-6)


def test_fit_atoms__one_long_atom_by_hand() -> None:
    # 2 d is to explain (6, 8): d = (3, 4) is too long, and (0.6, 0.8) the nearest that is not
    atoms = _fit_atoms(np.array([[4.0]]), np.array([[12.0, 16.0]]))
    np.testing.assert_allclose(atoms, [[0.6, 0.8]], atol=1e-6)


def test_fit_atoms__equals_a_search_under_the_constraint() -> None:
    codes, target = random(12, 3), random(12, 4, seed=1)
    atoms = _fit_atoms(codes.T @ codes, codes.T @ target)
    found = minimize(
        lambda flat: np.sum((target - codes @ flat.reshape(3, 4)) ** 2),
        np.zeros(12),
        method="SLSQP",
        constraints={
            "type": "ineq",
            "fun": lambda flat: 1 - np.sum(flat.reshape(3, 4) ** 2, axis=1),
        },
        options={"maxiter": 500, "ftol": 1e-14},
    )
    np.testing.assert_allclose(atoms, found.x.reshape(3, 4), atol=1e-3)


# The codes


@pytest.mark.parametrize("is_target", [False, True])
def test_update_codes__no_other_codes_are_better(is_target: bool) -> None:
    rng, shared = np.random.default_rng(0), random(4, 7, seed=1)
    links = np.abs(random(6, 6, seed=2))
    links += links.T
    domain = _Domain(random(6, 7), links, is_target, SMALL, rng)
    domain.residual_codes = random(6, 4, seed=3)
    before = domain.residual_codes.copy()
    domain.update_codes(shared)

    def loss(codes: DoubleArray) -> float:
        return _loss(domain, shared, codes, links, before)

    best = loss(domain.codes)
    for seed in range(20):
        step = 1e-3 * random(*domain.codes.shape, seed=seed)
        assert best < loss(domain.codes + step)
        assert loss(domain.codes + step) == pytest.approx(loss(domain.codes - step), rel=1e-9)


def _loss(
    domain: _Domain, shared: DoubleArray, codes: DoubleArray, links: DoubleArray, residual_codes
) -> float:
    """What the codes are to minimise, written out term by term."""
    x, c = domain.features, SMALL
    by_shared = codes[:, : len(shared)] @ shared
    by_unique = codes[:, len(shared) :] @ domain.unique
    rest = x - by_shared - by_unique
    total = np.sum(rest**2) + c.beta**2 * np.sum((rest - residual_codes @ domain.residual) ** 2)
    if domain.is_target:
        total += np.sum((x - by_shared) ** 2)
    differences = np.sum((codes[:, None] - codes) ** 2, axis=2)
    return total + c.alpha * np.sum(links * differences) / 2 + c.gamma * np.sum(codes**2)


# The links


def test_match_across_cameras__by_hand() -> None:
    # 0 and 2 look alike, and 1 and 3; 0 and 1 more so, but they are of one camera.
    codes = np.array([[1.0, 0.0], [0.9, 0.1], [0.8, -0.6], [0.0, 1.0]])
    links = match_across_cameras(codes, [1, 1, 2, 2])
    assert links[0, 2] == links[2, 0] == pytest.approx(0.8)
    assert links[1, 3] == links[3, 1] == pytest.approx(0.1 / np.hypot(0.9, 0.1))
    assert np.count_nonzero(links) == 4


def test_match_across_cameras__never_within_a_camera() -> None:
    codes, camids = random(30, 5), np.arange(30) % 3
    links = match_across_cameras(codes, camids)
    assert (links[camids[:, None] == camids] == 0).all()
    np.testing.assert_array_equal(links, links.T)
    assert (links.sum(axis=1) > 0).all()


# The images


def test_choose_people__whole_and_with_identity() -> None:
    samples = [Sample(Path(f"{pid}_{n}"), pid) for pid in (-1, 0, 1, 2, 3) for n in range(4)]
    chosen = choose_people(samples, 6, seed=0)
    pids = [sample.pid for sample in chosen]
    assert len(pids) == 8
    assert len(set(pids)) == 2
    assert min(pids) > 0
    with pytest.raises(DataError, match="No image of this source has an identity"):
        choose_people([Sample(Path("a"))], 1, seed=0)


def test_choose_images__some_at_random_each_once() -> None:
    samples = [Sample(Path(str(n))) for n in range(50)]
    chosen = choose_images(samples, 20, seed=1)
    assert len(set(chosen)) == 20
    assert chosen != samples[:20]
    assert choose_images(samples, 99, seed=1) == samples


# The whole


def test_fit_umdl__same_seed_same_atoms_within_length_one() -> None:
    target, source = random(20, 9), random(15, 9, seed=1)
    calls: list[tuple[int, int]] = []
    first, second = (
        fit_umdl(
            target,
            np.arange(20) % 2,
            [(source, np.arange(15) // 3)],
            seed=7,
            config=SMALL,
            on_progress=lambda *call: calls.append(call),
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.atoms, second.atoms)
    assert first.atoms.shape == (12, 9)
    assert (np.linalg.norm(first.atoms, axis=1) <= 1 + 1e-9).all()
    assert calls[:8] == [(done, 8) for done in range(1, 9)]


def test_fit_umdl__codes_forget_the_camera() -> None:
    """People are directions, a camera adds the same large vector to all of them."""
    rng = np.random.default_rng(0)
    camera = 2 * random(2, 40, seed=9)

    def see(people: DoubleArray) -> tuple[DoubleArray, np.ndarray, np.ndarray]:
        pids, camids = np.repeat(np.arange(len(people)), 2), np.tile([0, 1], len(people))
        seen = people[pids] + camera[camids] + 0.2 * rng.normal(size=(len(pids), 40))
        return seen, pids, camids

    basis = random(6, 40, seed=1)
    target, pids, camids = see(random(25, 6, seed=2) @ basis)
    source, source_pids, _ = see(random(25, 6, seed=3) @ basis)
    config = UmdlConfig(n_atoms=6, n_iterations=10, n_rounds=2)
    encoder = fit_umdl(target, camids, [(source, source_pids)], seed=0, config=config)
    plain, coded = (_rank_1(values, pids, camids) for values in (target, encoder.encode(target)))
    assert coded > plain


def _rank_1(values: DoubleArray, pids: np.ndarray, camids: np.ndarray) -> float:
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    query, gallery = camids == 0, camids == 1
    nearest = (unit[query] @ unit[gallery].T).argmax(axis=1)
    return float(np.mean(pids[gallery][nearest] == pids[query]))


def test_encode__is_a_ridge_regression_without_the_residual() -> None:
    atoms = np.eye(3)
    codes = UmdlEncoder(atoms, ridge=1.0).encode([[2.0, 4.0, 6.0]])
    assert codes.tolist() == [[1.0, 2.0]]


def test_fit_umdl__says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="labelled source"):
        fit_umdl(random(4, 3), [1, 1, 2, 2], [], seed=0)
    with pytest.raises(FeatureError, match="4 features need as many ids"):
        fit_umdl(random(4, 3), [1, 2], [(random(4, 3), [1, 1, 2, 2])], seed=0)
    with pytest.raises(ConfigError, match="at least 1"):
        UmdlConfig(n_rounds=0)
    with pytest.raises(ConfigError, match="above 0"):
        UmdlConfig(ridge=0.0)
