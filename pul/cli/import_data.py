"""The command of `python -m pul` that reads datasets and videos into a workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pul.cli.console import OUT, print_json, print_table, steps_bar
from pul.cli.import_videos import import_videos, parse_size
from pul.cli.options import Format, Json, Levels
from pul.data.file_names import printable
from pul.errors import ConfigError, DuplicateImagesError

if TYPE_CHECKING:
    from pul.data.datasets import Dataset

_VIDEO = "Videos"


def import_(
    data: Annotated[
        list[Path],
        typer.Argument(help="Folder, CSV or Parquet file; or videos, or a list of cameras."),
    ],
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
    bbox: Annotated[
        str,
        typer.Option(
            help="What the boxes of a table are: xywh (left, top, width, height) or xyxy (two "
            "corners), to be cut out of whole pictures; or none: the pictures are crops. auto "
            "tells by their numbers."
        ),
    ] = "auto",
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
    tracks: Annotated[
        list[Path] | None,
        typer.Option(
            help="The tracks in a video (MOTChallenge, COCO or CVAT XML); once for each video, in "
            "the same order.",
            rich_help_panel=_VIDEO,
        ),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a video's camera; by default the name of the file. Once for each video.",
            rich_help_panel=_VIDEO,
        ),
    ] = None,
    start_time: Annotated[
        list[str] | None,
        typer.Option(
            help="When a video begins: 2024-05-03T08:15:30, 08:15:30, or seconds. Once for each.",
            rich_help_panel=_VIDEO,
        ),
    ] = None,
    every: Annotated[
        int,
        typer.Option(help="Every n-th frame of a track may be cut.", rich_help_panel=_VIDEO),
    ] = 5,
    per_track: Annotated[
        int, typer.Option(help="Crops of a track at most.", rich_help_panel=_VIDEO)
    ] = 12,
    classes: Annotated[
        str,
        typer.Option(
            help="Classes of boxes to cut, with commas between; by default people where the tracks "
            "name them, else all.",
            rich_help_panel=_VIDEO,
        ),
    ] = "",
    first_frame: Annotated[
        int | None,
        typer.Option(
            help="What the tracks call the first frame, if it is not found: 0 or 1.",
            rich_help_panel=_VIDEO,
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames a second of a folder of frames.", rich_help_panel=_VIDEO),
    ] = None,
    track_size: Annotated[
        str,
        typer.Option(
            help="Size of the pictures that the tracks were made on, as 1920x1080, if it is not "
            "the video's.",
            rich_help_panel=_VIDEO,
        ),
    ] = "",
    ids_are_people: Annotated[
        bool,
        typer.Option(
            "--ids-are-people",
            help="The ids of the tracks are people, the same in all videos, as in ground truth.",
            rich_help_panel=_VIDEO,
        ),
    ] = False,
    split: Annotated[
        str,
        typer.Option(
            help="train; or test with --ids-are-people: query and gallery.", rich_help_panel=_VIDEO
        ),
    ] = "train",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be imported and skipped.")
    ] = False,
    json: Json = False,
) -> None:
    """Read a dataset, or cut crops out of videos, check every image, and add it to a workspace."""
    # Long: a parameter for each option.
    from pul.data.video import VideoRequest, is_video, pair_videos
    from pul.store.additions import DUPLICATES

    if duplicates not in DUPLICATES:
        names = ", ".join(DUPLICATES)
        raise ConfigError(f"--duplicates must be one of {names}, but is {duplicates!r}.")
    if split not in ("train", "test"):
        raise ConfigError(f"--split is {split!r}. Right: train or test.")
    if not dry_run and workspace is None:
        raise ConfigError(
            "Name a workspace with --workspace, or only check the data with --dry-run."
        )
    twice = None
    if tracks or any(map(is_video, data)):
        cameras = pair_videos(
            data,
            tracks or (),
            names=camera or (),
            starts=start_time or (),
            first_frame=first_frame,
        )
        request = VideoRequest(
            cameras=cameras,
            every=every,
            per_track=per_track,
            classes=[name.strip() for name in classes.split(",") if name.strip()],
            fps=fps,
            track_size=parse_size(track_size),
            has_people=ids_are_people,
            split=split,
        )
        dataset, n_new = import_videos(
            request, workspace, root, is_same_place=same_place, dry_run=dry_run
        )
    else:
        with _read(data, format, levels, bbox, workspace if not dry_run else None) as dataset:
            if workspace is None or dry_run:
                is_cut = any(sample.box is not None for sample in dataset.samples)
                dataset = _check(dataset, None, workspace)
                n_new, twice = (None, None) if is_cut else _preview(workspace, dataset)
            else:
                dataset, n_new = _add(
                    dataset, workspace, root, is_same_place=same_place, duplicates=duplicates
                )
    if json:
        n_twice = None if twice is None else twice.n_images
        print_json({**_describe(dataset), "n_new": n_new, "n_duplicates": n_twice})
        return
    _print_dataset(dataset)
    if twice is not None:
        OUT.print(str(twice), markup=False)
    if n_new is not None:
        OUT.print(f"{n_new:,} new images {'would be' if dry_run else 'are'} in {workspace}.")


@contextmanager
def _read(
    data: list[Path], format: str, levels: str, bbox: str, location: str | None
) -> Iterator["Dataset"]:
    """Read datasets; images that lie inside one big file are there while the block runs.

    They stay in the workspace, if there is one to be.
    """
    from pul.data.datasets import merge_datasets, read_dataset
    from pul.errors import UnpackingError

    options: dict[str, Any] = {} if bbox == "auto" else {"bbox": bbox}

    def read(cache_dir: Path | None) -> "Dataset":
        datasets = [
            read_dataset(
                path, format=format, levels=levels, cache_dir=cache_dir, cut=False, **options
            )
            for path in data
        ]
        return datasets[0] if len(datasets) == 1 else merge_datasets(datasets)

    try:
        dataset = read(None)
    except UnpackingError:
        with _unpacking_folder(location) as folder:
            yield read(folder)
    else:
        yield dataset


@contextmanager
def _unpacking_folder(location: str | None) -> Iterator[Path]:
    """Yield where images are unpacked: into a workspace, which is made; else for the moment."""
    from pul.store.workspace import Workspace

    if location is None:
        with TemporaryDirectory() as folder:
            yield Path(folder)
        return
    exists = Workspace.exists(location)
    with Workspace.open(location) if exists else Workspace.create(location) as workspace:
        folder_of_images = workspace.path / "images"
    yield folder_of_images


def _check(dataset: "Dataset", folder: Path | None, location: str | None) -> "Dataset":
    """Cut crops out of whole pictures, if there are boxes, and leave out what cannot be read."""
    from pul.data.checking import check_dataset

    with steps_bar() as on_progress:
        return check_dataset(
            dataset, folder, ranges=_known_ranges(location), on_progress=on_progress
        )


def _preview(
    location: str | None, dataset: "Dataset"
) -> tuple[int | None, DuplicateImagesError | None]:
    """Return how many images would be new in a workspace, and which it has from other files."""
    from pul.store.workspace import Workspace

    if location is None:
        return None, None
    if not Workspace.exists(location):
        return len(dataset.samples), None
    with Workspace.open(location) as workspace:
        known = set(workspace.images().paths)
        n_new = sum(str(sample.path) not in known for sample in dataset.samples)
        return n_new, workspace.find_duplicates(dataset)


def _add(
    dataset: "Dataset", location: str, root: Path | None, **options: Any
) -> tuple["Dataset", int]:
    """Add what was read to a workspace; a new one is made when all is well."""
    from pul.store.workspace import Workspace

    is_cut = any(sample.box is not None for sample in dataset.samples)
    is_new = not Workspace.exists(location)
    if is_new and not is_cut:  # what cannot be read leaves no empty workspace behind
        dataset = _check(dataset, None, None)
    with Workspace.open_or_create(location) as workspace, workspace.importing():
        if root is not None:
            workspace.set_image_root(root)
        if is_cut or not is_new:
            dataset = _check(dataset, workspace.path / "images" if is_cut else None, location)
        return dataset, workspace.add_dataset(dataset, **options)


def _describe(dataset: "Dataset") -> dict[str, Any]:
    return {
        "name": dataset.name,
        "format": dataset.format,
        "splits": dataset.summary(),
        "skipped": [{"path": item.path, "reason": item.reason} for item in dataset.skipped],
        "notes": dataset.notes,
        "levels": dataset.levels,
        "grey_ranges": {} if dataset.ranges is None else dataset.ranges.to_plain(),
        "nearly_one_colour": dataset.nearly_one_colour,
    }


def _known_ranges(location: str | None) -> Any:
    from pul.data.grey import NO_RANGES
    from pul.store.workspace import Workspace

    if location is None or not Workspace.exists(location):
        return NO_RANGES
    with Workspace.open(location) as workspace:
        return workspace.grey_ranges()


def _print_dataset(dataset: "Dataset") -> None:
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
