"""The curves of Fig. 5 and Fig. 6, and of the tables, as plain numbers that SVG and plotly draw."""

from collections.abc import Sequence

from pul.algorithm.selection import threshold
from pul.records import ExperimentRecord, IterationRecord
from pul.reports.svg import Figure, Panel, Series
from pul.reproduce.results import RowResult
from pul.store.workspace import Workspace

_LAMBDAS = tuple(round(0.4 + 0.02 * step, 2) for step in range(31))


def figure_of(
    workspace: Workspace, record: ExperimentRecord, results: Sequence[RowResult]
) -> Figure | None:
    """Return the curves of an experiment so far; None while there is nothing to draw.

    Fig. 5: (a) the share of reliable images in iteration 1 over λ, (b) the share, (c) rank-1 and
    (d) mAP by iteration. Table III: rank-1 and mAP over K. All others: both by iteration.

    Args:
        workspace: Where its runs are.
        record: The experiment.
        results: Results of its rows so far.
    """
    panels: tuple[Panel, ...]
    if record.name == "table3":
        panels = (_over_values(results, "rank-1"), _over_values(results, "mAP"))
    else:
        panels = (_by_iteration(results, "rank-1"), _by_iteration(results, "mAP"))
    if record.name == "fig5":
        shares = (_first_shares(workspace, results), _by_iteration(results, "reliable share"))
        panels = (*shares, *panels)
    if not any(panel.series for panel in panels):
        return None
    return Figure(f"{record.name} · {record.target}", panels)


def _by_iteration(results: Sequence[RowResult], quantity: str) -> Panel:
    trained = [result for result in results if len(result.iterations) > 1]
    levels = [result for result in results if result not in trained and result.metrics]
    last = max((result.iterations[-1].iteration for result in trained), default=1)
    series = [_curve(result, quantity) for result in trained]
    if quantity != "reliable share":
        series += [_level(result, quantity, last) for result in levels]
    return Panel(quantity, "iteration", f"{quantity}, %", tuple(s for s in series if s.x))


def _curve(result: RowResult, quantity: str) -> Series:
    points = [
        (float(found.iteration), value)
        for found in result.iterations
        if found.iteration > 0 and (value := _value(found, quantity)) is not None
    ]
    x, y = tuple(x for x, _ in points), tuple(y for _, y in points)
    return Series(_name(result), x, y)


def _level(result: RowResult, quantity: str, last: int) -> Series:
    assert result.metrics is not None  # levels are rows with metrics
    value = result.metrics.rank_1 if quantity == "rank-1" else result.metrics.mean_ap
    return Series(_name(result), (1.0, float(last)), (100 * value, 100 * value), dashed=True)


def _over_values(results: Sequence[RowResult], quantity: str) -> Panel:
    ours = [
        (result.row.value, 100 * (m.rank_1 if quantity == "rank-1" else m.mean_ap))
        for result in results
        if result.row.value is not None and (m := result.metrics) is not None
    ]
    place = 0 if quantity == "rank-1" else 4
    paper = [
        (result.row.value, result.paper.figures[place])
        for result in results
        if result.row.value is not None and result.paper is not None
    ]
    series = [_series("ours", ours), _series("the paper, Duke → Market", paper, dashed=True)]
    shown = tuple(s for s in series if s.x) if ours else ()
    return Panel(quantity, "K", f"{quantity}, %", shown)


def _series(label: str, points: list[tuple[float, float]], *, dashed: bool = False) -> Series:
    return Series(label, tuple(x for x, _ in points), tuple(y for _, y in points), dashed)


def _first_shares(workspace: Workspace, results: Sequence[RowResult]) -> Panel:
    """Return the share in iteration 1 over λ: it is the same for all rows."""
    series: tuple[Series, ...] = ()
    for result in results:
        if result.row.system == "pul" and len(result.iterations) > 1 and result.row.run_id:
            arrays = workspace.arrays(result.row.run_id, 1, "similarities", "centers")
            shares = [
                100 * float(threshold(arrays["similarities"], arrays["centers"], lambda_=x).mean())
                for x in _LAMBDAS
            ]
            series = (Series("iteration 1", _LAMBDAS, tuple(shares)),)
            break
    return Panel("reliable share in iteration 1", "λ", "reliable share, %", series)


def _value(found: IterationRecord, quantity: str) -> float | None:
    if quantity == "reliable share":
        return 100 * found.reliable_share
    if found.metrics is None:
        return None
    return 100 * (found.metrics.rank_1 if quantity == "rank-1" else found.metrics.mean_ap)


def _name(result: RowResult) -> str:
    sources = result.row.sources if ":" in result.row.key else ()
    return result.row.label + (f" ({sources[0]})" if sources else "")
