"""The commands that make and restore backups."""

from pathlib import Path
from typing import Annotated

import typer

from pul.cli.console import OUT, print_json, progress_bar
from pul.cli.options import Json
from pul.errors import ConfigError


def backup(
    workspace: Annotated[str, typer.Argument(help="The workspace: a folder, or a database URL.")],
    out: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    json: Json = False,
) -> None:
    """Copy a workspace with checksums; runs and labelling may continue meanwhile."""
    from pul.store.backup import back_up, check_backup
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened, progress_bar("copying") as on_progress:
        report = back_up(opened, out, on_progress=on_progress)
    check_backup(out)
    if json:
        print_json(report)
        return
    OUT.print(f"{report.n_files:,} files, {report.n_bytes / 2**20:,.1f} MiB, in {out}: checked")
    if report.n_elsewhere:
        OUT.print(
            f"{report.n_elsewhere:,} images lie outside the workspace: back them up too. If they "
            "are elsewhere after `restore`, `relocate` finds them."
        )


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder written by `backup`.")],
    workspace: Annotated[
        str | None, typer.Argument(help="A new folder, or the URL of an empty database.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the checksum of every file.")
    ] = False,
) -> None:
    """Check a backup, and create a workspace from it."""
    from pul.store.backup import check_backup
    from pul.store.backup import restore as restore_backup
    from pul.store.workspace import Workspace

    if not check and workspace is None:
        raise ConfigError("Name the workspace to create, or only check the backup with --check.")
    if check or workspace is None:
        OUT.print(f"{check_backup(backup):,} files match their checksums.")
        return
    restore_backup(backup, workspace)
    OUT.print(f"restored: `python -m app {workspace}`", markup=False)
    with Workspace.open(workspace) as opened:
        advice = opened.advise_missing()
    if advice:
        OUT.print(advice, markup=False)
