"""The commands of `python -m pul` that fork, report and remove runs; doing a job here."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pul.cli.console import OUT, iteration_line, job_bar, print_json
from pul.cli.options import AnySetting, Detach, Iterations, Json, K, Lambda, Location, RunName
from pul.config import RunConfig
from pul.errors import ConfigError, PulError

_UPLOAD_S = 3600  # younger ones may be about to be imported
RunNumber = Annotated[int, typer.Argument(help="Number of the run; see `status`.")]


def fork(
    run_id: RunNumber,
    workspace: Location,
    iteration: Annotated[
        int | None,
        typer.Option(help="Start from the model of this iteration; by default the last."),
    ] = None,
    k: K = None,
    lambda_: Lambda = None,
    iterations: Iterations = None,
    set_: AnySetting = None,
    name: RunName = "",
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Start a new run from an iteration's model, with the same settings unless changed here."""
    from pul.jobs import create_fork
    from pul.store.workspace import Workspace

    changes = {"n_clusters": k, "lambda_": lambda_, "n_iterations": iterations}
    with Workspace.open(workspace) as opened:
        parent = opened.run(run_id)
        config = RunConfig(**parent.config).replace(**changes, **parse_settings(set_))
        at = parent.n_iterations_done if iteration is None else iteration
        job = create_fork(opened, run_id, at, config, name)
        work_on(opened, job.job_id, detach=detach, json=json)


def report(
    run_id: RunNumber,
    workspace: Location,
    out: Annotated[Path, typer.Option(help="HTML file to write; an existing one is replaced.")],
    with_pictures: Annotated[
        bool,
        typer.Option(
            "--with-pictures", help="Include pictures of people from the largest clusters."
        ),
    ] = False,
) -> None:
    """Write a report of a run as one self-contained HTML file."""
    from pul.reports.html import write_report
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        write_report(opened, run_id, out, with_pictures=with_pictures)
    OUT.print(f"{out}: {out.stat().st_size / 1024:,.0f} KiB", markup=False)


def clean(
    workspace: Location,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be removed.")
    ] = False,
    json: Json = False,
) -> None:
    """Permanently remove deleted runs, and images that were sent to the studio and not imported."""
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        deleted = opened.runs(shelf="deleted")
        uploads = opened.stray_uploads(older_than_s=_UPLOAD_S)
        folders = [*(opened.run_path(run.run_id) for run in deleted), *opened.stray_run_folders()]
        folders += uploads
        n_bytes = sum(
            path.stat().st_size for root in folders for path in root.rglob("*") if path.is_file()
        )
        if not dry_run:
            opened.remove_deleted_runs()
            opened.remove_stray_uploads(older_than_s=_UPLOAD_S)
    if json:
        run_ids = [run.run_id for run in deleted]
        print_json({"run_ids": run_ids, "n_uploads": len(uploads), "n_bytes": n_bytes})
        return
    names = ", ".join(f"{run.run_id} ({run.name})" for run in deleted) or "none"
    verb = "Would remove" if dry_run else "Removed"
    OUT.print(
        f"{verb} runs: {names}; uploads that were not imported: {len(uploads)}; "
        f"{n_bytes / 2**20:,.1f} MiB.",
        markup=False,
    )


def work_on(workspace: Any, job_id: int, *, detach: bool, json: bool) -> None:
    """Run a job in this process with a progress bar, or start a worker for it.

    Raises:
        PulError: The job failed.
    """
    from pul.algorithm import events
    from pul.jobs import start_job
    from pul.jobs.worker import RETRY_S, work

    if detach:
        job = start_job(workspace, job_id)
        OUT.print(f"job {job_id} runs in the background; see `python -m pul status`.")
        return
    workspace.retries.seconds = RETRY_S
    findings: dict[str, Any] = {}  # by code: each is said once
    with job_bar() as show:

        def on_event(event: Any) -> None:
            if isinstance(event, events.Progress):
                show(event.progress)
            elif isinstance(event, events.SettingsChosen) and not json:
                OUT.print("\n".join(event.reasons), markup=False)
            elif isinstance(event, events.NotMeasurable) and not json:
                OUT.print(f"figures are not measurable: {event.reason}", markup=False)
            elif isinstance(event, events.NotTracked):
                typer.echo(event.reason, err=True)
            elif isinstance(event, events.IterationFinished):
                new = _new_findings(workspace, job_id, event.record.iteration, findings)
                if not json:
                    OUT.print("\n".join([iteration_line(event.record), *new]), markup=False)

        job = work(workspace, job_id, on_event=on_event)
    if json:
        iterations = workspace.iterations(job.run_id) if job.run_id is not None else []
        found = list(findings.values())
        print_json({"job": job, "iterations": iterations, "findings": found})
    if job.status == "failed":
        if job.traceback and not json:
            typer.echo(job.traceback, err=True)
        raise PulError(job.error)
    if not json:
        OUT.print(f"job {job_id} {job.status}")


def _new_findings(workspace: Any, job_id: int, iteration: int, known: dict[str, Any]) -> list[str]:
    """Return a line for each problem of an iteration that was not known, and keep it as known."""
    from pul.reports.workspace_diagnosis import examine_iteration

    run_id = workspace.job(job_id).run_id
    new = [f for f in examine_iteration(workspace, run_id, iteration) if f.code not in known]
    known |= {finding.code: finding for finding in new}
    return [f"  {each.severity}: {each.observed} {each.why} {each.fix}" for each in new]


def parse_settings(pairs: list[str] | None) -> dict[str, Any]:
    """Turn NAME=VALUE pairs into values as TOML reads them; a bare word is a string, none no value.

    Raises:
        ConfigError: A pair is not of this form.
    """
    import tomllib

    settings: dict[str, Any] = {}
    for pair in pairs or []:
        name, separator, text = pair.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"--set takes NAME=VALUE, such as lambda_=0.9; got {pair!r}.")
        try:
            settings[name.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            settings[name.strip()] = text.strip()
    return settings
