"""The report of the benchmarks; nothing here is timed."""

import json
from types import SimpleNamespace

import numpy as np

from benchmarks import iteration, report
from benchmarks.market_size import make_workspace
from benchmarks.measure import Case, Contender, Limit, measure
from pul.store.workspace import Workspace


def test_measure__in_turns_with_figures():
    order = []

    def contender(name, seconds):
        return Contender(
            name,
            lambda repeat: order.append((name, repeat)),
            lambda _: {"seconds": seconds, "mAP": 1.0},
        )

    case = Case("work", [contender("ours", 2), contender("peer", 6)], ">= 2x")
    result = measure(case, 2, report=lambda _: None)
    assert order == [("ours", 0), ("peer", 0), ("peer", 1), ("ours", 1)]
    assert [run.seconds for run in result.runs] == [[2, 2], [6, 6]]
    assert result.runs[1].figures == [{"mAP": 1}, {"mAP": 1}]


def test_table__ratio_memory_quality_by_hand():
    def runs(name, seconds, inertia):
        return {
            "name": name,
            "seconds": seconds,
            "cpu_seconds": [s / 2 for s in seconds],
            "peak_bytes": [2**20, 3 * 2**20],
            "figures": [{"inertia": inertia, "NMI": 0.5}],
        }

    case = {
        "title": "k-means",
        "goal": ">= 10x",
        "runs": [runs("ours", [1, 3], 90), runs("sklearn", [30, 50], 100), runs("faiss", [1], 90)],
        "limit": vars(Limit("the product", 0.5)),
    }
    first, second = report._rows(case)
    assert first == (
        "| k-means | 2 (1-3, n = 2; CPU 1) | sklearn | 40 (30-50, n = 2; CPU 20) | 20.0 (CPU 20.0) "
        "| ≥ 10x | 3 MiB / 3 MiB | inertia 0.9000×, NMI 0.5 / 0.5 | 0.5 s: the product |"
    )
    assert second == (
        "|  |  | faiss | 1 (1-1, n = 1; CPU 0.5) | 0.5 (CPU 0.5) |  | 3 MiB / 3 MiB "
        "| inertia 1.0000×, NMI 0.5 / 0.5 |  |"
    )


def test_document__shows_the_results_that_are_kept():
    text = report.DOCUMENT.read_text(encoding="utf-8")
    records = [json.loads(path.read_text()) for path in sorted(report.RESULTS.glob("*.json"))]
    assert [r["benchmark"] for r in records if report.table(r) not in text] == []


def test_iteration__medians_and_shares_by_hand():
    def record(number, **seconds):
        return SimpleNamespace(iteration=number, seconds=seconds)

    shown = iteration.table(
        [record(0, extract=99.0), record(1, extract=1.0, finetune=5.0), record(2, extract=3.0)]
    )
    assert shown.splitlines()[2:] == [
        "| finetune | 2.5 | 56 |",  # the median of 5 and of nothing
        "| extract | 2.0 | 44 |",
        "| all | 4.5 | 100 |",
    ]


def test_make_workspace__a_person_of_each_image_and_features_alike(tmp_path):
    with Workspace.open(make_workspace(tmp_path / "made", 60, 8, 5)) as workspace:
        pids = workspace.run_images(1, "train").pids
        arrays = workspace.arrays(1, 1)
        assert [record.iteration for record in workspace.iterations(1)] == [0, 1]
    assert arrays["features"].shape == (60, 8)
    assert arrays["clusters"].tolist() == (pids - 1).tolist()
    unit = arrays["features"] / np.linalg.norm(arrays["features"], axis=1, keepdims=True)
    cosines, same = unit @ unit.T, pids[:, None] == pids
    assert cosines[same].mean() > cosines[~same].mean()
