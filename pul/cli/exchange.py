"""The commands of `python -m pul` that import and export labels and models."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pul.cli.console import OUT, print_json, print_table
from pul.cli.options import Json, Location

if TYPE_CHECKING:
    from pul.exchange import ImportReport, Problem

_SHOWN_PROBLEMS = 20


def export(
    workspace: Location,
    out: Annotated[Path, typer.Option(help="File or folder to write; it must not exist.")],
    format: Annotated[
        str,
        typer.Option(
            help="csv, json, market1501, folders, coco, cvat, mot, mot-tracks or label-studio."
        ),
    ],
    clusters: Annotated[
        int | None,
        typer.Option(help="Run whose clusters say who images show that nobody labelled."),
    ] = None,
    iteration: Annotated[
        int | None, typer.Option(help="Its iteration; by default the last finished one.")
    ] = None,
    json: Json = False,
) -> None:
    """Export the labelled identities in a format that other tools read."""
    from pul.exchange import export_identities
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened:
        chosen = None if clusters is None else (clusters, iteration)
        report = export_identities(opened, out, format=format, clusters=chosen)
    if json:
        print_json(report)
    else:
        OUT.print(
            f"{report.n_identities:,} identities, {report.n_images:,} images, "
            f"{report.n_junk:,} junk: {report.path}"
        )


def import_annotations(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Table, COCO, CVAT XML, Label Studio or FiftyOne JSON, MOT text, or folder.",
        ),
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

    with Workspace.open(workspace) as opened:
        report = import_annotations(
            opened,
            source,
            author=author or getpass.getuser(),
            dry_run=dry_run,
        )
    if json:
        print_json(report)
    else:
        _print_report(report, "Would add" if dry_run else "Added")


def _print_report(report: "ImportReport", verb: str) -> None:
    OUT.print(f"Read as {report.format}.", markup=False)
    for note in report.notes:
        OUT.print(f"· {note}", markup=False)
    _print_listed("names nobody because", report.nobody)
    _print_listed("skipped because", report.problems)
    OUT.print(
        f"{verb} {report.n_created:,} identities and images to "
        f"{report.n_extended:,}: {report.n_images:,} images, {report.n_junk:,} junk, "
        f"{report.n_unsure:,} unsure; {report.n_known:,} known already, "
        f"{len(report.nobody):,} name nobody, {len(report.problems):,} skipped."
    )


def _print_listed(heading: str, problems: "Sequence[Problem]") -> None:
    """Print where labels were left out, and why: the first, and how many more there are."""
    if not problems:
        return
    shown = problems[:_SHOWN_PROBLEMS]
    print_table(["where", heading], [[problem.place, problem.reason] for problem in shown])
    if len(problems) > len(shown):
        OUT.print(f"... and {len(problems) - len(shown):,} more; --json lists all.")


def export_model(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, .safetensors.")],
    format: Annotated[
        str,
        typer.Option(
            help="safetensors, torchscript or onnx; boxmot, boxmot-torchscript or ultralytics for "
            "the re-ID model of a tracker."
        ),
    ],
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
