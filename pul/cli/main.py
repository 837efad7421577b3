"""The command line: all commands, and how their errors are shown."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pul.cli.backup import backup, restore
from pul.cli.baselines import evaluate_baseline
from pul.cli.console import OUT, escape_undecodable, print_json, progress_bar
from pul.cli.exchange import export, export_model, import_annotations
from pul.cli.import_data import import_
from pul.cli.labelling import autopilot
from pul.cli.manage_runs import clean, fork, report
from pul.cli.merge_doubled import merge_doubled
from pul.cli.models import convert, evaluate, train_source
from pul.cli.options import Json, Seed, in_options
from pul.cli.relocate import relocate
from pul.cli.reproduce import reproduce
from pul.cli.run import project, resume, run, status, steer, work
from pul.errors import ConfigError, PulError

app = typer.Typer(
    name="pul",
    help="Adapt a person re-identification model to new cameras with few labels or none.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; a `PulError` is printed as one line, without a traceback."""
    escape_undecodable()
    try:
        app()
    except PulError as error:
        text = in_options(str(error)) if isinstance(error, ConfigError) else error
        typer.secho(f"error: {text}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.secho("interrupted", fg="red", err=True)
        sys.exit(130)


def demo(
    location: Annotated[Path, typer.Argument(help="Folder to create it in.")] = Path("demo"),
    run_pul: Annotated[
        bool, typer.Option("--run/--no-run", help="Also run PUL on it in the background.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Create the demo workspace: synthetic people, a start model, nothing to download."""
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


def draw_video(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; it must not exist.")],
    people: Annotated[int, typer.Option(help="People who walk past every camera.")] = 12,
    test_people: Annotated[
        int, typer.Option(help="Other people, filmed an hour later, to measure a model on.")
    ] = 8,
    cameras: Annotated[int, typer.Option(help="Cameras.")] = 3,
    width: Annotated[int, typer.Option(help="Width of the pictures in pixels.")] = 960,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Draw videos of invented people, with the tracks of a tracker and the truth."""
    from pul.data.synthetic.films import draw_film_set

    with progress_bar("drawing frames") as on_progress:
        lists = draw_film_set(
            folder,
            n_people=people,
            n_test_people=test_people,
            n_cameras=cameras,
            width=width,
            seed=seed,
            on_progress=on_progress,
        )
    if json:
        print_json({"lists": lists})
    else:
        OUT.print("\n".join(map(str, lists)), markup=False)


def doctor(
    workspace: Annotated[
        str | None, typer.Option(help="Also check this workspace: a folder or a URL.")
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Drop damaged iterations, so that `resume` recomputes them."),
    ] = False,
    json: Json = False,
) -> None:
    """Check the installation and a workspace, and how to fix problems; fails on errors."""
    from pul.reports.doctor import describe_thread_pools, examine_machine
    from pul.reports.workspace_check import examine_workspace

    findings = examine_machine()
    if workspace is not None:
        findings += examine_workspace(workspace, repair=repair)
    if json:
        print_json({"findings": findings, "thread_pools": describe_thread_pools()})
    else:
        colours = {"ok": "green", "warning": "yellow", "error": "red"}
        for finding in findings:
            level = typer.style(f"{finding.level:>7}", fg=colours[finding.level])
            typer.echo(f"{level}  {finding.subject}: {finding.message}")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


app.command("import")(import_)
for command in (
    convert,
    train_source,
    evaluate,
    run,
    resume,
    work,
    status,
    steer,
    project,
    demo,
    draw_video,
    doctor,
    relocate,
    merge_doubled,
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
