"""The command of `python -m pul` that labels by ground truth."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from pul.cli.console import OUT, print_json, print_table, progress_bar
from pul.cli.options import Json, Location, Seed

if TYPE_CHECKING:
    from pul.labelling.oracle import OracleReport


def autopilot(
    workspace: Location,
    identities: Annotated[int, typer.Option(help="Identities to label.")] = 25,
    run: Annotated[
        int | None, typer.Option(help="The run to label on; by default the newest.")
    ] = None,
    iteration: Annotated[
        int | None, typer.Option(help="Its iteration; by default the last finished one.")
    ] = None,
    strategy: Annotated[
        str, typer.Option(help="queue (the order of the studio), random or largest-first.")
    ] = "queue",
    error_rate: Annotated[
        float, typer.Option(help="Share of wrong decisions, to simulate mistakes.")
    ] = 0.0,
    patience: Annotated[
        int,
        typer.Option(
            help="How many rows of candidates without the person to replace before moving on."
        ),
    ] = 0,
    author: Annotated[str, typer.Option(help="Author of the labels.")] = "autopilot",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Label identities automatically from ground truth, as a person would in the studio."""
    # Long: a parameter for each option.
    from pul.labelling.autopilot import run_autopilot
    from pul.labelling.oracle import Strategy
    from pul.store.workspace import Workspace

    with Workspace.open(workspace) as opened, progress_bar("labelling") as on_progress:
        report = run_autopilot(
            opened,
            run_id=run,
            iteration=iteration,
            n_identities=identities,
            strategy=cast(Strategy, strategy),
            error_rate=error_rate,
            seed=seed,
            patience=patience,
            author=author,
            on_progress=on_progress,
        )
    if json:
        print_json({"figures": _figures(report), "report": report})
    else:
        _print_report(report)


def _figures(report: "OracleReport") -> dict[str, float]:
    names = ("n_images", "precision", "recall", "actions_per_identity", "seconds_per_identity")
    return {name: getattr(report, name) for name in names}


def _print_report(report: "OracleReport") -> None:
    rows = [
        [known.name, known.n_images, f"{known.precision:.1%}", f"{known.recall:.1%}"]
        for known in report.identities
    ]
    print_table(["identity", "images", "precision", "recall"], rows)
    OUT.print(
        f"{len(rows)} identities, {report.n_images:,} images: precision "
        f"{report.precision:.1%}, recall {report.recall:.1%}; "
        f"{report.actions_per_identity:.1f} actions and {report.seconds_per_identity:.1f} s "
        f"an identity, {report.effort.seconds / 60:.1f} min in all (modelled)."
    )
