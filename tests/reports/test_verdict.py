"""The verdict on a run: what it gained, and what the labels gave, measured or unknown."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import services
from pul.config import RunConfig
from pul.jobs.course import judge_settling, tell_worse
from pul.labelling.guidance import pin_labels
from pul.records import IterationRecord, RetrievalMetrics
from pul.reports.verdict import judge
from pul.reports.workspace_diagnosis import examine_iteration
from pul.store.workspace import Workspace
from tests.app.fabricated import draw_people, iteration_arrays, iteration_record
from tests.support.checkpoints import HOLLOW_MODEL

WORSE = "2.0 mAP worse than the start model"
CONFIG = RunConfig(n_clusters=8, n_iterations=3)
LABELLED = {"n_annotated_images": 9, "n_identities": 3, "annotations_hash": "abcd"}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    from pul.data.datasets import read_dataset

    with Workspace.create(tmp_path / "w") as workspace:
        workspace.add_dataset(read_dataset(draw_people(tmp_path / "people")))
        yield workspace


def measured(mean_ap: float | None) -> RetrievalMetrics | None:
    if mean_ap is None:
        return None
    return RetrievalMetrics(0.5, 0.6, 0.7, 0.8, mean_ap, 8, 0, "trapezoid", "zero")


def add_run(
    workspace: Workspace,
    levels: list[float | None],
    config: RunConfig = CONFIG,
    *,
    model: bytes = HOLLOW_MODEL,
    source: str = "metrics",
    status: str = "finished",
    groups: Sequence[Sequence[int]] = (),
    **labels: object,
) -> int:
    """Add a run with the mAP of each iteration, the start model's first; return its number."""
    path = workspace.path / f"{len(model)}.safetensors"
    path.write_bytes(model)
    run = workspace.create_run(config, model=path)
    pids = workspace.images("train").pids
    for iteration, level in enumerate(levels):
        arrays = iteration_arrays(pids, iteration, 8)
        if groups:  # each for 8 of the 48 images
            arrays = replace(arrays, clusters=np.repeat(groups[iteration], 6))
        record: IterationRecord = iteration_record(iteration, arrays, config, 0.0)
        record = replace(record, **({"metrics": None} | {source: measured(level)}))
        if iteration:
            record = replace(record, **labels)
        workspace.add_iteration(run.run_id, record, arrays, HOLLOW_MODEL)
    workspace.set_run_status(run.run_id, status)  # type: ignore[arg-type]
    return run.run_id


def words(workspace: Workspace, run_id: int) -> tuple[str, str, bool]:
    said = services.verdicts.verdict(str(workspace.path), workspace.run(run_id))
    assert said is not None
    return said.headline, said.text, said.can_measure


def test_verdict__what_was_gained(workspace: Workspace) -> None:
    run_id = add_run(workspace, [0.348, 0.5, 0.56, 0.567])
    assert words(workspace, run_id) == (
        "+21.9 mAP over the start model",
        "34.8 → 56.7 after 3 iterations. Still rising: more iterations may help.",
        False,
    )


@pytest.mark.parametrize(
    ("levels", "headline", "outlook"),
    [
        ([0.4, 0.5, 0.45], "+5.0 mAP over the start model", "Iteration 1 was better: 50.0."),
        ([0.4, 0.38], WORSE, "No iteration was better than the start model: keep that one."),
        ([0.4, 0.41, 0.38], WORSE, "Iteration 1 was better: 41.0."),
        ([0.4, 0.5, 0.501], "+10.1 mAP over the start model", "after 2 iterations."),
    ],
)
def test_verdict__says_where_it_goes(
    workspace: Workspace, levels: list[float | None], headline: str, outlook: str
) -> None:
    said = words(workspace, add_run(workspace, levels))
    assert said[0] == headline
    assert said[1].endswith(outlook)


def test_verdict__labels_are_measured_by_a_run_without_them(workspace: Workspace) -> None:
    ours = add_run(workspace, [0.348, 0.5, 0.567], **LABELLED)
    add_run(workspace, [0.348, 0.45, 0.503])
    assert words(workspace, ours)[1] == (
        "34.8 → 56.7 after 2 iterations. The 3 people you labelled gave **+6.4** of it (the same "
        "run without labels: 50.3 after 2 iterations). Still rising: more iterations may help."
    )
    assert judge(workspace, ours).labels.gain == pytest.approx(0.064)  # type: ignore[union-attr]


def test_verdict__a_twin_that_is_not_as_far_is_compared_where_both_are(
    workspace: Workspace,
) -> None:
    ours = add_run(workspace, [0.3, 0.4, 0.6], **LABELLED)
    add_run(workspace, [0.3, 0.35], status="running")
    assert (
        "gave **+5.0** of it (the same run without labels: 35.0 after 1 iteration)"
        in (words(workspace, ours)[1])
    )


OTHERS = {
    "another K": {"config": CONFIG.replace(n_clusters=9)},
    "another seed": {"config": CONFIG.replace(seed=5)},
    "another start model": {"model": HOLLOW_MODEL + b" "},
    "other labels": {"n_annotated_images": 4, "n_identities": 2, "annotations_hash": "ef"},
}


@pytest.mark.parametrize("difference", OTHERS)
def test_verdict__of_labels_is_never_guessed(workspace: Workspace, difference: str) -> None:
    ours = add_run(workspace, [0.3, 0.4], **LABELLED)
    add_run(workspace, [0.3, 0.35], **OTHERS[difference])  # type: ignore[arg-type]
    _, text, can_measure = words(workspace, ours)
    assert "How much of it came from the 3 people you labelled is not known." in text
    assert can_measure


def test_verdict__a_run_that_was_steered_otherwise_is_no_measure(workspace: Workspace) -> None:
    ours = add_run(workspace, [0.3, 0.4], **LABELLED)
    other = add_run(workspace, [0.3, 0.35])
    workspace.set_control(other, "lambda_", 0.9, iteration=1)
    assert "is not known" in words(workspace, ours)[1]
    workspace.set_control(ours, "lambda_", 0.9, iteration=1)
    assert "gave **+5.0** of it" in words(workspace, ours)[1]


def test_verdict__another_baseline_is_no_measure(workspace: Workspace) -> None:
    """The file of the start model, or the test images, were changed between the two."""
    ours = add_run(workspace, [0.3, 0.4], **LABELLED)
    add_run(workspace, [0.31, 0.35])
    assert "is not known" in words(workspace, ours)[1]


def test_verdict__few_validation_identities_are_too_few(workspace: Workspace) -> None:
    run_id = add_run(workspace, [0.5, 1.0], source="validation_metrics", n_validation_identities=2)
    assert "on your 2 validation identities, too few to judge by." in words(workspace, run_id)[1]


def test_verdict__without_a_measure_says_what_would_be_one(workspace: Workspace) -> None:
    headline, text, _ = words(workspace, add_run(workspace, [None, None]))
    assert headline == "Trained, but not measured"
    assert "Hold out some people for validation" in text


SAME, LESS = [0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 2, 3, 0, 1, 2, 3]


def test_verdict__without_a_measure_clusters_that_agree_less_are_told(
    workspace: Workspace,
) -> None:
    run_id = add_run(workspace, [None] * 5, groups=[SAME, SAME, SAME, LESS, SAME])
    settling = judge_settling(workspace, run_id)
    assert settling is not None
    # 48 images, 12 in each of 4 groups; 6 in each of the 8 cells of both, of 1,128 pairs.
    chance = (4 * 66) ** 2 / 1128
    last = (8 * 15 - chance) / (4 * 66 - chance)
    assert (settling.first, settling.last) == (1, pytest.approx(last))
    headline, text, _ = words(workspace, run_id)
    assert headline == "Trained, not measured, perhaps worse"
    assert f"(adjusted Rand index 1.00 → {last:.2f}). This is no accuracy" in text
    codes = [f.code for f in examine_iteration(workspace, run_id, 4)]
    assert "clusters_do_not_settle" in codes
    assert "clusters_do_not_settle" not in [f.code for f in examine_iteration(workspace, run_id, 2)]
    assert "may be worse" in tell_worse(workspace, run_id)


def test_verdict__without_a_measure_clusters_that_settle_are_no_proof(
    workspace: Workspace,
) -> None:
    run_id = add_run(workspace, [None] * 5, groups=[SAME, SAME, LESS, LESS, LESS])
    headline, text, _ = words(workspace, run_id)
    assert headline == "Trained, but not measured"
    assert "→ 1.00); this is no accuracy, as clusters may settle on wrong people." in text
    assert tell_worse(workspace, run_id) == ""


@pytest.mark.parametrize("source", ["metrics", "validation_metrics"])
def test_worse__diagnosis_and_log_say_so(workspace: Workspace, source: str) -> None:
    run_id = add_run(workspace, [0.4, 0.41, 0.38], source=source, n_validation_identities=12)
    (finding,) = [
        f for f in examine_iteration(workspace, run_id, 2) if f.code == "worse_than_start"
    ]
    where = "on the test set" if source == "metrics" else "on 12 validation identities"
    assert finding.observed == (
        f"mAP {where} is 38.0% after iteration 2; the start model has 40.0%."
    )
    assert finding.why == "This run makes its model worse."
    assert finding.fix.startswith("Keep iteration 1, which has 41.0%.")
    assert "worse_than_start" not in [f.code for f in examine_iteration(workspace, run_id, 1)]
    line = tell_worse(workspace, run_id)
    assert line.startswith("worse than the start model: mAP 38.0% on ")
    assert line.endswith(", 40.0% with the start model")
    assert tell_worse(workspace, add_run(workspace, [0.4, 0.5], source=source)) == ""


def test_verdict__nothing_before_anything_is_trained(workspace: Workspace) -> None:
    run = workspace.run(add_run(workspace, [0.3]))
    assert services.verdicts.verdict(str(workspace.path), run) is None


def test_train_without_labels__is_the_same_but_for_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = add_run(workspace, [0.3, 0.4], **LABELLED)
    pin_labels(workspace, ours, {0: 1})
    workspace.set_control(ours, "n_clusters", 7, iteration=1)
    monkeypatch.setattr("pul.jobs.start_job", lambda *_: None)
    other = services.verdicts.train_without_labels(str(workspace.path), ours)
    assert workspace.run(other).name == "run 1 without labels"
    assert workspace.run(other).config == workspace.run(ours).config
    command = services.exports.command(str(workspace.path), workspace.run(other)).text
    assert command.endswith("--steer 1:k=7")
    assert "is being measured: “run 1 without labels”" in words(workspace, ours)[1]
