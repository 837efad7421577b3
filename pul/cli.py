"""The command line: every command checks its options, shows progress, explains its errors."""

import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from pul.cli_backup import backup, restore
from pul.cli_baselines import evaluate_baseline
from pul.cli_exchange import export, export_model, import_annotations
from pul.cli_labelling import autopilot
from pul.cli_reproduce import reproduce
from pul.cli_runs import clean, fork, parse_settings, report, work_on
from pul.config import (
    EvaluationConfig,
    NetworkConfig,
    RunConfig,
    TrainConfig,
    load_preset,
    preset_names,
)
from pul.console import (
    ITERATION_COLUMNS,
    OUT,
    describe_progress,
    iteration_row,
    print_json,
    print_metrics,
    print_table,
    progress_bar,
)
from pul.errors import ConfigError, PulError

app = typer.Typer(
    name="python -m pul",
    help="Adapt a person re-identification model to new cameras with few labels or none.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script to read.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Threads = Annotated[
    int | None, typer.Option(help="CPU threads; all cores but one where not given.")
]
Location = Annotated[
    str, typer.Option("--workspace", help="The workspace: a folder, or a database URL.")
]
Format = Annotated[str, typer.Option(help="Layout of the data; auto finds it by its folders.")]
ApMethod = Annotated[
    str, typer.Option("--ap", help="Average precision: trapezoid (the paper) or step (torchreid).")
]
Unmatched = Annotated[
    str, typer.Option(help="Queries with no true match: count them as zero, or skip them.")
]


def main() -> None:
    """Run the command line; an error that we foresaw is one line, not a trace."""
    try:
        app()
    except PulError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.secho("interrupted", fg="red", err=True)
        sys.exit(130)


@app.command("import")
def import_(
    data: Annotated[list[Path], typer.Argument(help="Folder, or CSV or Parquet file.")],
    workspace: Annotated[
        str | None, typer.Option(help="Workspace to add the images to; made if there is none.")
    ] = None,
    format: Format = "auto",
    same_place: Annotated[
        bool,
        typer.Option(
            "--same-place", help="People and cameras are those of the images that are there."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be imported and left out.")
    ] = False,
    json: Json = False,
) -> None:
    """Read a dataset, check every image, and add it to a workspace."""
    from pul.data.datasets import merge_datasets, read_dataset
    from pul.data.images import check_images

    if not dry_run and workspace is None:
        raise ConfigError("Name a workspace with --workspace, or look only, with --dry-run.")
    datasets = [read_dataset(path, format=format) for path in data]
    dataset = datasets[0] if len(datasets) == 1 else merge_datasets(datasets)
    with progress_bar("checking images") as on_progress:
        dataset = check_images(dataset, on_progress=on_progress)
    n_new = None
    if workspace is not None and not dry_run:
        n_new = _add_to_workspace(workspace, dataset, is_same_place=same_place)
    if json:
        print_json(
            {
                "name": dataset.name,
                "format": dataset.format,
                "splits": dataset.summary(),
                "skipped": [{"path": item.path, "reason": item.reason} for item in dataset.skipped],
                "notes": dataset.notes,
                "n_new": n_new,
            }
        )
    else:
        _print_dataset(dataset)
        if n_new is not None:
            OUT.print(f"{n_new:,} new images in {workspace}.")


@app.command()
def train_source(
    data: Annotated[list[Path], typer.Argument(help="Labelled datasets; several are merged.")],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
    backbone: Annotated[str, typer.Option(help="A torchvision model.")] = "resnet50",
    weights: Annotated[
        str, typer.Option(help="torchvision (ImageNet), none, or the path of a file.")
    ] = "torchvision",
    height: Annotated[int, typer.Option(help="Image height at the network's input.")] = 224,
    width: Annotated[int, typer.Option(help="Image width at the network's input.")] = 224,
    width_mult: Annotated[float, typer.Option(help="Width multiplier of a MobileNet.")] = 1.0,
    mean: Annotated[
        tuple[float, float, float], typer.Option(help="Mean of each RGB channel in [0, 1].")
    ] = (0.485, 0.456, 0.406),
    std: Annotated[
        tuple[float, float, float], typer.Option(help="Standard deviation of each RGB channel.")
    ] = (0.229, 0.224, 0.225),
    epochs: Annotated[int, typer.Option(help="Passes over the images. Paper: 40.")] = 40,
    lr: Annotated[float, typer.Option(help="Learning rate. Paper: 0.001.")] = 0.001,
    batch_size: Annotated[int, typer.Option(help="Images in a step. Paper: 16.")] = 16,
    schedule: Annotated[str, typer.Option(help="constant (the paper) or cosine.")] = "constant",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any training setting: NAME=VALUE.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for decoded pixels.")] = None,
    format: Format = "auto",
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Train the original model on labelled images of other places."""
    from pul.data.datasets import merge_datasets, read_dataset
    from pul.hardware import prepare
    from pul.model import save_network
    from pul.source import train_source

    network_config = NetworkConfig(
        backbone=backbone,
        weights=weights,
        height=height,
        width=width,
        width_mult=width_mult,
        mean=mean,
        std=std,
    )
    config = TrainConfig(
        n_epochs=epochs, learning_rate=lr, batch_size=batch_size, lr_schedule=schedule
    ).replace(**parse_settings(set_))
    where = prepare(RunConfig(device=device, n_threads=threads))
    dataset = merge_datasets([read_dataset(path, format=format) for path in data])
    with progress_bar("training") as on_progress:
        network, result = train_source(
            dataset,
            network_config,
            config,
            seed=seed,
            device=where,
            cache_dir=cache,
            on_progress=on_progress,
        )
    save_network(network, out)
    if json:
        print_json({"model": out, "result": result})
    else:
        losses = f"{result.epoch_losses[0]:.3f} → {result.epoch_losses[-1]:.3f}"
        people = f"{result.n_images:,} images of {result.n_classes:,} people"
        OUT.print(f"{people}; loss {losses}; {out}")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A checkpoint, .safetensors.")],
    data: Annotated[Path, typer.Argument(help="A dataset with queries and a gallery.")],
    ap: ApMethod = "trapezoid",
    unmatched: Unmatched = "zero",
    camera_aware: Annotated[
        bool, typer.Option(help="Images of the query's own camera are junk.")
    ] = True,
    rerank: Annotated[bool, typer.Option("--rerank", help="k-reciprocal re-ranking.")] = False,
    flip: Annotated[bool, typer.Option("--flip", help="Add the mirrored image's feature.")] = False,
    multi_query: Annotated[
        bool,
        typer.Option("--multi-query", help="Pool all images of a query's person on its camera."),
    ] = False,
    pool: Annotated[str, typer.Option(help="Multi-query: mean or max.")] = "mean",
    format: Format = "auto",
    cache: Annotated[Path | None, typer.Option(help="Folder for decoded pixels.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Evaluate a model on a dataset's official queries and gallery."""
    from pul.data.datasets import read_dataset
    from pul.hardware import prepare
    from pul.model import load_network
    from pul.retrieval import Pooling, evaluate_network

    config = EvaluationConfig(ap_method=ap, unmatched=unmatched, camera_aware=camera_aware)
    if pool not in ("mean", "max"):
        raise ConfigError(f"--pool must be mean or max, but is {pool!r}.")
    where = prepare(RunConfig(device=device, n_threads=threads))
    with progress_bar("extracting") as on_progress:
        metrics = evaluate_network(
            load_network(model),
            read_dataset(data, format=format),
            config,
            rerank=rerank,
            flip=flip,
            multi_query=cast(Pooling, pool) if multi_query else None,
            device=where,
            cache_dir=cache,
            on_progress=on_progress,
        )
    if json:
        print_json(metrics)
    else:
        print_metrics(metrics, title=f"{model.name} on {data.name}")


@app.command()
def run(
    workspace: Location,
    model: Annotated[Path, typer.Option(help="The original model, .safetensors.")],
    preset: Annotated[
        str, typer.Option(help=f"Settings to begin with: {', '.join(preset_names())}.")
    ] = "paper",
    k: Annotated[int | None, typer.Option("--k", help="Number of clusters K.")] = None,
    lambda_: Annotated[
        float | None, typer.Option("--lambda", help="Reliability threshold λ; 0 selects all.")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Iterations at most; 0 only extracts, clusters and maps.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of an iteration.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images in a step.")] = None,
    selection: Annotated[
        str | None, typer.Option(help="Reliable by the own center (Eq. 2), or by any.")
    ] = None,
    restart_from: Annotated[
        str | None, typer.Option(help="Fine-tune from the original or the previous model.")
    ] = None,
    ap: Annotated[str | None, typer.Option("--ap", help="trapezoid or step.")] = None,
    unmatched: Annotated[str | None, typer.Option(help="zero or skip.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting: finetune.momentum=0.5.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the run.")] = "",
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = None,
    threads: Threads = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Work in the background; see `status`.")
    ] = False,
    json: Json = False,
) -> None:
    """Adapt a model to the training images of a workspace: Algorithm 1."""
    from pul.jobs import create_run
    from pul.store.workspace import Workspace

    config = load_preset(preset).replace(
        **{
            "n_clusters": k,
            "lambda_": lambda_,
            "n_iterations": iterations,
            "selection": selection,
            "restart_from": restart_from,
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
        job = create_run(opened, config, model.resolve(), name)
        work_on(opened, job.job_id, detach=detach, json=json)


@app.command()
def resume(
    run_id: Annotated[int, typer.Argument(help="Number of the run; see `status`.")],
    workspace: Location,
    detach: Annotated[
        bool, typer.Option("--detach", help="Work in the background; see `status`.")
    ] = False,
    json: Json = False,
) -> None:
    """Go on with a run that was stopped, failed or killed, from its last whole iteration."""
    from pul.jobs import create_resumption
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        job = create_resumption(opened, run_id)
        work_on(opened, job.job_id, detach=detach, json=json)


@app.command()
def work(
    job_id: Annotated[int, typer.Argument(help="Number of a queued job.")], workspace: Location
) -> None:
    """Do a queued job in this process; the screen starts its jobs this way."""
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        work_on(opened, job_id, detach=False, json=False)


@app.command()
def status(workspace: Location, json: Json = False) -> None:
    """Show the runs of a workspace with their figures, and the jobs that are at work."""
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
        where = describe_progress(job.progress) if job.progress else ""
        OUT.print(f"job {job.job_id} · {job.kind} · {job.status} {where} {job.error}", markup=False)
    if not runs and not jobs:
        OUT.print("No runs yet: `python -m pul run --workspace … --model …`.")


@app.command()
def steer(
    run_id: Annotated[int, typer.Argument(help="Number of the run; see `status`.")],
    workspace: Location,
    lambda_: Annotated[
        float | None, typer.Option("--lambda", help="New reliability threshold λ.")
    ] = None,
    k: Annotated[int | None, typer.Option("--k", help="New number of clusters K.")] = None,
) -> None:
    """Change λ or K of a run from its next iteration on."""
    from pul.store.workspace import Workspace

    if lambda_ is None and k is None:
        raise ConfigError("Say what to change: --lambda, --k, or both.")
    with Workspace.open(workspace) as opened:
        for name, value in (("lambda_", lambda_), ("n_clusters", k)):
            if value is not None:
                opened.set_control(run_id, name, value, author="command line")
    OUT.print(f"run {run_id} changes at its next iteration")


@app.command()
def project(
    run_id: Annotated[int, typer.Argument(help="Number of the run.")],
    workspace: Location,
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    iteration: Annotated[
        int | None, typer.Option(help="Iteration; the last one where not given.")
    ] = None,
) -> None:
    """Write the 2-D map of an iteration: image, x, y, cluster, cosine to its center, reliable."""
    from pul.mapping import write_map
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        n_images, used = write_map(opened, run_id, iteration, out)
    OUT.print(f"{n_images:,} images of run {run_id}, iteration {used}: {out}")


@app.command()
def demo(
    location: Annotated[Path, typer.Argument(help="Folder to make it in.")] = Path("demo"),
    run_pul: Annotated[
        bool, typer.Option("--run/--no-run", help="Also run PUL on it in the background.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Make the demo workspace: synthetic people, a start model, nothing to download."""
    from pul.demo import make_demo, start_demo_run

    with progress_bar("drawing people") as on_progress:
        workspace = make_demo(location, seed=seed, on_progress=on_progress)
    with workspace:
        job = start_demo_run(workspace) if run_pul else None
        n_images = len(workspace.images())
    if json:
        print_json({"workspace": location, "n_images": n_images, "job": job})
        return
    OUT.print(f"{n_images:,} images in {location}. Open it: `python -m app {location}`")


@app.command()
def doctor(
    workspace: Annotated[
        str | None, typer.Option(help="Also look at this workspace: a folder or a URL.")
    ] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="Drop damaged iterations, to be computed again.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what is here, what is wrong, and how to mend it; fails if something does not work."""
    from pul.doctor import describe_thread_pools, examine_machine, examine_workspace

    findings = examine_machine()
    if workspace is not None:
        findings += examine_workspace(workspace, mend=mend)
    if json:
        print_json({"findings": findings, "thread_pools": describe_thread_pools()})
    else:
        colours = {"ok": "green", "warning": "yellow", "error": "red"}
        for finding in findings:
            level = typer.style(f"{finding.level:>7}", fg=colours[finding.level])
            typer.echo(f"{level}  {finding.subject}: {finding.message}")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


for command in (
    backup,
    restore,
    fork,
    report,
    clean,
    autopilot,
    export,
    import_annotations,
    export_model,
    evaluate_baseline,
    reproduce,
):
    app.command()(command)


def _add_to_workspace(location: str, dataset: Any, *, is_same_place: bool) -> int:
    from pul.store.workspace import Workspace

    exists = Workspace.exists(location)
    with Workspace.open(location) if exists else Workspace.create(location) as workspace:
        n_new: int = workspace.add_dataset(dataset, is_same_place=is_same_place)
        return n_new


def _print_dataset(dataset: Any) -> None:
    columns = ["split", "images", "people", "cameras", "junk", "distractors"]
    rows = [
        [s.split, s.n_images, s.n_pids, s.n_camids, s.n_junk, s.n_distractors]
        for s in dataset.summary()
    ]
    print_table(columns, rows, title=f"{dataset.name}: {dataset.format}")
    for note in dataset.notes:
        OUT.print(f"· {note}")
    if dataset.skipped:
        OUT.print(f"{len(dataset.skipped)} files left out:")
        for item in dataset.skipped[:20]:
            OUT.print(f"  {item.path}: {item.reason}", markup=False)
        if len(dataset.skipped) > 20:
            OUT.print(f"  … and {len(dataset.skipped) - 20} more (all of them with --json)")
