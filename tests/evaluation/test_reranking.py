import numpy as np
import pytest

from pul.cluster.jaccard import jaccard_distances
from pul.errors import ConfigError, FeatureError
from pul.evaluation.reranking import k_reciprocal


def on_circle(degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def squared_chord(degrees):
    """Squared distance of two unit vectors at this angle: 2 - 2 cos."""
    return 2 - 2 * np.cos(np.deg2rad(degrees))


def test_k_reciprocal__nothing_mutual_by_hand():
    # Of k1 = 1 neighbour, the query's is at 10°, whose own is at 14°: the query's neighbourhood is
    # itself, shared with nobody, and all Jaccard distances are 1. The farthest is at 90°: 2 - 0.
    distances = k_reciprocal(on_circle([0]), on_circle([10, 14, 90]), k1=1, k2=1, lambda_=0.3)
    expected = [0.7 + 0.3 * squared_chord(angle) / 2 for angle in (10, 14, 90)]
    np.testing.assert_allclose(distances, [expected], atol=1e-6)


def test_k_reciprocal__mutual_pair_by_hand():
    # The query and the image at 2° are mutual neighbours, of weight exp(-d² / the farthest d²).
    other = np.exp(-squared_chord(2) / squared_chord(90))  # as the query sees it
    mine = np.exp(-squared_chord(2) / squared_chord(88))  # as it sees the query
    shared = other / (1 + other) + mine / (1 + mine)  # the smaller weights of the two
    jaccard = 1 - shared / (2 - shared)
    distances = k_reciprocal(on_circle([0]), on_circle([2, 90]), k1=1, k2=1, lambda_=0.3)
    original = squared_chord(2) / 2
    np.testing.assert_allclose(distances, [[0.7 * jaccard + 0.3 * original, 1]], atol=1e-6)


# A second source: the definitions of Zhong et al. as sets, one image at a time.


def _reference_neighborhood(ranking, p, k1):
    """Return R*(p, k1): Eqs. 3 and 5."""

    def mutual(i, k):
        return {j for j in ranking[i, : k + 1] if i in ranking[j, : k + 1]}

    expanded = mutual(p, k1)
    for q in mutual(p, k1):
        half = mutual(q, round(k1 / 2))
        if len(half & mutual(p, k1)) > 2 / 3 * len(half):
            expanded |= half
    return sorted(expanded)


def reference_jaccard(features, k1, k2, *, is_scaled=True):
    """Return the Jaccard distances and the scaled squared distances, both (N, N)."""
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    squared = np.square(features[:, None] - features).sum(axis=2)
    scaled = squared / squared.max(axis=1, keepdims=True)
    ranking = np.argsort(squared, axis=1, kind="stable")
    codes = np.zeros_like(scaled)
    for p in range(len(features)):
        members = _reference_neighborhood(ranking, p, k1)
        codes[p, members] = np.exp(-(scaled if is_scaled else squared)[p, members])
    codes /= codes.sum(axis=1, keepdims=True)
    codes = np.array([codes[row[:k2]].mean(axis=0) for row in ranking])  # query expansion, Eq. 11
    smaller = np.minimum(codes[:, None], codes).sum(axis=2)
    larger = np.maximum(codes[:, None], codes).sum(axis=2)
    return 1 - smaller / larger, scaled


@pytest.fixture
def features():
    """Features of 60 images of 9 people."""
    rng = np.random.default_rng(2)
    means = rng.standard_normal((9, 10))
    return means[rng.integers(0, 9, 60)] + 0.6 * rng.standard_normal((60, 10))


@pytest.mark.parametrize(("k1", "k2"), [(20, 6), (7, 1), (5, 3), (4, 2), (100, 80)])
def test_k_reciprocal__agrees_with_the_reference(features, k1, k2):
    jaccard, scaled = reference_jaccard(features, k1, k2)
    expected = (0.7 * jaccard + 0.3 * scaled)[:15, 15:]
    distances = k_reciprocal(features[:15], features[15:], k1=k1, k2=k2)
    assert distances.dtype == np.float32
    np.testing.assert_allclose(distances, expected, atol=1e-6)


@pytest.mark.parametrize("max_distance", [0.45, 1.0])
def test_jaccard_distances__agree_with_the_reference(features, max_distance):
    expected, _ = reference_jaccard(features, 8, 3)
    found = jaccard_distances(features, k1=8, k2=3, max_distance=max_distance).tocoo()
    rows, columns = np.nonzero((expected <= max_distance) & (expected < 1 - 1e-9))
    assert np.array_equal(np.stack([found.row, found.col]), np.stack([rows, columns]))
    np.testing.assert_allclose(found.data, expected[rows, columns], atol=1e-6)


def test_jaccard_distances__weights_not_scaled_agree_with_the_reference(features):
    expected, _ = reference_jaccard(features, 8, 3, is_scaled=False)
    found = jaccard_distances(features, k1=8, k2=3, scaled=False).toarray()
    near = expected < 1 - 1e-9
    np.testing.assert_allclose(found[near], expected[near], atol=1e-6)
    assert not np.allclose(expected, reference_jaccard(features, 8, 3)[0])


def test_k_reciprocal__lambda_one_is_the_original_ranking(features):
    distances = k_reciprocal(features[:15], features[15:], lambda_=1)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = np.argsort(-unit[:15] @ unit[15:].T, axis=1)
    assert np.array_equal(np.argsort(distances, axis=1), expected)


def test_k_reciprocal__copies_only():
    same = np.ones((6, 3))
    distances = k_reciprocal(same[:2], same[2:], k1=3, k2=2)
    assert np.isfinite(distances).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [({"k1": 0}, "but are 0 and 6"), ({"k2": 0}, "but are 20 and 0"), ({"lambda_": 1.5}, "is 1.5")],
)
def test_k_reciprocal__bad_settings_say_the_value(features, options, says):
    with pytest.raises(ConfigError, match=says):
        k_reciprocal(features[:15], features[15:], **options)


def test_k_reciprocal__features_of_two_networks(features):
    with pytest.raises(FeatureError, match=r"\(15, 10\) and \(60, 9\)"):
        k_reciprocal(features[:15], features[:, :9])


def test_jaccard_distances__no_images():
    assert jaccard_distances(np.empty((0, 4))).shape == (0, 0)
