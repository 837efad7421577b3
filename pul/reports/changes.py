"""What changed during a run, and how runs differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pul.config.base import flatten
from pul.records import IterationRecord, RunRecord


@dataclass(frozen=True, slots=True)
class Change:
    """Settings or labels that differ from the iteration before.

    Attributes:
        iteration: The first iteration that used them.
        parts: What changed, each in a few words: `λ 0.85 → 0.90`.
    """

    iteration: int
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs between runs.

    Attributes:
        setting: Its dotted name.
        values: Its value in each run, as text.
    """

    setting: str
    values: tuple[str, ...]


def changes(records: Sequence[IterationRecord]) -> list[Change]:
    """Return where λ, K or the annotations changed from one iteration to the next."""
    found = [
        Change(later.iteration, _changed(before, later)) for before, later in pairwise(records)
    ]
    return [change for change in found if change.parts]


def differences(
    runs: Sequence[RunRecord], iterations: Sequence[Sequence[IterationRecord]] = ()
) -> list[Difference]:
    """Return in what runs differ: start model, settings, and what was steered on the way.

    Args:
        runs: The runs.
        iterations: The iterations of each, in order; λ, K and labels are those that they used.
            Without them those of the settings are compared, and no labels.
    """
    described = [{"start model": run.model} | flatten(run.config) for run in runs]
    for settings, records in zip(described, iterations, strict=bool(iterations)):
        settings |= _used(records, settings)
    names = list(dict.fromkeys(name for run in described for name in run))
    rows = [
        Difference(name, tuple(setting_text(run.get(name)) for run in described)) for name in names
    ]
    return [row for row in rows if len(set(row.values)) > 1]


def by_iteration(values: Sequence[tuple[int, str]]) -> str:
    """Return the values that iterations used, each with the first that did.

    >>> by_iteration([(1, "0.80"), (2, "0.80"), (3, "0.90")])
    '0.80; 0.90 from iteration 3'
    """
    first = [pair for at, pair in enumerate(values) if not at or pair[1] != values[at - 1][1]]
    return "; ".join(
        text if not at else f"{text} from iteration {iteration}"
        for at, (iteration, text) in enumerate(first)
    )


def _used(records: Sequence[IterationRecord], settings: dict[str, Any]) -> dict[str, str]:
    """Return λ, K and labels of a run by iteration; the baseline trains with none of them."""
    trained = [record for record in records if record.iteration] or records
    if not trained:
        planned = _lambda_text(settings["lambda_"]), f"{settings['n_clusters']:,}"
        return dict(zip(("lambda_", "n_clusters", "labels"), (*planned, "none"), strict=True))
    return {
        "lambda_": by_iteration([(r.iteration, _lambda_text(r.lambda_)) for r in trained]),
        "n_clusters": by_iteration([(r.iteration, f"{r.n_clusters:,}") for r in trained]),
        "labels": by_iteration([(r.iteration, _labels_text(r)) for r in trained]),
    }


def _labels_text(record: IterationRecord) -> str:
    """Return how many labels an iteration used; the first signs of their hash tell states apart."""
    if not record.annotations_hash:
        return "none"
    return (
        f"{record.n_identities:,} identities, {record.n_annotated_images:,} images "
        f"({record.annotations_hash[:4]})"
    )


def setting_text(value: Any) -> str:
    """Return a setting's value as text; `–` if there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _changed(before: IterationRecord, later: IterationRecord) -> tuple[str, ...]:
    parts = []
    if before.lambda_ != later.lambda_:
        parts.append(f"λ {_lambda_text(before.lambda_)} → {_lambda_text(later.lambda_)}")
    if before.n_clusters != later.n_clusters:
        parts.append(f"K {before.n_clusters:,} → {later.n_clusters:,}")
    if before.annotations_hash != later.annotations_hash:
        parts.append(
            f"labels: {before.n_identities:,} → {later.n_identities:,} identities, "
            f"{before.n_annotated_images:,} → {later.n_annotated_images:,} images"
        )
    return tuple(parts)


def _lambda_text(lambda_: float | None) -> str:
    return f"{lambda_:.2f}" if lambda_ else "all"
