import numpy as np
import pytest

from pul.errors import EvaluationError, FeatureError
from pul.evaluation.retrieval import Evaluation, evaluate, evaluate_distances

OPTIONS = {"ap_method": "step", "unmatched": "zero"}


def at(degrees, length=1.0):
    return length * np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


def test_to_metrics__reads_the_curve_at_1_5_10_and_20():
    cmc = np.arange(1, 31) / 30  # rank-k is k / 30
    metrics = Evaluation(cmc, 0.5, np.array([0.5]), 1, 0, "step", "skip").to_metrics()
    found = [metrics.rank_1, metrics.rank_5, metrics.rank_10, metrics.rank_20]
    assert found == [1 / 30, 5 / 30, 10 / 30, 20 / 30]


def test_evaluate__a_short_feature_ranks_by_its_direction():
    # The match is nearer in angle, and a hundredth as long as the image of the other person.
    gallery = [at(20), at(10, length=0.01)]
    result = evaluate([at(0)], gallery, [7], [1], [8, 7], [2, 2], **OPTIONS)
    assert result.mean_ap == 1


def test_evaluate__a_feature_of_zeros_is_at_a_right_angle():
    gallery = [[0, 0], at(80), at(100)]
    result = evaluate([at(0)], gallery, [7], [1], [7, 8, 8], [2, 2, 2], **OPTIONS)
    assert result.cmc.tolist() == [0, 1, 1]


def test_evaluate__features_without_dimensions_rank_by_index():
    result = evaluate(np.empty((1, 0)), np.empty((2, 0)), [7], [1], [8, 7], [2, 2], **OPTIONS)
    assert result.cmc.tolist() == [0, 1]


@pytest.mark.parametrize("limit", ["_BLOCK_BYTES", "_CHUNK_BYTES"])
def test_evaluate__one_row_at_a_time_changes_nothing(monkeypatch, limit):
    rng = np.random.default_rng(0)
    query, gallery = rng.standard_normal((5, 4)), rng.standard_normal((20, 4))
    columns = ([1, 2, 3, 1, 2], [1] * 5, np.arange(20) % 5 - 1, [2] * 20)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (query, gallery)]
    whole = evaluate(query, gallery, *columns, **OPTIONS)
    monkeypatch.setattr(f"pul.evaluation.retrieval.{limit}", 1)
    single = evaluate(query, gallery, *columns, **OPTIONS)
    given = evaluate_distances(-(unit[0] @ unit[1].T), *columns, **OPTIONS)
    for other in (single, given):
        assert other.average_precisions.tolist() == whole.average_precisions.tolist()
        assert other.cmc.tolist() == whole.cmc.tolist()


def test_evaluate__names_the_features_that_are_wrong():
    with pytest.raises(FeatureError, match="query features: 1 of 1"):
        evaluate([[np.nan, 0]], [at(0)], [7], [1], [7], [2], **OPTIONS)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_evaluate_distances__must_be_finite(bad):
    with pytest.raises(EvaluationError, match="must be finite"):
        evaluate_distances(np.array([[0, bad]]), [7], [1], [7, 8], [2, 2], **OPTIONS)


def test_evaluate_distances__ids_of_other_images():
    with pytest.raises(EvaluationError, match=r"gallery_pids must have shape \(2,\)"):
        evaluate_distances(np.zeros((1, 2)), [7], [1], [7], [2], **OPTIONS)


@pytest.mark.parametrize("unmatched", ["zero", "skip"])
def test_evaluate__types(unmatched):
    columns = [7, 9], [1, 1], [7, 8], [2, 2]
    found = evaluate(np.eye(2), np.eye(2), *columns, ap_method="step", unmatched=unmatched)
    assert (found.cmc.dtype, found.average_precisions.dtype) == (np.float64, np.float64)
    metrics = found.to_metrics()
    figures = (metrics.rank_1, metrics.rank_5, metrics.rank_10, metrics.rank_20, metrics.mean_ap)
    assert {type(figure) for figure in figures} == {float}  # not numpy's subclass of it
    assert {type(n) for n in (metrics.n_queries, metrics.n_unmatched)} == {int}
