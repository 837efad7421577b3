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


def differences(runs: Sequence[RunRecord]) -> list[Difference]:
    """Return the start model and settings that differ between runs."""
    described = [{"start model": run.model} | flatten(run.config) for run in runs]
    names = list(dict.fromkeys(name for run in described for name in run))
    rows = [
        Difference(name, tuple(setting_text(run.get(name)) for run in described)) for name in names
    ]
    return [row for row in rows if len(set(row.values)) > 1]


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
