"""The command that runs the paper's tables and figures."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from pul.cli.console import (
    OUT,
    iteration_line,
    job_bar,
    print_json,
    print_table,
    progress_bar,
)
from pul.cli.manage_runs import parse_settings
from pul.cli.options import Device, Format, Iterations, Json, Levels, Threads, setting
from pul.config import RunConfig
from pul.errors import ConfigError, PulError
from pul.models.file_kinds import require_own_checkpoint
from pul.records import ExperimentRecord, ExperimentRow, JobProgress
from pul.reproduce.plan import (
    EXPERIMENTS,
    Ids,
    Request,
    SourceConfig,
    choose_rows,
    default_settings,
    modern_settings,
    plan_experiment,
)

if TYPE_CHECKING:
    from pul.data.datasets import Dataset
    from pul.reproduce.results import RowResult
    from pul.reproduce.runner import Inputs, Watcher
    from pul.store.workspace import Workspace

_LIST = ", ".join(EXPERIMENTS)
_GROUPS = ("source", "modern")  # prefixes of settings that are not PUL's own


def reproduce(
    name: Annotated[str, typer.Argument(help=f"Which table or figure: {_LIST}.")],
    data: Annotated[
        list[Path],
        typer.Option(help="A dataset; may be repeated. One is the target, the others are sources."),
    ],
    workspace: Annotated[
        str, typer.Option(help="Workspace of the target dataset; created if needed.")
    ],
    source: Annotated[
        list[Path] | None,
        typer.Option(help="A labelled dataset to train the start model on; may be repeated."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A start model, .safetensors, instead of sources.")
    ] = None,
    target: Annotated[
        str, typer.Option(help="Name of the dataset to adapt to, or a part of it.")
    ] = "",
    preset: Annotated[str, typer.Option(help="paper, quick, or any other preset.")] = "paper",
    only: Annotated[
        list[str] | None, typer.Option(help="Run this row only; may be repeated. See --plan.")
    ] = None,
    iterations: Iterations = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any setting as NAME=VALUE: finetune.n_epochs=5; those of the start model begin "
            "with source.network. and source.train., those of the row modern with modern.; may be "
            "repeated.",
        ),
    ] = None,
    ids: Annotated[
        str,
        typer.Option(
            help="Who is labelled in the rows with labels: first (the first people with all their "
            "images, as in the paper) or queue (labelled from ground truth in the studio's order)."
        ),
    ] = "first",
    bow_tables: Annotated[
        Path | None, typer.Option(help="Table IV: folder with the authors' tables of BoW.")
    ] = None,
    umdl_images: Annotated[
        int, typer.Option(help="Table IV: images of each dataset that UMDL learns from.")
    ] = 2500,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Only list the rows, their state and estimated time."),
    ] = False,
    format: Format = "auto",
    levels: Levels = "",
    seed: Annotated[int | None, setting("seed")] = None,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Run a table or figure of the paper on your data, and compare with its numbers."""
    # Long: a parameter for each option, and each into the request or the inputs.
    from pul.data.datasets import read_dataset
    from pul.reproduce.data import choose_sources, choose_target, count_people
    from pul.reproduce.runner import Inputs
    from pul.reproduce.systems import HandCraftedConfig

    given = [read_dataset(path, format=format, levels=levels) for path in data]
    only_sources = [read_dataset(path, format=format, levels=levels) for path in source or []]
    chosen = choose_target(given, target)
    others = [dataset for dataset in given if dataset is not chosen]
    sources = choose_sources([*others, *only_sources])
    config, modern, source_config = _settings(preset, chosen.name, iterations, seed, set_)
    if ids not in ("first", "queue"):
        raise ConfigError(f"--ids must be first or queue, but is {ids!r}.")
    request = Request(
        name=name,
        target=chosen.name,
        n_people=count_people(chosen),
        sources=tuple(dataset.name for dataset in sources),
        model="" if model is None else model.stem,
        model_hash=_hash_model(model),
        preset=preset,
        config=config,
        modern=modern,
        source=source_config,
        ids=cast(Ids, ids),
    )
    record = plan_experiment(request)
    rows = choose_rows(record.rows, only or [])
    inputs = Inputs(
        target=chosen,
        sources=sources,
        model=None if model is None else model.resolve(),
        source_config=source_config,
        ids=request.ids,
        hand_crafted=HandCraftedConfig(bow_tables, umdl_images, config.seed, config.evaluation),
        seed=config.seed,
        device=device,
        n_threads=threads,
    )
    if plan:
        _show_plan(workspace, record, rows, chosen, json=json)
    else:
        _run(workspace, record, rows, inputs, json=json)


def _settings(
    preset: str, target: str, iterations: int | None, seed: int | None, pairs: list[str] | None
) -> tuple[RunConfig, RunConfig, SourceConfig]:
    """Return the settings of PUL, of the row `modern`, and of source training."""
    groups: dict[str, dict[str, Any]] = {"": {}, **{group: {} for group in _GROUPS}}
    for name, value in parse_settings(pairs).items():
        group, _, rest = name.partition(".")
        if group in _GROUPS:
            groups[group][rest] = value
        else:
            groups[""][name] = value
    config, source = default_settings(preset, target)
    config = config.replace(n_iterations=iterations, seed=seed).replace(**groups[""])
    modern = modern_settings(config).replace(**groups["modern"])
    return config, modern, source.replace(**groups["source"])


def _hash_model(model: Path | None) -> str:
    if model is None:
        return ""
    if not model.is_file():
        raise ConfigError(f"There is no start model {model}; give a .safetensors file.")
    require_own_checkpoint(model)
    return hashlib.sha256(model.read_bytes()).hexdigest()


def _show_plan(
    location: str,
    record: ExperimentRecord,
    rows: Sequence[ExperimentRow],
    target: "Dataset",
    *,
    json: bool,
) -> None:
    from pul.reproduce.cost import GUESS, estimate
    from pul.reproduce.results import RowResult

    earlier = _earlier_results(location)
    known = [result for results in earlier.values() for result in results]
    own = {result.row.key: result for result in earlier.get(record.experiment_id, [])}
    results = {
        row.key: own.get(row.key, RowResult(row, _status(row), (), None, None, 0.0)) for row in rows
    }
    n_train = len(target.split("train"))
    n_test = len(target.samples) - n_train
    left = {
        key: estimate(result, known, n_train=n_train, n_test=n_test)
        for key, result in results.items()
    }
    total = sum(cost.seconds for cost in left.values())
    if json:
        print_json({"experiment": record, "left": left, "total_seconds": total})
        return
    table = [
        [key, result.row.label, " + ".join(result.row.sources), result.status, _cost(left[key])]
        for key, result in results.items()
    ]
    title = f"{record.experiment_id} on {record.target}: {EXPERIMENTS[record.name]}"
    print_table(["row", "", "source", "state", "left"], table, title=title)
    for result in results.values():
        if result.row.missing:
            OUT.print(f"· {result.row.label}: missing {result.row.missing}.")
    OUT.print(f"About {_duration(total)} in total, without training the start model.")
    if not all(cost.is_measured for cost in left.values()):
        OUT.print(f"~ means {GUESS}.")


def _earlier_results(location: str) -> "dict[str, list[RowResult]]":
    """Return the results of each experiment of a workspace, by its id; none where it is new."""
    from pul.reproduce.results import read_results
    from pul.store.workspace import Workspace

    if not Workspace.exists(location):
        return {}
    with Workspace.open(location) as workspace:
        return {
            other.experiment_id: list(read_results(workspace, other))
            for other in workspace.experiments()
        }


def _run(
    location: str,
    record: ExperimentRecord,
    rows: Sequence[ExperimentRow],
    inputs: "Inputs",
    *,
    json: bool,
) -> None:
    from pul.reproduce.data import open_workspace
    from pul.reproduce.report import percentages, write_report
    from pul.reproduce.results import read_results
    from pul.reproduce.runner import run_rows

    with progress_bar("checking images") as on_progress:
        workspace = open_workspace(location, inputs.target, on_progress)
    with workspace:
        record = workspace.add_experiment(record)
        stored = {row.key: row for row in record.rows}
        chosen = [stored[row.key] for row in rows]
        with _watch(workspace, record, json=json) as watcher:
            status = run_rows(workspace, record, chosen, inputs, watcher)
        record = workspace.experiment(record.experiment_id)
        folder = write_report(workspace, record)
        results = read_results(workspace, record)
    if json:
        print_json({"status": status, "experiment": record, "folder": folder})
    else:
        table = [
            [r.row.label, *percentages(r.metrics), r.row.run_id, *_paper_cells(r), r.status]
            for r in results
        ]
        columns = ["", "rank-1", "rank-5", "rank-10", "rank-20", "mAP", "run"]
        columns += ["paper: rank-1", "paper: mAP", "paper's setting", "state"]
        print_table(columns, table, title=f"{record.experiment_id} on {record.target}")
        OUT.print(f"{folder}/table.md, table.csv, iterations.csv, plot.svg")
    if status == "failed":
        errors = [f"{row.label}: {row.error}" for row in record.rows if row.error]
        raise PulError("Some rows failed. " + " ".join(errors))
    if status == "stopped":
        OUT.print("stopped; run the same command again to continue")


@contextmanager
def _watch(workspace: "Workspace", record: ExperimentRecord, *, json: bool) -> "Iterator[Watcher]":
    """Show a progress bar and a line for each iteration, and update the report."""
    from pul.algorithm.events import IterationFinished, Progress
    from pul.reproduce.report import write_report
    from pul.reproduce.runner import Watcher

    with job_bar() as show:

        def on_row(row: ExperimentRow, status: str) -> None:
            if not json:
                OUT.print(f"{row.label} ({row.key}): {status}", markup=False)
            write_report(workspace, workspace.experiment(record.experiment_id))

        def on_event(event: Any) -> None:
            if isinstance(event, Progress):
                show(event.progress)
            elif isinstance(event, IterationFinished) and not json:
                OUT.print(iteration_line(event.record), markup=False)

        def on_progress(step: str, done: int, total: int) -> None:
            show(JobProgress(step=step, done=done, total=total))

        yield Watcher(on_row, on_event, on_progress)


def _status(row: ExperimentRow) -> str:
    return "missing" if row.missing else "planned"


def _paper_cells(result: "RowResult") -> list[object]:
    if result.paper is None:
        return [None, None, None]
    return [result.paper.figures[0], result.paper.figures[4], result.paper.setting]


def _cost(cost: Any) -> str:
    return ("" if cost.is_measured else "~ ") + _duration(cost.seconds)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
