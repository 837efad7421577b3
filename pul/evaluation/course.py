"""Where a run goes from the start model on: what was measured, or else by its clusters alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from pul.evaluation.cluster_quality import adjusted_rand
from pul.records import IterationRecord, RetrievalMetrics, last_measured

Source = Literal["test", "validation"]
FEWEST_TO_SETTLE = 4  # iterations: one agreement to begin with, and two later ones
_SHOWN = 0.0005  # of mAP: less is no tenth of a point
_LESS = 0.05  # of the adjusted Rand index: k-means from other features differs by less


@dataclass(frozen=True, slots=True)
class Course:
    """The mAP of a run's iterations.

    Attributes:
        source: Where it was measured: on the `test` set, or on `validation` identities.
        levels: Iteration and mAP, a fraction; the start model is the first.
        n_validation: Validation identities, if it was measured on them; else 0.
    """

    source: Source
    levels: tuple[tuple[int, float], ...]
    n_validation: int = 0

    @property
    def start(self) -> float:
        """The mAP of the start model."""
        return self.levels[0][1]

    @property
    def end(self) -> float:
        """The mAP of the last iteration that was measured."""
        return self.levels[-1][1]

    @property
    def best(self) -> tuple[int, float]:
        """The first iteration with the highest mAP, and that mAP."""
        return max(self.levels, key=lambda pair: pair[1])

    @property
    def is_worse(self) -> bool:
        """Whether the last iteration is below the start model, by what a tenth of a point shows."""
        return self.end <= self.start - _SHOWN


def course_of(records: Sequence[IterationRecord]) -> Course | None:
    """Return the course of a run; None if nothing was trained, or nothing can be measured.

    Args:
        records: Its iterations, the baseline first. The test set counts before validation
            identities, which must have measured both ends.
    """
    source = _source(records)
    if source is None:
        return None
    levels = ((r.iteration, m.mean_ap) for r in records if (m := metrics_of(r, source)) is not None)
    n = records[-1].n_validation_identities if source == "validation" else 0
    return Course(source, tuple(levels), n)


def metrics_of(record: IterationRecord, source: Source) -> RetrievalMetrics | None:
    """Return the figures of an iteration from one source; None if there are none."""
    return record.metrics if source == "test" else record.validation_metrics


def _source(records: Sequence[IterationRecord]) -> Source | None:
    if len(records) < 2:
        return None
    measured = last_measured(records)
    if records[0].metrics and measured is not None and measured.iteration > 0:
        return "test"
    ends = (records[0], records[-1])
    return "validation" if all(metrics_of(each, "validation") for each in ends) else None


@dataclass(frozen=True, slots=True)
class Settling:
    """Whether the clusters of a run settle. It needs no known people, and it is no accuracy.

    An agreement is the adjusted Rand index of the clusters of two iterations that follow each
    other: 1 where they are the same, about 0 where they agree by chance alone. Clusters that stay
    the same may be wrong in the same way; clusters that agree less and less were not made better
    by what was learnt from them.

    Attributes:
        first: Agreement of iteration 1, which groups by the start model, with iteration 2.
        last: The higher one of the last two agreements: one alone goes up and down.
        iteration: The last iteration.
    """

    first: float
    last: float
    iteration: int

    @property
    def is_falling(self) -> bool:
        """Whether the clusters clearly agree less than at first, twice in a row."""
        return self.last < self.first - _LESS


def settling_of(first: Sequence[ArrayLike], last: Sequence[ArrayLike], iteration: int) -> Settling:
    """Return whether clusters settle.

    Args:
        first: Cluster of each image in iterations 1 and 2, shape (N,) each; -1 for an outlier.
        last: The same in the last three iterations.
        iteration: The last iteration, at least `FEWEST_TO_SETTLE`.

    Raises:
        EvaluationError: The arrays differ in length.
    """
    later = max(adjusted_rand(last[0], last[1]), adjusted_rand(last[1], last[2]))
    return Settling(adjusted_rand(first[0], first[1]), later, iteration)
