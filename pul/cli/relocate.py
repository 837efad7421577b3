"""The command of `python -m pul` that finds images that were moved."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pul.cli.console import OUT, print_json, progress_bar
from pul.cli.options import Json, Location
from pul.data.file_names import printable

_N_SHOWN = 20


def relocate(
    folder: Annotated[
        Path, typer.Argument(help="The folder that the images are in now, or any above it.")
    ],
    workspace: Location,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also move images whose files are still where they were."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what was found.")] = False,
    json: Json = False,
) -> None:
    """Find images that were moved, by name, size and content; labels and runs stay."""
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        with progress_bar("reading files") as on_progress:
            found = opened.find_moved(folder, everything=everything, on_progress=on_progress)
        if not dry_run:
            opened.relocate(found)
    if json:
        print_json({"found": found, "is_dry_run": dry_run})
        return
    _print(found, is_dry_run=dry_run)
    if found.doubled:
        OUT.print(_advise_on_doubled(workspace, found), markup=False)


def _advise_on_doubled(location: str, found: Any) -> str:
    """Say how to merge images that an older version added anew when they had moved."""
    lines = [
        f"{len(found.doubled):,} of these are in the workspace twice, as versions before this one "
        "added images that were moved anew. To make one image of each, with all labels (with "
        "--dry-run first):"
    ]
    for old, new, _ in found.doubled_folders()[:_N_SHOWN]:
        one, other, place = (shlex.quote(text) for text in (old, new, location))
        lines.append(f"  python -m pul merge-doubled {one} {other} --workspace {place}")
    return "\n".join(lines)


def _print(found: Any, *, is_dry_run: bool) -> None:
    if not found.n_wanted:
        OUT.print(
            f"All {found.n_images:,} files are where the workspace has them. To use copies of them "
            "below another folder, give --all."
        )
        return
    would = "would move" if is_dry_run else "moved"
    OUT.print(f"{len(found.moves):,} of {found.n_wanted:,} images {would}.")
    for old, new, n_images in found.folders()[:_N_SHOWN]:
        OUT.print(f"  {n_images:,}: {printable(old)} → {printable(new)}", markup=False)
    if found.n_in_place:
        OUT.print(f"{found.n_in_place:,} are in this folder already.")
    _print_list(
        "could be any of several files, and stay as they were; name a smaller folder:",
        [f"{old}: {', '.join(files)}" for old, files in found.ambiguous],
    )
    _print_list(
        "have a file of their name with another content, and stay as they were:",
        [f"{old}: {new}" for old, new in found.changed],
    )
    _print_list("folders may not be read:", found.closed)
    if found.missing:
        OUT.print(f"{len(found.missing):,} were not found, by their old folders:")
        for place, n_images in found.missing_by_folder()[:_N_SHOWN]:
            OUT.print(f"  {n_images:,}: {printable(place)}", markup=False)


def _print_list(title: str, lines: Any) -> None:
    if not lines:
        return
    OUT.print(f"{len(lines):,} {title}")
    for line in lines[:_N_SHOWN]:
        OUT.print(f"  {printable(line)}", markup=False)
    if len(lines) > _N_SHOWN:
        OUT.print(f"  … and {len(lines) - _N_SHOWN:,} more (all of them with --json)")
