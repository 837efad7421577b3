"""The record and the arrays of an iteration, from four clusters by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pul.algorithm.events import EvaluationSet, LiveSettings
from pul.algorithm.iteration import IterationResult
from pul.algorithm.selection import Selection
from pul.cluster.clustering import Clustering

# Clusters of 3, 2, 1 and 2 images and an outlier; reliable are 2, 1, 1 and 2 of them.
CLUSTERS = np.array([0, 0, 0, 1, 1, 2, 3, 3, -1])
RELIABLE = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0], dtype=bool)
FEATURES = np.arange(18, dtype=np.float32).reshape(9, 2)


@pytest.fixture
def result():
    settings = LiveSettings(
        0.8, 9, {0: 7, 1: 7, 3: 2}, "hash", left_out=[8], validation={8: 5, 2: 5, 4: 6}
    )
    similarities = np.linspace(1, 0, 9, dtype=np.float32)
    clustering = Clustering.from_labels(FEATURES, CLUSTERS)
    selection = Selection(similarities, RELIABLE)
    points = np.zeros((9, 2), dtype=np.float32)
    return IterationResult(2, settings, FEATURES, clustering, selection, points, (0.5, 0.25))


def record_of(result, evaluation=None):
    seconds = {"extract": 1.5}
    return result.to_record(evaluation=evaluation, seconds=seconds, seed=11, device="cpu")


def test_to_record__counts_by_hand(result):
    record = record_of(result)
    assert (record.iteration, record.lambda_, record.seed, record.device) == (2, 0.8, 11, "cpu")
    assert (record.n_images, record.n_reliable, record.n_clusters) == (9, 6, 4)
    assert record.n_kept_clusters == 2  # with two reliable images or more
    assert (record.n_annotated_images, record.n_identities) == (3, 2)
    assert record.n_validation_identities == 2
    assert (record.annotations_hash, record.epoch_losses) == ("hash", (0.5, 0.25))
    assert record.inertia == result.clustering.inertia
    assert record.seconds == {"extract": 1.5}
    assert (record.metrics, record.validation_metrics, record.cluster_quality) == (None,) * 3


def test_to_record__a_lambda_of_nought_is_none(result):
    for lambda_ in (0, 0.0, None):
        settings = replace(result.settings, lambda_=lambda_)
        assert record_of(replace(result, settings=settings)).lambda_ is None


def test_pseudo_labels__are_the_clusters_of_what_is_reliable(result):
    assert result.pseudo_labels.tolist() == [0, 0, -1, 1, -1, 2, 3, 3, -1]
    arrays = result.to_arrays()
    assert arrays.pseudo_labels.tolist() == result.pseudo_labels.tolist()
    assert arrays.reliable.tolist() == RELIABLE.tolist()
    assert arrays.centroids.shape == (4, 2)


def test_to_record__outliers_count_for_no_quality(result):
    pids = np.array([1, 1, 2, 2, 2, 3, 4, 5, 4])
    nothing = np.empty(0, dtype=np.int64)
    evaluation = EvaluationSet(nothing, nothing, nothing, nothing, nothing, nothing, pids)
    quality = record_of(result, evaluation).cluster_quality
    assert quality.n_images == 8
    assert quality.purity == (2 + 2 + 1 + 1) / 8
    assert quality.reliable_purity == (2 + 1 + 1 + 1) / 6
    assert quality.source == "truth"
    assert record_of(result, replace(evaluation, train_pids=None)).cluster_quality is None
