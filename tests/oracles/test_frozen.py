"""Agreement with frozen results of the reference implementations, in the folder PUL_ORACLES."""

import os
from pathlib import Path

import numpy as np
import pytest

from pul.evaluation.reranking import k_reciprocal
from pul.evaluation.retrieval import evaluate

FOLDER = Path(os.environ["PUL_ORACLES"])
IDS = ("query_pids", "query_camids", "gallery_pids", "gallery_camids")


@pytest.mark.parametrize("case", [0, 1, 2])
@pytest.mark.parametrize(
    ("unmatched", "ap_method"),
    [("zero", "trapezoid"), ("skip", "step")],  # the original MATLAB, torchreid
)
def test_evaluate__agrees_with_the_originals(case, unmatched, ap_method):
    data = np.load(FOLDER / f"metrics_{case}.npz")
    result = evaluate(
        data["query_features"],
        data["gallery_features"],
        *(data[name] for name in IDS),
        ap_method=ap_method,
        unmatched=unmatched,
    )
    ranks = [result.rank(k) for k in (1, 5, 10, 20)]
    np.testing.assert_allclose(ranks, data[f"expected_{unmatched}_{ap_method}_cmc"], atol=1e-5)
    expected = float(data[f"expected_{unmatched}_{ap_method}_map"])
    assert result.mean_ap == pytest.approx(expected, abs=1e-5)
    assert result.n_unmatched == int(data["expected_n_unmatched"])


def test_k_reciprocal__agrees_with_the_original():
    data = np.load(FOLDER / "reranking.npz")
    distances = k_reciprocal(
        data["query_features"],
        data["gallery_features"],
        k1=int(data["k1"]),
        k2=int(data["k2"]),
        lambda_=float(data["lambda_value"]),
    )
    np.testing.assert_allclose(distances, data["expected_distance"], atol=1e-5)
