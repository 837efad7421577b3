from dataclasses import replace

import numpy as np
import pytest

from pul.records import ImageTable
from pul.reports.diagnosis import IterationView, diagnose_images, diagnose_iteration


def images(*rows: tuple[str, int, int]) -> ImageTable:
    """Return images by split, pid and camera."""
    splits, pids, camids = zip(*rows, strict=True)
    n = len(rows)
    return ImageTable(
        image_ids=np.arange(1, n + 1),
        paths=("",) * n,
        pids=np.array(pids),
        camids=np.array(camids),
        splits=splits,
        tracklets=("",) * n,
        frames=np.full(n, -1),
        sides=("",) * n,
    )


# Two people, each queried on one camera and found on another.
WELL = (
    ("train", 1, 1), ("train", 1, 2), ("query", 11, 1), ("query", 12, 2), ("gallery", 11, 2),
    ("gallery", 12, 1), ("gallery", 12, 2), ("gallery", 0, 1), ("gallery", -1, 1),
)  # fmt: skip


def codes(*rows: tuple[str, int, int]) -> list[str]:
    return [finding.code for finding in diagnose_images(images(*rows))]


def test_diagnose_images__nothing_is_wrong():
    assert codes(*WELL) == []
    assert codes(*((split, pid, camid) for split, pid, camid in WELL if split == "train")) == []


def test_diagnose_images__names_those_that_show_nothing():
    (finding,) = diagnose_images(images(*WELL), [f"/x/{n}\n.jpg" for n in range(7)])
    assert finding.code == "nearly_one_colour"
    assert finding.observed.startswith("7 images are nearly one colour: /x/0\\n.jpg, /x/1")
    assert finding.observed.endswith("/x/4\\n.jpg and 2 more.")


def test_diagnose_images__no_cameras():
    assert codes(*((split, pid, -1) for split, pid, _ in WELL)) == ["no_cameras"]
    assert codes(*WELL, ("train", 3, -1)) == []


def test_diagnose_images__one_camera():
    (first, second) = diagnose_images(images(*((split, pid, 4) for split, pid, _ in WELL)))
    assert (first.code, first.observed) == ("one_camera", "All 9 images are of camera 4.")
    assert second.code == "unmatched_queries"
    assert codes(("train", 1, 4), ("train", 1, 5)) == []


def test_diagnose_images__queries_without_a_match_by_the_rule_that_took_it():
    (finding,) = diagnose_images(
        images(*WELL, ("query", 13, 1), ("query", 14, 3), ("gallery", 14, 3), ("query", -2, 1))
    )
    assert finding.code == "unmatched_queries"
    assert "2 of 4 queries have no true match: 1 show a person who is in no" in finding.observed
    assert "1 a person whom the gallery shows only on the query's own camera" in finding.observed


def test_diagnose_images__no_ground_truth():
    assert codes(("query", -2, 1), ("gallery", -2, 2)) == []


def test_diagnose_images__none():
    assert codes(("train", 1, 1), ("train", 1, 2)) == []


# Iterations


@pytest.fixture
def well() -> IterationView:
    """160 images of 10 people on 4 cameras, each person a cluster, with nothing wrong."""
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(10), 16)
    features = rng.normal(size=(10, 8))[clusters] + 0.3 * rng.normal(size=(160, 8))
    return IterationView(
        iteration=3,
        lambda_=0.85,
        clusters=clusters,
        centers=np.arange(10) * 16,
        similarities=np.where(np.arange(160) % 16 < 9, 0.9, 0.6).astype(np.float32),
        camids=np.tile([1, 2, 3, 4], 40),
        identities=np.where(clusters < 3, clusters + 1, 0),
        features=features.astype(np.float32),
        previous=(features + 0.1).astype(np.float32),
    )


def found(sight: IterationView) -> list[str]:
    return [finding.code for finding in diagnose_iteration(sight)]


def test_diagnose_iteration__nothing_is_wrong(well):
    assert found(well) == []


@pytest.mark.parametrize(
    ("n_clusters", "is_wrong"), [(2, False), (40, False), (41, True), (159, True)]
)
def test_diagnose_iteration__k_far_from_plausible(well, n_clusters, is_wrong):
    clusters = np.arange(160) % n_clusters
    sight = replace(
        well, clusters=clusters, centers=np.arange(n_clusters), identities=np.zeros(160, np.int64)
    )
    assert ("implausible_k" in found(sight)) == is_wrong
    if n_clusters == 159:
        (finding,) = (f for f in diagnose_iteration(sight) if f.code == "implausible_k")
        assert finding.observed == "K is 159 for 160 images: 1.0 a cluster."
        assert "Try K near 9," in finding.fix  # 160 / 17


def test_diagnose_iteration__one_cluster_or_none_or_one_for_each_image(well):
    nobody = np.zeros(160, np.int64)
    one = replace(well, clusters=nobody, centers=np.array([7]), identities=nobody)
    (finding,) = (f for f in diagnose_iteration(one) if f.code == "one_cluster")
    assert finding.observed == "There is one cluster; 160 of 160 images are in it."
    outliers = np.where(np.arange(160) < 20, 0, -1)
    one = replace(one, clusters=outliers)
    (finding,) = (f for f in diagnose_iteration(one) if f.code == "one_cluster")
    assert finding.observed == "There is one cluster; 20 of 160 images are in it."
    none = replace(one, clusters=nobody - 1, centers=np.array([], np.int64))
    assert "no_cluster" in found(none)
    each = replace(
        well, clusters=np.arange(160), centers=np.arange(160), identities=nobody, lambda_=0.99
    )
    (finding,) = (f for f in diagnose_iteration(each) if f.code == "no_pairs")
    assert finding.observed == "Each of the 160 images is a cluster of its own."


@pytest.mark.parametrize(
    ("lambda_", "expected"),
    [
        (0.55, ["everything_reliable"]),
        (0.85, []),
        (0.95, ["nothing_reliable"]),
        (0.0, []),  # all images on purpose
        (None, []),
    ],
)
def test_diagnose_iteration__everything_or_nothing_reliable(well, lambda_, expected):
    assert found(replace(well, lambda_=lambda_)) == expected


def test_diagnose_iteration__an_identity_split_over_clusters(well):
    identities = np.zeros(160, np.int64)
    identities[well.clusters < 3] = 5  # a third of it in each of three clusters
    identities[well.clusters == 4] = 6
    (finding,) = diagnose_iteration(replace(well, identities=identities))
    assert finding.code == "split_identity"
    assert finding.observed.startswith(
        "1 of 2 labelled people lie in several clusters; the worst in 3"
    )
    assert "33%" in finding.observed
    identities[:16] = 0  # now half of it lies in one
    assert found(replace(well, identities=identities)) == []


def test_diagnose_iteration__clusters_of_one_camera(well):
    camids = well.clusters % 4 + 1
    (finding,) = diagnose_iteration(replace(well, camids=camids))
    assert finding.code == "one_camera_clusters"
    assert finding.observed.startswith("100% of the clusters are of one camera only; by chance: 0%")
    # Every person by every camera but a few; most clusters mixed.
    mixed = np.where(well.clusters < 4, camids, well.camids)
    assert found(replace(well, camids=mixed)) == []


def test_diagnose_iteration__one_camera_that_took_nearly_all_is_chance(well):
    camids = np.ones(160, np.int64)
    camids[[3, 40]] = 2  # 8 of 10 clusters are of camera 1: by chance 0.9875 ** 16 = 82 % would be
    assert found(replace(well, camids=camids)) == []


@pytest.mark.parametrize("camera", [-1, 1])
def test_diagnose_iteration__cameras_that_tell_nothing(well, camera):
    assert found(replace(well, camids=np.full(160, camera))) == []


def test_diagnose_iteration__collapsed_features(well):
    same = np.ones((160, 8), np.float32) + 0.01 * well.features
    (finding,) = diagnose_iteration(replace(well, features=same))
    assert finding.code == "collapsed_features"
    unit = same / np.linalg.norm(same, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[np.triu_indices(160, 1)]
    assert f"The mean cosine of two images is {cosines.mean():.3f}." in finding.observed


def test_diagnose_iteration__features_that_share_a_mean_are_well(well):
    assert found(replace(well, features=well.features + 2)) == []


def test_diagnose_iteration__unchanged_model(well):
    (finding,) = diagnose_iteration(replace(well, previous=well.features.copy()))
    assert finding.code == "unchanged_model"
    assert "iteration 3" in finding.observed
    assert found(replace(well, previous=None)) == []
