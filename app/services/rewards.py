"""What training with labels gave: measured against the same run without them, or not known."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.services.runs import iterations
from app.services.workspace import open_workspace
from pul.records import IterationRecord, RunRecord
from pul.reports import changes


@dataclass(frozen=True, slots=True)
class Reward:
    """What a run that trains with labels has come to.

    Attributes:
        run: The run.
        n_identities: Labelled people in its last iteration.
        iteration: Its last finished iteration.
        before: mAP of its start model, in [0, 1]; None if nothing measures it.
        now: mAP of its last iteration.
        without: mAP of the same run without labels after as many iterations; None if there is none.
        n_validation: People held out, if they are what measures; 0 for the test people.
    """

    run: RunRecord
    n_identities: int
    iteration: int
    before: float | None
    now: float | None
    without: float | None
    n_validation: int


def last_reward(location: str) -> Reward | None:
    """Return what the newest run that trained with labels has come to; None if none did."""
    runs = open_workspace(location).runs()
    for run in reversed(runs):
        done = iterations(location, run.run_id)
        if len(done) > 1 and done[-1].n_identities:
            return _reward(location, run, done, runs)
    return None


def _reward(
    location: str, run: RunRecord, done: Sequence[IterationRecord], runs: Sequence[RunRecord]
) -> Reward:
    first, last = done[0], done[-1]
    return Reward(
        run=run,
        n_identities=last.n_identities,
        iteration=last.iteration,
        before=_mean_ap(first, last),
        now=_mean_ap(last, last),
        without=_without_labels(location, run, done, runs),
        n_validation=0 if last.metrics else last.n_validation_identities,
    )


def _mean_ap(record: IterationRecord, last: IterationRecord) -> float | None:
    """Return the mAP of a record by what measures the last one."""
    metrics = record.metrics if last.metrics else record.validation_metrics
    return metrics.mean_ap if metrics else None


def _without_labels(
    location: str, run: RunRecord, done: Sequence[IterationRecord], runs: Sequence[RunRecord]
) -> float | None:
    """Return the mAP of the same run without labels, after as many iterations.

    It is the same if the start model and all settings are, and λ and K of each iteration.
    """
    for other in reversed(runs):
        if other.run_id == run.run_id or changes.differences([run, other]):
            continue
        twin = iterations(location, other.run_id)[: len(done)]
        is_as_long = len(twin) == len(done)
        if is_as_long and _steps(twin) == _steps(done) and not any(r.n_identities for r in twin):
            return twin[-1].metrics.mean_ap if twin[-1].metrics else None
    return None


def _steps(done: Sequence[IterationRecord]) -> list[tuple[float | None, int]]:
    return [(record.lambda_, record.n_clusters) for record in done[1:]]
