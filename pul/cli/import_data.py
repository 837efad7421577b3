"""The command of `python -m pul` that reads datasets into a workspace."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pul.cli.console import OUT, print_json, print_table, progress_bar
from pul.cli.options import Format, Json, Levels
from pul.data.file_names import printable
from pul.errors import ConfigError, DuplicateImagesError


def import_(
    data: Annotated[list[Path], typer.Argument(help="Folder, or CSV or Parquet file.")],
    workspace: Annotated[
        str | None,
        typer.Option(help="Workspace to add the images to; created if it does not exist."),
    ] = None,
    format: Format = "auto",
    levels: Levels = "",
    same_place: Annotated[
        bool,
        typer.Option(
            "--same-place",
            help="People and cameras have the same numbers as in the existing images.",
        ),
    ] = False,
    duplicates: Annotated[
        str,
        typer.Option(
            help="Pictures that the workspace has already from other files: refuse, skip or add."
        ),
    ] = "refuse",
    root: Annotated[
        Path | None,
        typer.Option(
            help="Folder that images are stored relative to, so that they may move with it; it can "
            "be changed by `relocate`, and for one process by PUL_IMAGE_ROOT."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be imported and skipped.")
    ] = False,
    json: Json = False,
) -> None:
    """Read a dataset, check every image, and add it to a workspace."""
    # Long: a parameter for each option.
    from pul.data.datasets import merge_datasets, read_dataset
    from pul.data.images import check_images
    from pul.store.additions import DUPLICATES

    if duplicates not in DUPLICATES:
        names = ", ".join(DUPLICATES)
        raise ConfigError(f"--duplicates must be one of {names}, but is {duplicates!r}.")
    if not dry_run and workspace is None:
        raise ConfigError(
            "Name a workspace with --workspace, or only check the data with --dry-run."
        )
    datasets = [read_dataset(path, format=format, levels=levels) for path in data]
    dataset = datasets[0] if len(datasets) == 1 else merge_datasets(datasets)
    with progress_bar("checking images") as on_progress:
        ranges = _known_ranges(workspace)
        dataset = check_images(dataset, ranges=ranges, on_progress=on_progress)
    n_new = twice = None
    if workspace is not None and dry_run:
        twice = _find_duplicates(workspace, dataset)
    elif workspace is not None:
        n_new = _add_to_workspace(
            workspace, dataset, root, is_same_place=same_place, duplicates=duplicates
        )
    if json:
        n_twice = None if twice is None else twice.n_images
        print_json({**_describe(dataset), "n_new": n_new, "n_duplicates": n_twice})
        return
    _print_dataset(dataset)
    if twice is not None:
        OUT.print(str(twice), markup=False)
    if n_new is not None:
        OUT.print(f"{n_new:,} new images in {workspace}.")


def _describe(dataset: Any) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "format": dataset.format,
        "splits": dataset.summary(),
        "skipped": [{"path": item.path, "reason": item.reason} for item in dataset.skipped],
        "notes": dataset.notes,
        "levels": dataset.levels,
        "grey_ranges": dataset.ranges.to_plain(),
        "nearly_one_colour": dataset.nearly_one_colour,
    }


def _known_ranges(location: str | None) -> Any:
    from pul.data.grey import NO_RANGES
    from pul.store.workspace import Workspace

    if location is None or not Workspace.exists(location):
        return NO_RANGES
    with Workspace.open(location) as workspace:
        return workspace.grey_ranges()


def _add_to_workspace(location: str, dataset: Any, root: Path | None, **options: Any) -> int:
    from pul.store.workspace import Workspace

    exists = Workspace.exists(location)
    with Workspace.open(location) if exists else Workspace.create(location) as workspace:
        if root is not None:
            workspace.set_image_root(root)
        n_new: int = workspace.add_dataset(dataset, **options)
        return n_new


def _find_duplicates(location: str, dataset: Any) -> DuplicateImagesError | None:
    from pul.store.workspace import Workspace

    if not Workspace.exists(location):
        return None
    with Workspace.open(location) as workspace:
        return workspace.find_duplicates(dataset)


def _print_dataset(dataset: Any) -> None:
    columns = ["split", "images", "people", "cameras", "junk", "distractors"]
    rows = [
        [s.split, s.n_images, s.n_pids, s.n_camids, s.n_junk, s.n_distractors]
        for s in dataset.summary()
    ]
    print_table(columns, rows, title=f"{dataset.name}: {dataset.format}")
    for note in dataset.notes:
        OUT.print(f"· {note}", markup=False)
    if dataset.skipped:
        OUT.print(f"{len(dataset.skipped)} files skipped:")
        for item in dataset.skipped[:20]:
            OUT.print(f"  {printable(item.path)}: {item.reason}", markup=False)
        if len(dataset.skipped) > 20:
            OUT.print(f"  … and {len(dataset.skipped) - 20} more (all of them with --json)")
