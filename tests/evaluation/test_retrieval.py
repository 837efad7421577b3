import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pul.errors import EvaluationError, FeatureError
from pul.evaluation.retrieval import evaluate, evaluate_distances

# One query at angle 0; a gallery image at angle a has cosine cos(a), so that the smaller angle
# comes first. Cases give angles in degrees.


def on_circle(degrees):
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def evaluate_one(gallery_pids, gallery_camids=None, **options):
    """Evaluate query 7 of camera 1 against a gallery ranked in the order given."""
    camids = [2] * len(gallery_pids) if gallery_camids is None else gallery_camids
    settings = {"ap_method": "step", "unmatched": "zero"} | options
    angles = np.linspace(1, 80, len(gallery_pids))
    return evaluate(on_circle([0]), on_circle(angles), [7], [1], gallery_pids, camids, **settings)


# Hits at ranks 1, 3, 6 of three true matches. Precisions there: 1/1, 2/3, 3/6.
#   step       (1 + 2/3 + 1/2) / 3                                          = 13/18 = 0.722
#   trapezoid  before the hits, precision is 1 (by definition), 1/2, 2/5:
#              (1 + 1)/2 = 1, (1/2 + 2/3)/2 = 7/12, (2/5 + 1/2)/2 = 9/20;
#              (1 + 7/12 + 9/20) / 3                                        = 61/90 = 0.678
HITS_1_3_6 = [7, 8, 7, 8, 8, 7, 8]


@pytest.mark.parametrize(("ap_method", "expected"), [("step", 13 / 18), ("trapezoid", 61 / 90)])
def test_evaluate__both_definitions_by_hand(ap_method, expected):
    result = evaluate_one(HITS_1_3_6, ap_method=ap_method)
    assert result.mean_ap == pytest.approx(expected, abs=1e-12)
    assert result.average_precisions == pytest.approx([expected], abs=1e-12)
    assert result.cmc.tolist() == [1] * 7


@pytest.mark.parametrize(
    ("ap_method", "expected"),
    # hits at ranks 2 and 4: step (1/2 + 2/4)/2; before them precision is 0 and 1/3:
    # ((0 + 1/2)/2 + (1/3 + 1/2)/2) / 2 = (1/4 + 5/12) / 2
    [("step", 1 / 2), ("trapezoid", 1 / 3)],
)
def test_evaluate__first_hit_late(ap_method, expected):
    result = evaluate_one([8, 7, 8, 7], ap_method=ap_method)
    assert result.mean_ap == pytest.approx(expected, abs=1e-12)
    assert result.cmc.tolist() == [0, 1, 1, 1]
    assert [result.rank(k) for k in (1, 2, 20)] == [0, 1, 1]


def test_evaluate__junk_takes_no_rank():
    # pid -1, and the query's own camera, are gone before anything is counted: the hit is first
    result = evaluate_one([-1, 7, 7, 8], [2, 1, 2, 2])
    assert result.rank(1) == result.mean_ap == 1


def test_evaluate__distractor_counts_as_wrong():
    # pid 0 stays: the hit is second
    result = evaluate_one([0, 7, 8])
    assert result.rank(1) == 0
    assert result.mean_ap == 1 / 2


def test_evaluate__other_people_in_the_same_camera_stay():
    assert evaluate_one([8, 7], [1, 2]).mean_ap == 1 / 2


def test_evaluate__camera_unaware_keeps_the_same_camera():
    # hits at ranks 1 and 3 of two: (1 + 2/3) / 2; aware of cameras only the one at rank 2 is left
    ids = ([7, 8, 7], [1, 1, 2])
    assert evaluate_one(*ids, camera_aware=False).mean_ap == pytest.approx(5 / 6)
    assert evaluate_one(*ids).mean_ap == pytest.approx(1 / 2)


def test_evaluate__ties_go_to_the_lower_index():
    # indices 1, 2, 3 are copies of each other; the true match is the second of them
    gallery = on_circle([50, 10, 10, 10, 60])
    result = evaluate(
        on_circle([0]),
        gallery,
        [7],
        [1],
        [8, 8, 7, 8, 8],
        [2] * 5,
        ap_method="step",
        unmatched="zero",
    )
    assert result.cmc.tolist() == [0, 1, 1, 1, 1]
    assert result.mean_ap == 1 / 2


@pytest.mark.parametrize(
    ("unmatched", "n_queries", "mean_ap", "second"), [("zero", 2, 1 / 2, 0), ("skip", 1, 1, None)]
)
def test_evaluate__query_without_true_match(unmatched, n_queries, mean_ap, second):
    result = evaluate(
        on_circle([0, 0]),
        on_circle([1, 2]),
        [7, 9],
        [1, 1],
        [7, 8],
        [2, 2],
        ap_method="step",
        unmatched=unmatched,
    )
    assert (result.n_queries, result.n_unmatched) == (n_queries, 1)
    assert result.mean_ap == result.rank(1) == mean_ap
    assert result.average_precisions[0] == 1
    assert np.array_equal(result.average_precisions[1:], [np.nan if second is None else 0], True)


@pytest.mark.parametrize("pid", [0, -1, -2])
def test_evaluate__query_without_identity_matches_nobody(pid):
    result = evaluate(
        on_circle([0, 0]),
        on_circle([1, 2]),
        [7, pid],
        [1, 1],
        [7, pid],
        [2, 2],
        ap_method="step",
        unmatched="zero",
    )
    assert result.n_unmatched == 1
    assert result.mean_ap == 1 / 2


def test_evaluation__to_metrics_names_the_definitions():
    metrics = evaluate_one(HITS_1_3_6, ap_method="trapezoid").to_metrics()
    assert (metrics.rank_1, metrics.rank_20) == (1, 1)
    assert metrics.mean_ap == pytest.approx(61 / 90)
    assert (metrics.n_queries, metrics.n_unmatched) == (1, 0)
    assert (metrics.ap_method, metrics.unmatched) == ("trapezoid", "zero")


def test_evaluation__rank_counts_from_one():
    with pytest.raises(EvaluationError, match="from k = 1, not 0"):
        evaluate_one(HITS_1_3_6).rank(0)


# A second source: the loops of the original MATLAB evaluation, one query at a time. Distances are
# small whole numbers, so that many are tied and no rounding comes between the two.


def _reference_query(distances, pid, camid, gallery_pids, gallery_camids):
    """Return CMC and the trapezoidal and step AP of one query, None where it has no true match."""
    people = list(enumerate(zip(gallery_pids, gallery_camids, strict=True)))
    good = {g for g, (p, c) in people if p == pid and c != camid and p > 0}
    junk = {g for g, (p, c) in people if p < 0 or (p == pid and c == camid)}
    if not good:
        return None
    cmc = np.zeros(sum(p >= 0 for p in gallery_pids))
    trapezoid = step = hits = seen = 0.0
    old_recall, old_precision = 0.0, 1.0
    for g in np.argsort(distances, kind="stable"):
        if g in junk:
            continue
        if g in good:
            cmc[int(seen) :] = 1
            hits += 1
            step += hits / (seen + 1) / len(good)
        recall, precision = hits / len(good), hits / (seen + 1)
        trapezoid += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
        seen += 1
    return cmc, trapezoid, step


@st.composite
def evaluations(draw):
    """Draw distances, query pids and camids, gallery pids and camids: at least one true match."""
    n_queries, n_gallery = draw(st.integers(1, 6)), draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    distances = rng.integers(0, 12, (n_queries, n_gallery)).astype(np.float32)
    query = rng.integers(1, 6, n_queries), rng.integers(1, 3, n_queries)
    gallery = rng.integers(-1, 5, n_gallery), rng.integers(1, 3, n_gallery)
    query[0][0], query[1][0], gallery[0][0], gallery[1][0] = 1, 1, 1, 2
    return [distances, *query, *gallery]


@given(evaluations())
def test_evaluate_distances__agrees_with_the_reference(case):
    distances, query_pids, query_camids, gallery_pids, gallery_camids = case
    found = [
        _reference_query(*row, gallery_pids, gallery_camids)
        for row in zip(distances, query_pids, query_camids, strict=True)
    ]
    matched = [result for result in found if result is not None]
    cmc, trapezoid, step = (np.mean(part, axis=0) for part in zip(*matched, strict=True))
    for ap_method, expected in (("trapezoid", trapezoid), ("step", step)):
        skip = evaluate_distances(*case, ap_method=ap_method, unmatched="skip")
        zero = evaluate_distances(*case, ap_method=ap_method, unmatched="zero")
        share = len(matched) / len(distances)
        assert (skip.n_queries, zero.n_queries) == (len(matched), len(distances))
        assert skip.n_unmatched == zero.n_unmatched == len(distances) - len(matched)
        assert skip.mean_ap == pytest.approx(expected, abs=1e-12)
        assert zero.mean_ap == pytest.approx(expected * share, abs=1e-12)
        np.testing.assert_allclose(skip.cmc, cmc, atol=1e-12)
        np.testing.assert_allclose(zero.cmc, cmc * share, atol=1e-12)


@given(evaluations(), st.randoms(use_true_random=False))
def test_evaluate_distances__order_of_the_gallery_changes_nothing(case, random):
    n_gallery = case[0].shape[1]
    order = random.sample(range(n_gallery), n_gallery)
    distances = case[0] + np.arange(n_gallery) / 100  # without ties, which the order decides
    shuffled = [distances[:, order], *case[1:3], case[3][order], case[4][order]]
    one = evaluate_distances(distances, *case[1:], ap_method="trapezoid", unmatched="zero")
    other = evaluate_distances(*shuffled, ap_method="trapezoid", unmatched="zero")
    assert other.mean_ap == pytest.approx(one.mean_ap, abs=1e-12)
    assert other.cmc.tolist() == one.cmc.tolist()


@given(evaluations(), st.sampled_from(["trapezoid", "step"]))
def test_evaluate_distances__distractors_never_help(case, ap_method):
    more = np.arange(5 * len(case[0])).reshape(len(case[0]), 5) % 12
    longer = [np.hstack([case[0], more]), *case[1:3], *(np.append(c, [0] * 5) for c in case[3:])]
    few = evaluate_distances(*case, ap_method=ap_method, unmatched="zero")
    many = evaluate_distances(*longer, ap_method=ap_method, unmatched="zero")
    assert (many.average_precisions <= few.average_precisions + 1e-12).all()
    assert (many.cmc[: len(few.cmc)] <= few.cmc).all()


# Features: blocks, chunks, lengths


@pytest.fixture
def case():
    """Return features and ids with junk, distractors and queries without a true match."""
    rng = np.random.default_rng(5)
    query_pids, gallery_pids = rng.integers(1, 12, 30), rng.integers(-1, 10, 120)
    means = rng.standard_normal((12, 8))
    query = means[query_pids] + rng.standard_normal((30, 8))
    gallery = means[gallery_pids] + rng.standard_normal((120, 8))
    camids = rng.integers(1, 4, 30), rng.integers(1, 4, 120)
    return [query, gallery, query_pids, camids[0], gallery_pids, camids[1]]


def test_evaluate__length_of_features_does_not_matter(case):
    doubled = [case[0] * 2, case[1] * 2 ** np.arange(120)[:, None].clip(0, 9), *case[2:]]
    plain = evaluate(*case, ap_method="step", unmatched="zero")
    assert evaluate(*doubled, ap_method="step", unmatched="zero").mean_ap == plain.mean_ap


def test_evaluate__blocks_and_distances_agree(case):
    whole = evaluate(*case, ap_method="trapezoid", unmatched="zero")
    single = evaluate(*case, ap_method="trapezoid", unmatched="zero", block_size=1)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in case[:2]]
    given_ = evaluate_distances(
        1 - unit[0] @ unit[1].T, *case[2:], ap_method="trapezoid", unmatched="zero"
    )
    for other in (single, given_):
        assert other.mean_ap == pytest.approx(whole.mean_ap, abs=1e-9)
        np.testing.assert_allclose(other.cmc, whole.cmc, atol=1e-12)


def test_evaluate__junk_among_the_gallery_is_skipped_in_chunks(case, monkeypatch):
    whole = evaluate(*case, ap_method="trapezoid", unmatched="zero")
    monkeypatch.setattr("pul.evaluation.retrieval._CHUNK_BYTES", 7 * 8 * 4)  # 7 images
    chunks = evaluate(*case, ap_method="trapezoid", unmatched="zero")
    assert chunks.mean_ap == pytest.approx(whole.mean_ap, abs=1e-9)


def test_evaluate_distances__leaves_its_input_alone():
    distances = np.array([[1.0, 2.0, 3.0]])
    result = evaluate_distances(
        distances, [7], [1], [7, 8, 7], [1, 2, 2], ap_method="step", unmatched="zero"
    )
    assert result.mean_ap == 1 / 2  # without the junk at rank 1 the match is second
    assert distances.tolist() == [[1, 2, 3]]


# What goes wrong, and what is said


@pytest.mark.parametrize(
    ("query_pids", "gallery_pids", "gallery_camids", "says"),
    [
        # one camera: everything is the query's own
        ([7, 8], [7, 8, 8], [1, 1, 1], ["2 have theirs", "3 matches", "--no-camera-aware"]),
        # the gallery is of other people, and partly bad detections
        ([7, 8], [9, -1, -1], [2, 2, 2], ["2 have an identity that the gallery lacks", "2 of 3"]),
        # nothing is known
        ([-2, 0], [-2, 7, 0], [2, 2, 2], ["of 2 queries, 2 have no identity"]),
    ],
)
def test_evaluate__no_true_match_says_which_rule_removed_what(
    query_pids, gallery_pids, gallery_camids, says
):
    with pytest.raises(EvaluationError) as error:
        evaluate(
            on_circle([0, 0]),
            on_circle([1, 2, 3]),
            query_pids,
            [1, 1],
            gallery_pids,
            gallery_camids,
            ap_method="step",
            unmatched="skip",
        )
    for part in says:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"query_pids": [7, 7]}, EvaluationError, r"query_pids must have shape \(1,\)"),
        ({"gallery_camids": [2]}, EvaluationError, r"gallery_camids must have shape \(2,\)"),
        ({"gallery_pids": [-1, -1]}, EvaluationError, "all of its 2 images are junk"),
        ({"gallery_features": np.ones((2, 3))}, EvaluationError, "2 dimensions .* 3"),
        ({"gallery_features": [[1, np.nan], [1, 1]]}, FeatureError, "gallery features: 1 of 2"),
        ({"ap_method": "mean"}, EvaluationError, "not 'mean'"),
        ({"unmatched": "drop"}, EvaluationError, "not 'drop'"),
        ({"block_size": 0}, EvaluationError, "at least 1 query, but is 0"),
        (
            {"query_features": np.empty((0, 2)), "query_pids": [], "query_camids": []},
            EvaluationError,
            "no queries",
        ),
    ],
)
def test_evaluate__bad_input_says_what_is_wrong(changed, error, says):
    good = {
        "query_features": on_circle([0]),
        "gallery_features": on_circle([1, 2]),
        "query_pids": [7],
        "query_camids": [1],
        "gallery_pids": [7, 8],
        "gallery_camids": [2, 2],
        "ap_method": "step",
        "unmatched": "zero",
    }
    evaluate(**good)
    with pytest.raises(error, match=says):
        evaluate(**good | changed)


@pytest.mark.parametrize("bad", [[[1.0, np.nan]], [[1.0, np.inf]], [1.0, 2.0]])
def test_evaluate_distances__bad_distances(bad):
    with pytest.raises(EvaluationError, match=r"finite|\(Q, G\)"):
        evaluate_distances(
            np.array(bad), [7], [1], [7, 8], [2, 2], ap_method="step", unmatched="zero"
        )
