"""Compare which people to label: the queue's, random ones, or the largest clusters'.

    python -m benchmarks.queue --workspace W --into COPIES --labels 25 --strategy queue --seed 0

It copies the database of a workspace whose last run has a baseline (the rest is linked), lets an
oracle label there on iteration 0, repeats the run with that seed, and prints one line of JSON. Each
set of options has its own folder in COPIES, so that an interrupted call continues where it stopped
and a finished one prints its line again. `--labels 0` is the run without labels.
"""

import argparse
import json
import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pul.config import RunConfig
from pul.jobs import create_resumption, create_run, worker
from pul.labelling.autopilot import run_autopilot
from pul.labelling.oracle import STRATEGIES, Strategy
from pul.records import JobRecord, RunRecord
from pul.store.artifacts import UNFINISHED
from pul.store.sqlite_log import forget_log
from pul.store.workspace import Workspace

_LABELS = "labels.json"
_DATABASE = "pul.db"


def main(arguments: Sequence[str] | None = None) -> None:
    """Do one step of the experiment and print its result."""
    options = _parse(arguments)
    strategy: Strategy = next(name for name in STRATEGIES if name.startswith(options.strategy))
    place = options.into / f"{strategy}-{options.labels}-{options.seed}"
    if not (place / _LABELS).is_file():  # interrupted while labelling, or never started
        shutil.rmtree(place, ignore_errors=True)
        copy_workspace(options.workspace, place)
        labels = label(place, options.labels, strategy, options.seed, options.patience)
        (place / _LABELS).write_text(json.dumps(labels), encoding="utf-8")
    labels = json.loads((place / _LABELS).read_text(encoding="utf-8"))
    settings = {"seed": options.seed, "n_iterations": options.iterations}
    figures = {} if options.labels_only else run_again(place, labels["run"], settings)
    head = {"strategy": strategy, "labels": options.labels, "seed": options.seed}
    print(json.dumps(head | labels | figures))


def copy_workspace(source: Path, target: Path) -> None:
    """Copy the database of a workspace, as it is now, and link every other file.

    Folders are not linked, so that a run can continue in the copy: it writes new files and removes
    links, and the source does not change.
    """
    target.mkdir(parents=True)
    with sqlite3.connect(source / _DATABASE) as old, sqlite3.connect(target / _DATABASE) as new:
        old.backup(new)
        forget_log(new)
    old.close()
    new.close()
    ignored = shutil.ignore_patterns(f"{_DATABASE}*", f"{UNFINISHED}*", "*.tmp")
    shutil.copytree(
        source.resolve(), target, copy_function=os.symlink, ignore=ignored, dirs_exist_ok=True
    )


def label(place: Path, n_labels: int, strategy: Strategy, seed: int, patience: int) -> Any:
    """Let an oracle label on the baseline of the last run; return its figures."""
    with Workspace.open(place) as workspace:
        run = _newest_run(workspace)
        if workspace.annotation_events():
            raise SystemExit("The workspace already has labels; use one without.")
        effort: dict[str, Any] = {"run": run.run_id, "images": 0, "actions": 0}
        if not n_labels:
            return effort
        report = run_autopilot(
            workspace,
            run_id=run.run_id,
            iteration=0,
            n_identities=n_labels,
            strategy=strategy,
            seed=seed,
            patience=patience,
        )
    return effort | {
        "identities": len(report.identities),
        "images": report.n_images,
        "actions": report.effort.n_actions,
        "seconds": round(report.effort.seconds, 1),
        "precision": round(report.precision, 4),
        "recall": round(report.recall, 4),
    }


def run_again(place: Path, run_id: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Repeat the run with the labels, or resume it; return its figures."""
    with Workspace.open(place) as workspace:
        job = _next_job(workspace, run_id, settings)
        ended = worker.work(workspace, job.job_id) if job else None
        if ended is not None and ended.status != "finished":
            raise SystemExit(f"The run is {ended.status}. {ended.error}")
        iterations = workspace.iterations(workspace.runs()[-1].run_id)
    figures = [record.metrics for record in iterations if record.metrics is not None]
    return {
        "mean_ap": round(figures[-1].mean_ap, 4),
        "rank_1": round(figures[-1].rank_1, 4),
        "mean_aps": [round(metrics.mean_ap, 4) for metrics in figures],
    }


def _next_job(workspace: Workspace, run_id: int, settings: dict[str, Any]) -> JobRecord | None:
    """Return the job that starts or resumes the run; None if it is finished."""
    first, last = workspace.run(run_id), workspace.runs()[-1]
    if last.run_id != run_id:
        is_open = last.status != "finished"
        return create_resumption(workspace, last.run_id) if is_open else None
    config = RunConfig.model_validate(first.config).replace(**settings)
    return create_run(workspace, config, workspace.start_model(run_id), "labelled")


def _newest_run(workspace: Workspace) -> RunRecord:
    runs = [run for run in workspace.runs() if workspace.iterations(run.run_id)]
    if not runs:
        raise SystemExit("No run has a baseline yet: make one with `pul run --iterations 0`.")
    return runs[-1]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--workspace", type=Path, required=True, help="folder of a workspace; it is not changed"
    )
    parser.add_argument("--into", type=Path, required=True, help="folder for the copies")
    parser.add_argument("--labels", type=int, required=True, help="identities to label, L")
    parser.add_argument("--strategy", choices=["queue", "random", "largest"], default="queue")
    parser.add_argument("--seed", type=int, default=0, help="seed of random choices and of the run")
    parser.add_argument(
        "--patience", type=int, default=0, help="rows without the person to replace"
    )
    parser.add_argument(
        "--iterations", type=int, help="iterations of the run; by default unchanged"
    )
    parser.add_argument("--labels-only", action="store_true", help="label only, do not run")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
