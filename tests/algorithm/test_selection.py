import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pul.algorithm.selection import (
    center_margins,
    center_similarities,
    select_reliable,
    spread_over_cameras,
    threshold,
)
from pul.errors import ConfigError

# Two clusters on the plane. Cosines to the own center, by hand:
#   0: center of cluster 0 at (1, 0)             1
#   1: (1, 1) of cluster 0                       1/√2 = 0.707
#   2: (0, 2) of cluster 0                       0
#   3: center of cluster 1 at (0, 3)             1
#   4: (3, 4) of cluster 1                       0.8
FEATURES = np.array([[1, 0], [1, 1], [0, 2], [0, 3], [3, 4]], dtype=np.float32)
CLUSTERS = np.array([0, 0, 0, 1, 1])
CENTERS = np.array([0, 3])


def test_center_similarities__by_hand():
    own = center_similarities(FEATURES, CLUSTERS, CENTERS)
    np.testing.assert_allclose(own, [1, np.sqrt(0.5), 0, 1, 0.8], atol=1e-6)
    nearest = center_similarities(FEATURES, CLUSTERS, CENTERS, selection="any")
    np.testing.assert_allclose(nearest, [1, np.sqrt(0.5), 1, 1, 0.8], atol=1e-6)


@pytest.mark.parametrize(
    ("lambda_", "selection", "expected"),
    [
        (0.75, "own", [1, 0, 0, 1, 1]),
        (0.75, "any", [1, 0, 1, 1, 1]),  # image 2 points at the other cluster's center
        (0.70, "own", [1, 1, 0, 1, 1]),
        (1.0, "own", [1, 0, 0, 1, 0]),  # the constraint of Eq. 2: one image a cluster
        (None, "own", [1, 1, 1, 1, 1]),  # Table III
        (0.0, "own", [1, 1, 1, 1, 1]),
        (-0.5, "own", [1, 1, 1, 1, 1]),
    ],
)
def test_select_reliable__by_hand(lambda_, selection, expected):
    reliable = select_reliable(
        FEATURES, CLUSTERS, CENTERS, lambda_=lambda_, selection=selection
    ).reliable
    assert reliable.tolist() == [bool(value) for value in expected]


def test_select_reliable__lambda_outside_says_the_value():
    with pytest.raises(ConfigError, match=r"1\.2.*0\.85"):
        select_reliable(FEATURES, CLUSTERS, CENTERS, lambda_=1.2)


def _reference_select(features, clusters, centers, lambda_, selection):
    """Lines 7-16 of Algorithm 1 as loops, with v_i never reset."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    reliable = np.zeros(len(features), bool)
    for k, center in enumerate(centers):
        for i in range(len(features)):
            if (selection == "any" or clusters[i] == k) and unit[i] @ unit[center] > lambda_:
                reliable[i] = True
        reliable[center] = True
    return reliable


@given(
    arrays(np.float32, (12, 3), elements=st.floats(0.125, 8, width=32)),
    st.sampled_from(["own", "any"]),
    st.floats(0.05, 0.99),
    st.floats(0, 0.5),
)
def test_select_reliable__agrees_with_the_loops_and_is_monotone(features, selection, low, more):
    clusters = np.arange(12) % 4
    centers = np.arange(4)
    cosines = center_similarities(features, clusters, centers, selection=selection)
    lambda_ = low if np.abs(cosines - low).min() > 1e-4 else None  # no ties with rounding
    if lambda_ is None:
        return
    reliable = select_reliable(
        features, clusters, centers, lambda_=lambda_, selection=selection
    ).reliable
    expected = _reference_select(features, clusters, centers, lambda_, selection)
    assert (reliable == expected).all()
    stricter = threshold(cosines, centers, lambda_=min(1.0, lambda_ + more))
    assert not (stricter & ~reliable).any()


def test_center_margins__by_hand():
    # Cosine to the own center less that to the other: 1 - 0, √½ - √½, 0 - 1, 1 - 0, 0.8 - 0.6.
    margins = center_margins(FEATURES, CLUSTERS, CENTERS)
    np.testing.assert_allclose(margins, [1, 0, -1, 1, 0.2], atol=1e-6)


def test_center_margins__no_other_center():
    assert center_margins(FEATURES, np.zeros(5, np.int64), CENTERS[:1]).tolist() == [2] * 5


def test_center_margins__the_nearest_of_several_across_blocks():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(9000, 6)).astype(np.float32)
    clusters, centers = rng.integers(0, 12, 9000), np.arange(12)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = unit @ unit[centers].T
    rows = [0, 4095, 4096, 8999]
    expected = [
        cosines[row, clusters[row]] - max(np.delete(cosines[row], clusters[row])) for row in rows
    ]
    margins = center_margins(features, clusters, centers)
    np.testing.assert_allclose(margins[rows], expected, atol=1e-6)


def test_center_margins__an_outlier_is_of_no_cluster():
    margins = center_margins(FEATURES, np.array([*CLUSTERS[:-1], -1]), CENTERS)
    np.testing.assert_allclose(margins, [1, 0, -1, 1, 0], atol=1e-6)


def test_center_margins__few_rivals_never_give_a_smaller_margin_and_find_nearly_all():
    rng = np.random.default_rng(5)
    middles = rng.normal(size=(60, 8))
    clusters = np.repeat(np.arange(60), 20)
    features = (middles[clusters] + 0.3 * rng.normal(size=(1200, 8))).astype(np.float32)
    centers = np.arange(0, 1200, 20)
    exact = center_margins(features, clusters, centers, n_rivals=59)
    few = center_margins(features, clusters, centers, n_rivals=10)
    assert (few >= exact - 1e-6).all()
    assert (np.abs(few - exact) < 1e-6).mean() > 0.95


def spread(camids, similarities, clusters=None):
    n = len(camids)
    clusters = np.zeros(n, dtype=np.int64) if clusters is None else np.array(clusters)
    mask = spread_over_cameras(
        np.ones(n, dtype=bool), np.array(similarities, dtype=np.float32), clusters, np.array(camids)
    )
    return np.flatnonzero(mask).tolist()


def test_spread_over_cameras__by_hand():
    # Camera 1 has five, the others two: three stay, half of five rounded up, the nearest ones.
    assert spread([1, 1, 1, 1, 1, 2, 3], [0.5, 1, 0.9, 0.8, 0.7, 0.1, 0.2]) == [1, 2, 3, 5, 6]
    # Camera 1 has four, camera 2 three: three stay.
    assert spread([1, 1, 1, 1, 2, 2, 2], [0.4, 0.3, 0.2, 0.1, 0, 0, 0]) == [0, 1, 2, 4, 5, 6]
    # A cluster of one camera weighs half; another cluster is another matter.
    assert spread([1, 1, 1, 1, 2, 3], [1, 0.9, 0.8, 0.7, 1, 0.9], [0, 0, 0, 0, 1, 1]) == [
        0,
        1,
        4,
        5,
    ]


def test_spread_over_cameras__balanced_alone_and_unknown_stay():
    assert spread([1, 1, 2, 2], [1, 0, 1, 0]) == [0, 1, 2, 3]
    assert spread([1], [1]) == [0]
    assert spread([-1, -1, -1], [1, 1, 1]) == [0, 1, 2]
    assert spread([1, 1, -1, -1], [1, 0, 1, 0]) == [0, 1, 2, 3]  # as if of another camera


def test_spread_over_cameras__camera_0_is_a_camera():
    assert spread([0, 0, 0, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.5]) == [0, 1, 4]


def test_spread_over_cameras__of_equally_near_images_the_first_stays():
    assert spread([1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]) == [0, 1]


def test_spread_over_cameras__only_within_what_is_reliable():
    reliable = np.array([True, False, True, True])
    kept = spread_over_cameras(
        reliable,
        np.array([1, 1, 0.5, 0.4], np.float32),
        np.zeros(4, np.int64),
        np.array([1, 1, 1, 2]),
    )
    assert kept.tolist() == [True, False, False, True]


def test_select_reliable__a_cosine_equal_to_lambda_is_not_reliable():
    # Unit vectors: the cosine to the center (1, 0) is the first coordinate.
    vectors = [[1, 0], [0.5, 0.75**0.5], [0.75, 0.4375**0.5], [0.25, 0.9375**0.5]]
    features = np.array(vectors, dtype=np.float32)
    clusters, centers = np.zeros(4, dtype=np.int64), np.array([0])
    cosine = float(select_reliable(features, clusters, centers, lambda_=0).similarities[1])
    assert cosine == pytest.approx(0.5)
    at, below = (
        select_reliable(features, clusters, centers, lambda_=value).reliable.tolist()
        for value in (cosine, float(np.nextafter(np.float32(cosine), np.float32(0))))
    )
    assert at == [True, False, True, False]
    assert below == [True, True, True, False]


def test_select_reliable__a_center_is_reliable_at_every_lambda():
    features = np.array([[3, 1], [1, 3], [1, 3.1]], dtype=np.float32)
    found = select_reliable(features, np.array([0, 1, 1]), np.array([0, 1]), lambda_=1.0)
    assert found.reliable.tolist() == [True, True, False]
    assert found.similarities[:2].tolist() == [1, 1]


def test_select_reliable__annotated_train_and_left_out_never_do():
    features = np.array([[1, 0], [0, 1], [1, 0.1], [1, 0.1]], dtype=np.float32)
    clusters, centers = np.zeros(4, dtype=np.int64), np.array([0])
    found = select_reliable(
        features, clusters, centers, lambda_=0.9, annotated=[1, 3], left_out=[0, 3]
    )
    assert found.reliable.tolist() == [False, True, True, False]


def test_select_reliable__an_outlier_is_never_reliable():
    features = np.array([[1, 0], [1, 0]], dtype=np.float32)
    found = select_reliable(features, np.array([0, -1]), np.array([0]), lambda_=0)
    assert found.reliable.tolist() == [True, False]
    assert found.similarities.tolist() == [1, -1]


@pytest.mark.parametrize("lambda_", [None, 0.75])
@pytest.mark.parametrize("selection", ["own", "any"])
def test_select_reliable__types(lambda_, selection):
    features = FEATURES.astype(np.float64)
    found = select_reliable(features, CLUSTERS, CENTERS, lambda_=lambda_, selection=selection)
    assert (found.similarities.dtype, found.reliable.dtype) == (np.float32, np.bool_)


def test_select_reliable__never_another_side_than_the_centers() -> None:
    """Image 1 shows the other flank; of image 2 the side is not known; 3 is its own center's."""
    features = np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1]], dtype=np.float32)
    clusters, centers = np.array([0, 0, 0, 1]), np.array([0, 3])
    sides = np.array([0, 1, -1, 1])
    told = select_reliable(features, clusters, centers, lambda_=0.5, sides=sides)
    assert told.reliable.tolist() == [True, False, True, True]
    labelled = select_reliable(
        features, clusters, centers, lambda_=None, sides=sides, annotated=[1]
    )
    assert labelled.reliable.tolist() == [True, True, True, True]  # people may know both flanks
    assert select_reliable(features, clusters, centers, lambda_=0.5).reliable.all()
