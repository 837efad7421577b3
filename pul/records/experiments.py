"""The paper's tables and figures on the data of a workspace."""

from dataclasses import dataclass
from typing import Any

from pul.records.runs import RetrievalMetrics


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """One row of a table of the paper, or one curve of a figure: what it needs and what it gave.

    Attributes:
        key: Names it within its experiment.
        label: What people call it.
        system: `supervised`, `baseline`, `pul`, `bow`, `lomo` or `umdl`.
        sources: Names of the datasets that its start model is trained on.
        value: λ or K, where the experiment sweeps it.
        config: The `RunConfig` of its run, as plain values; None for hand-crafted features.
        n_identities: Identities whose labels it is given, L.
        missing: Data that it needs and that was not given; "" where nothing is missing.
        run_id: Its run; None where it has none yet, and for hand-crafted features.
        metrics: Figures of hand-crafted features, which have no run.
        seconds: What it took beside its run.
        error: Why it failed; "" otherwise.
    """

    key: str
    label: str
    system: str
    sources: tuple[str, ...] = ()
    value: float | None = None
    config: dict[str, Any] | None = None
    n_identities: int = 0
    missing: str = ""
    run_id: int | None = None
    metrics: RetrievalMetrics | None = None
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One of the paper's tables or figures on the data of a workspace.

    Attributes:
        experiment_id: Names it in its workspace: the table and a hash of what was asked for.
        name: `table2`, `table3`, `table4`, `fig3`, `fig5` or `fig6`.
        target: Name of the dataset that is adapted to.
        settings: What was asked for, by name, for people: preset, identities, changed settings.
        rows: In the order of the table.
        created_at: UTC, ISO 8601.
    """

    experiment_id: str
    name: str
    target: str
    settings: dict[str, str]
    rows: tuple[ExperimentRow, ...]
    created_at: str
