"""An experiment as files: a table with the paper's numbers, and a plot."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from pul.records import ExperimentRecord, IterationRecord, RetrievalMetrics
from pul.reports.svg import draw_figure
from pul.reproduce.clouds import clouds_of, draw_clouds
from pul.reproduce.curves import figure_of
from pul.reproduce.plan import EXPERIMENTS
from pul.reproduce.results import RowResult, read_results
from pul.store.workspace import Workspace

TITLES = {
    "table2": "Table II",
    "table3": "Table III",
    "table4": "Table IV",
    "fig3": "Fig. 3",
    "fig5": "Fig. 5",
    "fig6": "Fig. 6",
}
FIGURES = ("rank-1", "rank-5", "rank-10", "rank-20", "mAP")


def write_report(workspace: Workspace, record: ExperimentRecord) -> Path:
    """Write `table.md`, `table.csv`, `iterations.csv` and the plots of an experiment so far.

    Returns:
        The folder they are in: `experiments/<id>` of the workspace.

    Raises:
        StoreError: The store refuses.
        OSError: The folder cannot be written.
    """
    results = read_results(workspace, record)
    folder = workspace.path / "experiments" / record.experiment_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(to_markdown(record, results), encoding="utf-8")
    (folder / "table.csv").write_text(to_csv(record, results), encoding="utf-8")
    (folder / "iterations.csv").write_text(iterations_to_csv(results), encoding="utf-8")
    figure = figure_of(workspace, record, results)
    if figure is not None:
        (folder / "plot.svg").write_text(draw_figure(figure), encoding="utf-8")
    clouds = clouds_of(workspace, record, results)
    if clouds:
        (folder / "picture.svg").write_text(draw_clouds(clouds), encoding="utf-8")
    return folder


def to_markdown(record: ExperimentRecord, results: Sequence[RowResult]) -> str:
    """Return the table in Markdown: our figures and the paper's, in %."""
    columns = ("", *FIGURES, "run", "paper: rank-1", "paper: mAP", "paper's setting")
    lines = [
        f"# {TITLES[record.name]} on {record.target}: {EXPERIMENTS[record.name]}",
        "",
        "; ".join(f"{name}: {value}" for name, value in record.settings.items()) + ".",
        "",
        _line(columns),
        _line(["---", *["---:"] * len(FIGURES), "---", "---:", "---:", "---"]),
        *(_line(_cells(result)) for result in results),
        "",
    ]
    notes = [note for result in results if (note := describe_row(result))]
    return "\n".join([*lines, *(f"- {note}" for note in notes)]).rstrip() + "\n"


def to_csv(record: ExperimentRecord, results: Sequence[RowResult]) -> str:
    """Return the table as CSV, a line for each row, figures in %."""
    columns = ["experiment", "target", "row", "label", "sources", "value", "identities", "status"]
    columns += ["iterations", "reliable_share", *FIGURES, "ap_method"]
    columns += [f"paper {name}" for name in FIGURES]
    columns += ["paper setting", "run", "seconds"]
    lines = []
    for result in results:
        row, last = result.row, result.iterations[-1] if result.iterations else None
        lines.append(
            [
                record.name,
                record.target,
                row.key,
                row.label,
                " + ".join(row.sources),
                "" if row.value is None else row.value,
                row.n_identities or "",
                result.status,
                last.iteration if last else "",
                _percent(last.reliable_share) if last else "",
                *percentages(result.metrics),
                result.metrics.ap_method if result.metrics else "",
                *(
                    ["" if math.isnan(x) else x for x in result.paper.figures]
                    if result.paper
                    else [""] * 5
                ),
                result.paper.setting if result.paper else "",
                "" if row.run_id is None else row.run_id,
                round(result.seconds, 1),
            ]
        )
    return _to_csv(columns, lines)


def iterations_to_csv(results: Sequence[RowResult]) -> str:
    """Return the curves as CSV, a line for each iteration of each row, shares and figures in %."""
    columns = ["row", "run", "iteration", "lambda", "K", "reliable_share", "loss", *FIGURES]
    lines = [
        [result.row.key, result.row.run_id, *_iteration_cells(found)]
        for result in results
        for found in result.iterations
    ]
    return _to_csv(columns, lines)


def percentages(metrics: RetrievalMetrics | None) -> list[str]:
    """Return rank-1, 5, 10, 20 and mAP in % with one decimal; "" where there are none."""
    if metrics is None:
        return [""] * len(FIGURES)
    values = (metrics.rank_1, metrics.rank_5, metrics.rank_10, metrics.rank_20, metrics.mean_ap)
    return [_percent(value) for value in values]


def describe_row(result: RowResult) -> str:
    """Return why a row has no final figures; "" if it has them."""
    row = result.row
    if result.status == "missing":
        return f"{row.label}: missing {row.missing}."
    if row.error:
        return f"{row.label}: {row.error}"
    if result.status != "finished" and result.iterations:
        last = result.iterations[-1].iteration
        return f"{row.label}: {result.status} after iteration {last} of {result.n_iterations}."
    return f"{row.label}: not run yet." if result.status != "finished" else ""


def _cells(result: RowResult) -> list[str]:
    row, paper = result.row, result.paper
    sources = f" ({' + '.join(row.sources)})" if row.sources else ""
    figures = [value or "-" for value in percentages(result.metrics)]
    run = "-" if row.run_id is None else str(row.run_id)
    if paper is None:
        return [row.label + sources, *figures, run, "-", "-", "-"]
    return [
        row.label + sources,
        *figures,
        run,
        f"{paper.figures[0]}",
        f"{paper.figures[4]}",
        paper.setting,
    ]


def _iteration_cells(found: IterationRecord) -> list[object]:
    return [
        found.iteration,
        "" if found.lambda_ is None else found.lambda_,
        found.n_clusters,
        _percent(found.reliable_share),
        "" if found.loss is None else round(found.loss, 4),
        *percentages(found.metrics),
    ]


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _to_csv(columns: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()
