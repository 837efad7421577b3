"""The report of the benchmarks; nothing here is timed."""

import json
from argparse import Namespace
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import gpu, iteration, machine, report
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


@pytest.mark.slow
def test_gpu__the_very_code_runs_on_a_cpu():
    training, whole = (measure(case, 1, report=lambda _: None) for case in gpu.cases("tiny", "cpu"))
    ours, plain = training.runs
    for runs in (ours, plain):
        [figures] = runs.figures
        assert figures["images/s"] == pytest.approx(8 / runs.seconds[0])
        assert figures["share of a bf16 product"] > 0
        losses = [figures[f"loss of epoch {epoch}"] for epoch in (1, 2, 3)]
        assert losses[0] == pytest.approx(np.log(4), abs=0.7)  # a blind guess of four
        assert runs.peak_bytes[0] > 2**20
    [alone] = whole.runs
    [figures] = alone.figures
    steps = [figures[f"{name} s"] for name in ("extract", "cluster", "select", "finetune")]
    assert alone.seconds == [pytest.approx(sum(steps))]
    assert 0 < figures["share that trained"] <= 1
    record = {"benchmark": "gpu", "size": "tiny", "measured_at": "now"}
    cases = [training.to_json(), whole.to_json()]
    assert "images/s" in report.table(record | {"machine": machine.describe(1), "cases": cases})


def test_gpu__without_one_says_so_in_a_line_and_leaves_the_rest_alone(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    kept = sorted(report.RESULTS.glob("gpu*"))
    command._run("gpu", Namespace(size="paper", device="cuda", threads=1, repeats=3))
    assert capsys.readouterr().out == (
        "gpu: torch sees no GPU on this machine; nothing was measured.\n"
    )
    assert sorted(report.RESULTS.glob("gpu*")) == kept


def test_gpu__operations_of_a_step_are_those_of_the_literature():
    # ResNet-18 at 224×224 has 1.814e9 multiply-adds (He et al. 2016 say 1.8e9), 0.118e9 of them in
    # the first layer. Training takes thrice as many, but no gradient of the images.
    job = replace(gpu.SIZES["paper"].job, backbone="resnet18")
    assert gpu.flops_of_image(job) == pytest.approx(2 * (3 * 1.814e9 - 0.118e9), rel=0.01)
