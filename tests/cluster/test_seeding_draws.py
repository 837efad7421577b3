import numpy as np
import pytest

from pul.cluster.seeding import _DistanceTable, seed_clusters


@pytest.mark.parametrize(("n_clusters", "n_trials"), [(2, 2), (3, 3), (7, 3), (8, 4)])
def test_seed_clusters__takes_the_best_of_2_plus_log_k_trials(n_clusters, n_trials):
    # 30 images at 0, one at +10 and five at -5. After a first seed at 0 a trial is the one at 10
    # with probability 100 / 225. It leaves 125 to the next seed, the others leave 100: it is taken
    # only where all trials are it.
    features = np.array([0.0] * 30 + [10] + [-5] * 5, dtype=np.float32)[:, None]
    seconds = []
    for seed in range(1200):
        seeds, _ = seed_clusters(features, n_clusters, np.random.default_rng(seed))
        if seeds[0] < 30:
            seconds.append(seeds[1] == 30)
    expected = (100 / 225) ** n_trials
    deviation = np.sqrt(expected * (1 - expected) / len(seconds))
    assert np.mean(seconds) == pytest.approx(expected, abs=3 * deviation)


def test_seed_clusters__later_seeds_follow_the_law_of_then():
    # Ten places of ten copies each, at distances that grow: a seed from an outdated law would often
    # be a copy of one that is a seed already.
    features = np.repeat(2.0 ** np.arange(10), 10).astype(np.float32)[:, None]
    for seed in range(20):
        seeds, clusters = seed_clusters(features, 10, np.random.default_rng(seed))
        assert sorted(seeds // 10) == list(range(10))
        assert np.array_equal(seeds[clusters] // 10, np.arange(100) // 10)


@pytest.mark.parametrize("block_bytes", [1, 4 * 3 * 2])  # blocks of one image, and of two
@pytest.mark.parametrize("is_rounded", [False, True])
def test_distance_table__by_hand(monkeypatch, is_rounded, block_bytes):
    # Small whole numbers and a mean of (2, 1, 0): exact in bfloat16 too.
    features = np.array([[0, 0, 0], [4, 0, 0], [2, 3, 0], [2, 1, 0]], dtype=np.float32)
    monkeypatch.setattr("pul.cluster.seeding._MANY_PRODUCTS", 0 if is_rounded else 10**11)
    monkeypatch.setattr("pul.models.devices.has_bfloat16", lambda _: True)
    monkeypatch.setattr("pul.cluster.seeding._BLOCK_BYTES", block_bytes)
    table = _DistanceTable(features, 5)
    assert table.squares.tolist() == [5, 5, 4, 0]  # |x|² from the mean
    found = table.of(np.array([1, 2]))
    assert (found.dtype, table.squares.dtype) == (np.float32, np.float32)
    # |x - c|² to (4, 0, 0) and to (2, 3, 0)
    assert (found + table.squares).tolist() == [[16, 0, 13, 5], [13, 13, 0, 4]]


@pytest.mark.parametrize(
    ("many", "has_bfloat16", "is_rounded"),
    [(10**11, True, False), (0, False, False), (0, True, True), (6 * 7, True, False)],
)
def test_distance_table__rounds_many_products_where_the_cpu_can(
    monkeypatch, many, has_bfloat16, is_rounded
):
    monkeypatch.setattr("pul.cluster.seeding._MANY_PRODUCTS", many)
    monkeypatch.setattr(
        "pul.models.devices.has_bfloat16", lambda device: has_bfloat16 and device == "cpu"
    )
    features = np.array([[0.0, 0], [1, 0], [2.003, 0]], dtype=np.float32)
    table = _DistanceTable(features, 7)
    found = table.of(np.array([0])) + table.squares  # the third image is at 2.003² = 4.012
    assert found[0, 2] == pytest.approx(4 if is_rounded else 4.012009, abs=1e-5)


def test_distance_table__an_image_is_at_exactly_zero_from_itself():
    features = np.random.default_rng(0).standard_normal((50, 24)).astype(np.float32) + 100
    table = _DistanceTable(features, 2)
    found = table.of(np.arange(50)) + table.squares
    assert np.diagonal(found).tolist() == [0] * 50


def test_seed_clusters__small_distances_count_as_large_ones_do():
    # D² sums to less than 1: the one far image is drawn all the same, never one of the copies.
    features = np.array([0.0] * 50 + [0.01], dtype=np.float32)[:, None]
    for seed in range(20):
        seeds, _ = seed_clusters(features, 2, np.random.default_rng(seed))
        assert 50 in seeds


def test_seed_clusters__of_equally_near_seeds_the_first():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        features = rng.integers(-2, 3, (8, 2)).astype(np.float32)  # eighths: exact in float32
        seeds, clusters = seed_clusters(features, 4, rng)
        distances = np.square(features[:, None] - features[seeds]).sum(axis=2)
        assert clusters.tolist() == distances.argmin(axis=1).tolist()


@pytest.mark.parametrize("n_candidates", [9, 10, 255])
def test_seed_clusters__blocks_of_any_size(monkeypatch, n_candidates):
    monkeypatch.setattr("pul.cluster.seeding._BLOCK_BYTES", 4 * 64 * n_candidates)
    features = np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)
    seeds, _ = seed_clusters(features, 40, np.random.default_rng(0))
    assert len(set(seeds.tolist())) == 40
