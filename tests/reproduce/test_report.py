import csv
import io
from dataclasses import replace

import pytest

from pul.records import ExperimentRecord, ExperimentRow
from pul.reports.svg import Series
from pul.reproduce.cost import estimate
from pul.reproduce.curves import figure_of
from pul.reproduce.report import describe_row, iterations_to_csv, to_csv, to_markdown
from pul.reproduce.results import RowResult
from pul.reproduce.tables import find_paper_figures
from tests.support.fakes import METRICS, iteration_record

CONFIG = {"n_iterations": 2, "lambda_": 0.85, "finetune": {"n_epochs": 3}}
PUL = ExperimentRow("pul", "PUL", "pul", ("cuhk01", "cuhk03p1"), config=CONFIG, run_id=7)
DONE = RowResult(
    PUL,
    "finished",
    (iteration_record(0), iteration_record(1), iteration_record(2)),
    METRICS,
    find_paper_figures("table4", "pul", [], "market"),
    12.34,
)
PLANNED = RowResult(replace(PUL, key="modern", label="modern"), "planned", (), None, None, 0.0)
RECORD = ExperimentRecord("table4-ab", "table4", "market", {"preset": "quick"}, (PUL,), "")


def test_to_markdown__ours_beside_the_papers():
    lines = to_markdown(RECORD, [DONE, PLANNED]).splitlines()
    assert lines[0].startswith("# Table IV on market")
    assert (
        "| PUL (cuhk01 + cuhk03p1) | 50.0 | 75.0 | 80.0 | 90.0 | 25.0 | 7 "
        "| 45.5 | 20.5 | Duke, CUHK03 → Market |"
    ) in lines
    assert "- modern: not run yet." in lines


def test_to_csv__figures_in_percent_and_the_run():
    (line,) = csv.DictReader(io.StringIO(to_csv(RECORD, [DONE])))
    assert (line["rank-1"], line["mAP"], line["run"], line["iterations"]) == (
        "50.0",
        "25.0",
        "7",
        "2",
    )
    assert (line["paper rank-5"], line["reliable_share"]) == ("60.7", "75.0")
    assert line["seconds"] == "12.3"


def test_iterations_to_csv__a_line_for_each():
    lines = list(csv.DictReader(io.StringIO(iterations_to_csv([DONE, PLANNED]))))
    assert [line["iteration"] for line in lines] == ["0", "1", "2"]
    assert {line["K"] for line in lines} == {"3"}
    assert [line["loss"] for line in lines] == ["", "1.25", "1.25"]


def test_describe_row__why_there_is_no_figure():
    assert describe_row(DONE) == ""
    stopped = replace(DONE, status="stopped", iterations=DONE.iterations[:2])
    assert describe_row(stopped) == "PUL: stopped after iteration 1 of 2."
    missing = replace(PLANNED, status="missing", row=replace(PLANNED.row, missing="a source"))
    assert describe_row(missing) == "modern: missing a source."
    failed = replace(PLANNED, status="failed", row=replace(PLANNED.row, error="No memory."))
    assert describe_row(failed) == "modern: No memory."


def test_figure_of__curves_by_iteration_and_dashed_levels():
    level = replace(DONE, row=replace(PUL, key="baseline", label="baseline"), iterations=())
    figure = figure_of(None, RECORD, [level, DONE, PLANNED])
    rank_1, mean_ap = figure.panels
    assert rank_1.series == (
        Series("PUL", (1, 2), (50, 50)),
        Series("baseline", (1, 2), (50, 50), dashed=True),
    )
    assert mean_ap.series[0].y == (25, 25)


def test_figure_of__table_3_over_k_beside_the_paper():
    record = replace(RECORD, name="table3")
    row = replace(PUL, key="no-selection-750", value=750.0)
    paper = find_paper_figures("table3", row.key, [], "market")
    rank_1, mean_ap = figure_of(None, record, [replace(DONE, row=row, paper=paper)]).panels
    assert [(s.x, s.y) for s in rank_1.series] == [((750,), (50,)), ((750,), (37.3,))]
    assert mean_ap.series[1].y == (15.7,)


def test_figure_of__nothing_yet():
    assert figure_of(None, RECORD, [PLANNED]) is None


def test_estimate__from_iterations_of_the_same_kind():
    # An iteration of the fakes takes 0.5 + 0.125 s; the row has its baseline and one of two.
    interrupted = replace(DONE, status="stopped", iterations=DONE.iterations[:2])
    cost = estimate(interrupted, [DONE], n_train=100, n_test=50)
    assert (cost.seconds, cost.is_measured) == (0.625, True)
    cost = estimate(PLANNED, [DONE], n_train=100, n_test=50)
    assert (cost.seconds, cost.is_measured) == (3 * 0.625, True)
    assert estimate(DONE, [], n_train=100, n_test=50).seconds == 0


def test_estimate__a_guess_says_so():
    cost = estimate(PLANNED, [], n_train=1000, n_test=1500)
    baseline = 2500 / 500
    step = baseline + 3 * 0.4 * 1000 / 150
    assert cost.seconds == pytest.approx(baseline + 2 * step)
    assert not cost.is_measured
    all_train = replace(PLANNED, row=replace(PUL, config={**CONFIG, "lambda_": 0}))
    assert not estimate(all_train, [DONE], n_train=1000, n_test=1500).is_measured
