"""The panels and lines that show a run's iterations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.wording import counted, validation_note
from pul.records import IterationRecord, last_measured

Value = Callable[[IterationRecord], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the iterations of a run.

    Attributes:
        name: Label at its end; "" if it is the only line of its panel.
        value: The figure of an iteration; None if it has none.
        opacity: Its opacity; lines below 1 are drawn for the selected run only.
        has_baseline: Whether the baseline's level is drawn through all iterations.
    """

    name: str
    value: Value
    opacity: float = 1.0
    has_baseline: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One small chart.

    Attributes:
        title: Its title, with the unit.
        lines: Its lines; none for the seconds of each step, which are bars.
        n_digits: Decimals of its figures.
    """

    title: str
    lines: tuple[Line, ...]
    n_digits: int = 1


def panels(records: Sequence[IterationRecord]) -> list[Panel]:
    """Return the panels for which a run has figures.

    Args:
        records: Its finished iterations, the baseline first.
    """
    last = records[-1] if records else None
    shown = []
    measured = last_measured(records)
    if measured is not None and (metrics := measured.metrics) is not None:
        lines = (Line("", _metric("mean_ap"), has_baseline=True),)
        title = f"mAP on {counted(metrics.n_queries, 'test query')}, % ({metrics.ap_method} AP)"
        shown.append(Panel(title, lines))
        shown.append(Panel("Rank-k, %", _RANKS))
    if last is not None and last.validation_metrics is not None:
        title = f"mAP {validation_note(last.n_validation_identities)}, %"
        shown.append(Panel(title, (Line("", _validation, has_baseline=True),)))
    shown.append(Panel("Reliable share, %", (Line("", lambda r: 100 * r.reliable_share),)))
    shown.append(Panel("Loss of last epoch", (Line("", lambda r: r.loss),), n_digits=3))
    if last is not None and last.cluster_quality is not None:
        source = "truth" if last.cluster_quality.source == "truth" else "your labels"
        shown.append(Panel(f"Clusters against {source}, %", _QUALITY))
    shown.append(Panel("Seconds of each step", ()))
    return shown


def _metric(name: str) -> Value:
    def value(record: IterationRecord) -> float | None:
        return None if record.metrics is None else 100 * float(getattr(record.metrics, name))

    return value


def _quality(name: str) -> Value:
    def value(record: IterationRecord) -> float | None:
        quality = record.cluster_quality
        return None if quality is None else 100 * float(getattr(quality, name))

    return value


def _validation(record: IterationRecord) -> float | None:
    held = record.validation_metrics
    return None if held is None else 100 * held.mean_ap


_RANKS = (
    Line("rank-1", _metric("rank_1"), has_baseline=True),
    Line("rank-5", _metric("rank_5"), 0.7),
    Line("rank-10", _metric("rank_10"), 0.5),
    Line("rank-20", _metric("rank_20"), 0.35),
)
_QUALITY = (
    Line("purity, reliable", _quality("reliable_purity")),
    Line("purity", _quality("purity"), 0.7),
    Line("NMI", _quality("nmi"), 0.45),
)
