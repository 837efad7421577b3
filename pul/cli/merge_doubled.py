"""The command of `python -m pul` that merges images which are in a workspace twice."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pul.cli.console import OUT, print_json
from pul.cli.options import Json, Location


def merge_doubled(
    old: Annotated[Path, typer.Argument(help="One folder that the images were imported from.")],
    new: Annotated[
        Path, typer.Argument(help="The other folder with the same pictures; the order is free.")
    ],
    workspace: Location,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what was found.")] = False,
    json: Json = False,
) -> None:
    """Make one image of each picture that was imported from two folders; labels and runs stay."""
    from pul.labelling.doubled_images import find_doubled
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = find_doubled(opened, old, new)
        if not dry_run and found.twins:
            opened.merge_doubled(found)
    if json:
        print_json({"found": found, "is_dry_run": dry_run})
        return
    _print(found, workspace, is_dry_run=dry_run)


def _print(found: Any, location: str, *, is_dry_run: bool) -> None:
    would = "would be merged" if is_dry_run else "were merged"
    OUT.print(f"{len(found.twins):,} of {found.n_twice:,} pictures that are there twice {would}.")
    n_left = found.n_images - len(found.twins)
    OUT.print(f"The workspace {'would have' if is_dry_run else 'has'} {n_left:,} images.")
    for reason, n_images, example in found.reasons():
        OUT.print(f"{n_images:,} stay twice: {reason}, such as {example}.", markup=False)
    if advice := _advise(found, location):
        OUT.print(advice, markup=False)


def _advise(found: Any, location: str) -> str:
    from pul.store.doubled_images import IN_RUNS, LABELLED_APART

    reasons = {reason for _, reason in found.kept}
    parts = []
    if IN_RUNS in reasons:
        numbers = ", ".join(map(str, found.run_ids))
        old, new = shlex.quote(location), shlex.quote(f"{location}-once")
        place = shlex.quote(found.folders[1])
        parts.append(
            f"Runs that have both: {numbers}. The arrays of these have a row for each image, so "
            "that none is taken out. Delete these runs for good (on the page Train, then `pul "
            "clean`) and merge again; or keep them and go on in a new workspace with each image "
            "once and all labels:\n"
            f"  python -m pul export --workspace {old} --format csv --out labels.csv\n"
            f"  python -m pul import {place} --workspace {new}\n"
            f"  python -m pul import-annotations labels.csv --workspace {new}"
        )
    if LABELLED_APART in reasons:
        parts.append(
            "Where the labels of the two differ, merge the two identities or remove the wrong "
            "image on the page Identities, then merge again."
        )
    return "\n".join(parts)
