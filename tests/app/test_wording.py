import pytest

from app.wording import (
    counted,
    definition,
    duration,
    gain,
    lambda_text,
    percent,
    place,
    remaining_s,
    share_done,
)
from pul.records import JobProgress, RetrievalMetrics
from tests.support.fakes import iteration_record


def test_figures__read_as_people_write_them() -> None:
    assert percent(0.22449) == "22.4"
    assert (gain(0.0191), gain(-0.02)) == ("+1.9", "-2.0")
    assert (lambda_text(0.85), lambda_text(None), lambda_text(0.0)) == ("0.85", "all", "all")
    assert (counted(1, "query"), counted(1234, "query")) == ("1 query", "1,234 queries")
    assert (counted(1, "person"), counted(50, "person")) == ("1 person", "50 people")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (7500, "2 h 05 min")],
)
def test_duration__by_size(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_definition__names_ap_and_what_unmatched_queries_count() -> None:
    metrics = RetrievalMetrics(1, 1, 1, 1, 1, 12, 0, "step", "skip")
    assert definition(metrics) == "step AP over 12 queries"
    metrics = RetrievalMetrics(1, 1, 1, 1, 1, 12, 2, "trapezoid", "zero")
    assert definition(metrics).endswith("12 queries, 2 without a true match counted as 0")


def test_place__says_iteration_epoch_and_batch() -> None:
    progress = JobProgress("finetune", 31, 64, 3, 10, 2, 5)
    assert place(progress) == "iteration 3/10 · fine-tuning · epoch 2/5 · 31/64"
    assert place(JobProgress("extract", 32, 64, 0, 10)) == "baseline · extracting features · 32/64"
    assert place(JobProgress("import", 5, 9)) == "importing · 5/9"
    assert place(None) == "starting"


def test_share_done__counts_epochs() -> None:
    assert share_done(JobProgress("finetune", 32, 64, epoch=2, n_epochs=4)) == 0.375
    assert share_done(JobProgress("cluster")) == 0.0


def test_remaining_s__adds_the_rest_of_this_iteration_and_the_next_ones() -> None:
    # The last iteration took 0.5 s to extract and 0.125 s to cluster.
    records = (iteration_record(0), iteration_record(1))
    progress = JobProgress("extract", 1, 2, iteration=2, n_iterations=4)
    assert remaining_s(progress, records) == 2 * 0.625 + 0.25 + 0.125


def test_remaining_s__unknown_before_an_iteration_has_trained() -> None:
    assert remaining_s(JobProgress("extract"), (iteration_record(0),)) is None
