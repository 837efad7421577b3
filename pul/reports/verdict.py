"""What a run gained, and how much of that came from labels: measured, or said to be unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

from pul.evaluation.course import Source, course_of, metrics_of
from pul.jobs.steps import read_steps
from pul.records import IterationRecord, RetrievalMetrics, RunRecord
from pul.store.workspace import Workspace

_RISING = 0.003  # of mAP over the iteration before: 0.3 points
_FALLEN = 0.005  # of mAP below the best iteration


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """What the labels of a run gave.

    Attributes:
        n_identities: Identities that it trained with last.
        twin: The run that is the same but for the labels; None if there is none.
        iteration: The last iteration that both have; None while the twin has none to compare.
        gain: mAP of the run minus that of the twin there, a fraction; None if not measured.
        without: mAP of the twin there.
    """

    n_identities: int
    twin: RunRecord | None = None
    iteration: int | None = None
    gain: float | None = None
    without: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run gained.

    Attributes:
        source: Where it was measured: on the `test` set, or on `validation` identities.
        start: mAP of the start model, a fraction.
        end: mAP of the last iteration that was measured.
        iteration: That iteration.
        best: The iteration with the highest mAP.
        best_level: Its mAP.
        n_validation: Validation identities, if it was measured on them; else 0.
        is_rising: Whether the last iteration gained.
        has_fallen: Whether the last iteration is clearly below the best.
        is_worse: Whether the last iteration is below the start model.
        labels: What the labels gave; None if it trained with none.
    """

    source: Source
    start: float
    end: float
    iteration: int
    best: int
    best_level: float
    n_validation: int
    is_rising: bool
    has_fallen: bool
    is_worse: bool
    labels: LabelVerdict | None

    @property
    def gain(self) -> float:
        """What it gained over the start model, a fraction."""
        return self.end - self.start


def judge(workspace: Workspace, run_id: int) -> Verdict | None:
    """Return the verdict on a run; None if nothing was trained, or nothing can be measured.

    Raises:
        StoreError: There is no such run.
    """
    records = workspace.iterations(run_id)
    course = course_of(records)
    if course is None:
        return None
    best, best_level = course.best
    return Verdict(
        source=course.source,
        start=course.start,
        end=course.end,
        iteration=course.levels[-1][0],
        best=best,
        best_level=best_level,
        n_validation=course.n_validation,
        is_rising=course.end == best_level and course.end - course.levels[-2][1] > _RISING,
        has_fallen=best_level - course.end > _FALLEN,
        is_worse=course.is_worse,
        labels=_judge_labels(workspace, run_id, records, course.source),
    )


def _judge_labels(
    workspace: Workspace, run_id: int, records: Sequence[IterationRecord], source: Source
) -> LabelVerdict | None:
    n_identities = records[-1].n_identities
    if not any(record.n_annotated_images for record in records[1:]):
        return None
    twins = [
        (other, theirs)
        for other in workspace.runs()
        if other.run_id != run_id
        and _is_same_but_for_labels(workspace, workspace.run(run_id), other)
        and _has_no_labels(theirs := workspace.iterations(other.run_id))
    ]
    if not twins:
        return LabelVerdict(n_identities)
    twin, theirs = max(twins, key=lambda pair: len(pair[1]))
    first, second = (metrics_of(each[0], source) if each else None for each in (records, theirs))
    at, ours, without = _last_of_both(records, theirs, source)
    # One start model and one test set give the baseline to the last digit.
    is_same = not theirs or (first is not None and first == second)
    same_lambda = all(a.lambda_ == b.lambda_ for a, b in zip(records, theirs, strict=False))
    if not at or ours is None or without is None or not is_same or not same_lambda:
        return LabelVerdict(n_identities, twin if is_same and same_lambda else None)
    gained = ours.mean_ap - without.mean_ap
    return LabelVerdict(n_identities, twin, at, gained, without.mean_ap)


def _last_of_both(
    records: Sequence[IterationRecord], theirs: Sequence[IterationRecord], source: Source
) -> tuple[int, RetrievalMetrics | None, RetrievalMetrics | None]:
    """Return the last iteration that was measured in two runs, and their figures there."""
    for one, other in reversed(list(zip(records, theirs, strict=False))):
        ours, without = metrics_of(one, source), metrics_of(other, source)
        if ours is not None and without is not None:
            return one.iteration, ours, without
    return 0, None, None


def _is_same_but_for_labels(workspace: Workspace, run: RunRecord, other: RunRecord) -> bool:
    if (run.config, run.model) != (other.config, other.model):
        return False
    ours, theirs = (
        [step for step in read_steps(workspace, each.run_id) if step.name != "labels"]
        for each in (run, other)
    )
    return ours == theirs


def _has_no_labels(records: Sequence[IterationRecord]) -> bool:
    return not any(record.annotations_hash for record in records)
