"""The commands of `python -m pul` that start, resume, show and steer runs."""

from pathlib import Path
from typing import Annotated

import typer

from pul.cli.console import (
    ITERATION_COLUMNS,
    OUT,
    describe_progress,
    iteration_row,
    print_json,
    print_table,
)
from pul.cli.manage_runs import parse_settings, work_on
from pul.cli.options import (
    AnySetting,
    Detach,
    Iterations,
    Json,
    K,
    Lambda,
    Location,
    RunName,
    Threads,
    setting,
)
from pul.config import load_preset, preset_names
from pul.errors import ConfigError


def run(
    workspace: Location,
    model: Annotated[Path, typer.Option(help="The start model, .safetensors.")],
    preset: Annotated[
        str, typer.Option(help=f"Settings to start from: {', '.join(preset_names())}.")
    ] = "paper",
    k: K = None,
    lambda_: Lambda = None,
    iterations: Iterations = None,
    epochs: Annotated[int | None, setting("finetune.n_epochs")] = None,
    lr: Annotated[float | None, setting("finetune.learning_rate")] = None,
    batch_size: Annotated[int | None, setting("finetune.batch_size")] = None,
    selection: Annotated[str | None, setting("selection")] = None,
    restart_from: Annotated[str | None, setting("restart_from")] = None,
    ap: Annotated[str | None, setting("evaluation.ap_method", "--ap")] = None,
    unmatched: Annotated[str | None, setting("evaluation.unmatched")] = None,
    tensorboard: Annotated[str | None, setting("tensorboard")] = None,
    mlflow: Annotated[str | None, setting("mlflow")] = None,
    set_: AnySetting = None,
    steer_: Annotated[
        list[str] | None,
        typer.Option(
            "--steer",
            help="What changes on the way, as ITERATION:NAME=VALUE: 3:lambda=0.9 and 3:k=700 from "
            "iteration 3 on; 0:labels=none without labels, 3:labels=120 with those that stood "
            "after act 120; @FILE for a file with one on each line. May be repeated.",
        ),
    ] = None,
    name: RunName = "",
    seed: Annotated[int | None, setting("seed")] = None,
    device: Annotated[str | None, setting("device")] = None,
    threads: Threads = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Adapt a model to the training images of a workspace: Algorithm 1."""
    # Long: a parameter for each option.
    from pul.jobs import create_run
    from pul.jobs.steps import parse_steps
    from pul.jobs.trackers import absolute_uri
    from pul.store.workspace import Workspace

    config = load_preset(preset).replace(
        **{
            "n_clusters": k,
            "lambda_": lambda_,
            "n_iterations": iterations,
            "selection": selection,
            "restart_from": restart_from,
            "tensorboard": tensorboard and str(Path(tensorboard).absolute()),
            "mlflow": mlflow and absolute_uri(mlflow, Path.cwd()),
            "seed": seed,
            "device": device,
            "n_threads": threads,
            "finetune.n_epochs": epochs,
            "finetune.learning_rate": lr,
            "finetune.batch_size": batch_size,
            "evaluation.ap_method": ap,
            "evaluation.unmatched": unmatched,
            **parse_settings(set_),
        }
    )
    with Workspace.open(workspace) as opened:
        job = create_run(opened, config, model.resolve(), name, steps=parse_steps(steer_ or []))
        work_on(opened, job.job_id, detach=detach, json=json)


def resume(
    run_id: Annotated[int, typer.Argument(help="Number of the run; see `status`.")],
    workspace: Location,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Resume a run that was stopped, failed or killed, from its last finished iteration."""
    from pul.jobs import create_resumption
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        job = create_resumption(opened, run_id)
        work_on(opened, job.job_id, detach=detach, json=json)


def work(
    job_id: Annotated[int, typer.Argument(help="Number of a queued job.")], workspace: Location
) -> None:
    """Run a queued job in this process; the studio starts its workers this way."""
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        work_on(opened, job_id, detach=False, json=False)


def status(workspace: Location, json: Json = False) -> None:
    """Show the runs of a workspace with their figures, and the active jobs."""
    from pul.jobs import reap_lost_jobs
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        reap_lost_jobs(opened)
        runs, jobs = opened.runs(), opened.jobs()
        iterations = {run.run_id: opened.iterations(run.run_id) for run in runs}
    if json:
        print_json({"runs": runs, "iterations": iterations, "jobs": jobs})
        return
    for run in runs:
        rows = [iteration_row(record) for record in iterations[run.run_id]]
        print_table(ITERATION_COLUMNS, rows, title=f"run {run.run_id} · {run.name} · {run.status}")
    for job in jobs:
        progress = describe_progress(job.progress) if job.progress else ""
        OUT.print(
            f"job {job.job_id} · {job.kind} · {job.status} {progress} {job.error}", markup=False
        )
    if not runs and not jobs:
        OUT.print("No runs yet: `python -m pul run --workspace … --model …`.")


def steer(
    run_id: Annotated[int, typer.Argument(help="Number of the run; see `status`.")],
    workspace: Location,
    lambda_: Lambda = None,
    k: K = None,
) -> None:
    """Change λ or K of a run from its next iteration on."""
    from pul.store.workspace import Workspace

    if lambda_ is None and k is None:
        raise ConfigError("Nothing to change; give --lambda, --k, or both.")
    with Workspace.open(workspace) as opened:
        for name, value in (("lambda_", lambda_), ("n_clusters", k)):
            if value is not None:
                opened.set_control(run_id, name, value, author="command line")
    OUT.print(f"run {run_id} will change at its next iteration")


def project(
    run_id: Annotated[int, typer.Argument(help="Number of the run.")],
    workspace: Location,
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    iteration: Annotated[
        int | None, typer.Option(help="Its iteration; by default the last finished one.")
    ] = None,
) -> None:
    """Write the 2-D map of an iteration: image, x, y, cluster, cosine to its center, reliable."""
    from pul.reports.map_csv import write_map
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        n_images, used = write_map(opened, run_id, iteration, out)
    OUT.print(f"{n_images:,} images of run {run_id}, iteration {used}: {out}")
