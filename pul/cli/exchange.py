"""The commands of `python -m pul` that import and export labels and models."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from pul.cli.console import OUT, print_json, print_table, progress_bar
from pul.cli.options import Json, Location

_SHOWN_PROBLEMS = 20


def export(
    workspace: Location,
    out: Annotated[Path, typer.Option(help="File or folder to write; it must not exist.")],
    format: Annotated[str, typer.Option(help="csv, json, market1501, folders or coco.")],
    json: Json = False,
) -> None:
    """Export the labelled identities in a format that other tools read."""
    from pul.exchange import export_identities
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        report = export_identities(opened, out, format=format)
    if json:
        print_json(report)
    else:
        OUT.print(
            f"{report.n_identities:,} identities, {report.n_images:,} images, "
            f"{report.n_junk:,} junk: {report.path}"
        )


def import_annotations(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or JSON file, or folder of folders.")
    ],
    workspace: Location,
    author: Annotated[
        str | None, typer.Option(help="Author of the imported labels; by default your user name.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be added and skipped.")
    ] = False,
    json: Json = False,
) -> None:
    """Import labels made elsewhere; those that contradict the workspace are listed and skipped."""
    from pul.exchange import import_annotations
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened, progress_bar("storing") as on_progress:
        report = import_annotations(
            opened,
            source,
            author=author or getpass.getuser(),
            dry_run=dry_run,
            on_progress=on_progress,
        )
    if json:
        print_json(report)
        return
    shown = report.problems[:_SHOWN_PROBLEMS]
    if shown:
        rows = [[problem.place, problem.reason] for problem in shown]
        print_table(["where", "skipped because"], rows)
    if len(report.problems) > len(shown):
        OUT.print(f"... and {len(report.problems) - len(shown):,} more; --json lists all.")
    OUT.print(
        f"{'Would add' if dry_run else 'Added'} {report.n_created:,} identities and images to "
        f"{report.n_extended:,}: {report.n_images:,} images, {report.n_junk:,} junk, "
        f"{report.n_unsure:,} unsure; {report.n_known:,} known already, "
        f"{len(report.problems):,} skipped."
    )


def export_model(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, .safetensors.")],
    format: Annotated[str, typer.Option(help="safetensors, torchscript or onnx.")],
    out: Annotated[Path, typer.Option(help="File to write; it must not exist.")],
    json: Json = False,
) -> None:
    """Export a model for other programs, and check that it gives the same features."""
    from pul.exchange.models import export_model

    report = export_model(checkpoint, out, format=format)
    if json:
        print_json(report)
    else:
        OUT.print(
            f"{report.backbone}, {report.height}×{report.width} images ({report.resize}), "
            f"{report.n_features:,} features, at most "
            f"{report.difference:.1g} from the original: {report.path}"
        )
