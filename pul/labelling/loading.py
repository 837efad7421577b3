"""Labelling on a workspace: what suggestions read from it, made once and stored in its cache."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from pul.arrays import FloatArray, IntArray, row_blocks
from pul.config import RunConfig
from pul.data.footage import embed, n_embedded
from pul.data.images import fingerprint, load_pixels
from pul.data.samples import parse_name
from pul.errors import ImageError
from pul.labelling.suggestions import Footage, SuggestionIndex, build_index
from pul.labelling.suggestions.colours import HEIGHT, N_COLOURS, WIDTH, describe_colours
from pul.labelling.suggestions.storing import FORMAT, put_index, read_index
from pul.records import ImageTable, IterationArrays, IterationRecord
from pul.store.cached_arrays import new_arrays, read_arrays
from pul.store.file_sums import FileSum
from pul.store.workspace import Workspace

_N_KEPT = 4  # indexes that a workspace keeps, the last ones made
_BLOCK = 1024  # images whose pixels are in memory at once
_INDEX = "index-"
_ARRAYS = ("features", "clusters", "similarities")

OnStep = Callable[[str, int, int], None]  # what is done, images done, images in all


def _ignore(_text: str, _done: int, _total: int) -> None:
    return None


def load_index(
    workspace: Workspace, run_id: int, iteration: int, *, on_step: OnStep = _ignore
) -> SuggestionIndex:
    """Return the suggestion index of an iteration; it is made and stored where there is none.

    Args:
        workspace: Where the run is. Nothing is stored in one that is read-only.
        run_id: The run.
        iteration: One of its whole iterations.
        on_step: Called with what is done next, for people.

    Raises:
        StoreError: There is no such run or iteration, or the disk refuses.
        ArtifactError: An array is missing or damaged.
    """
    known = stored_index(workspace, run_id, iteration)
    if known is not None:
        return known
    arrays = workspace.arrays(run_id, iteration, *_ARRAYS)
    records = {record.iteration: record for record in workspace.iterations(run_id)}
    made_of = arrays["features"], np.asarray(arrays["clusters"]), arrays["similarities"]
    lambda_ = records[iteration].lambda_
    target = _place(workspace, run_id, iteration, workspace.file_sums(run_id, iteration))
    if workspace.is_read_only:
        with tempfile.TemporaryDirectory() as aside:  # what is mapped outlives its name
            target = Path(aside) / target.name
            return _make(workspace, run_id, target, made_of, lambda_, on_step)
    return _make(workspace, run_id, target, made_of, lambda_, on_step)


def stored_index(workspace: Workspace, run_id: int, iteration: int) -> SuggestionIndex | None:
    """Map the stored suggestion index of an iteration: milliseconds; None where there is none.

    Raises:
        StoreError: There is no such run or iteration.
    """
    sums = workspace.file_sums(run_id, iteration)
    return read_index(_place(workspace, run_id, iteration, sums))


def store_index(
    workspace: Workspace,
    run_id: int,
    record: IterationRecord,
    arrays: IterationArrays,
    sums: Mapping[str, FileSum],
    *,
    on_step: OnStep = _ignore,
) -> None:
    """Make and store the suggestion index of an iteration whose files are written, but not its row.

    So whoever sees the iteration can label on it at once.

    Args:
        workspace: Where the run is.
        run_id: The run.
        record: The iteration.
        arrays: Its arrays.
        sums: What was written, by the name of the file.
        on_step: Called with what is done next, for people.

    Raises:
        StoreError: The disk refuses.
    """
    made_of = arrays.features, arrays.clusters, arrays.similarities
    target = _place(workspace, run_id, record.iteration, sums)
    _make(workspace, run_id, target, made_of, record.lambda_, on_step)


def _make(
    workspace: Workspace,
    run_id: int,
    target: Path,
    made_of: tuple[FloatArray, IntArray, FloatArray],
    lambda_: float | None,
    on_step: OnStep,
) -> SuggestionIndex:
    images = workspace.run_images(run_id, "train")
    config = RunConfig(**workspace.run(run_id).config)
    colours = _colours(workspace, images, target.parent, on_step)
    with new_arrays(target) as made:
        index = build_index(
            *made_of,
            images.image_ids,
            read_footage(images, side_aware=config.evaluation.side_aware),
            lambda_=lambda_,
            colours=colours,
            allocate=made.allocate,
            on_step=lambda text: on_step(text, 0, 0),
        )
        put_index(made, index)
    _remove_older(target)
    return read_index(target) or index


def _place(workspace: Workspace, run_id: int, iteration: int, sums: Mapping[str, FileSum]) -> Path:
    """Return where the index of an iteration is: its name tells of what it was made."""
    files = [(name, known.sha256) for name, known in sorted(sums.items())]
    if not files:  # stored before files had sums
        folder = workspace.iteration_path(run_id, iteration)
        states = ((path.name, path.stat()) for path in sorted(folder.glob("*.npy")))
        files = [(name, f"{state.st_size} {state.st_mtime_ns}") for name, state in states]
    name = f"{_INDEX}{run_id}-{iteration}-{_digest(FORMAT, *files)}"
    return workspace.cache_path / "suggestions" / name


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _remove_older(target: Path) -> None:
    """Remove all but the last indexes; one that somebody has mapped stays with them."""
    found = [path for path in target.parent.glob(f"{_INDEX}*") if path != target]
    ages = {path: path.stat().st_mtime for path in found}
    for path in sorted(found, key=lambda path: -ages[path])[_N_KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def read_footage(images: ImageTable, *, side_aware: bool = False) -> Footage:
    """Return where and when images were taken; the recording is read from their names.

    Args:
        images: The images.
        side_aware: Whether images of two sides are never to be compared.
    """
    names = (parse_name(path.rpartition("/")[2]) for path in images.paths)
    recordings = [name.sequence if name and name.sequence is not None else 0 for name in names]
    return Footage.of(
        images.camids,
        frames=images.frames,
        tracklets=images.tracklets,
        recordings=np.array(recordings, dtype=np.int64),
        sides=images.sides if side_aware else None,
    )


def _colours(
    workspace: Workspace, images: ImageTable, folder: Path, on_step: OnStep
) -> FloatArray | None:
    """Return what people wear, embedded, shape (N, C); None where an image cannot be read.

    It is the same for all iterations of a run, and is stored: it takes longer than all the rest.
    """
    paths = [Path(path) for path in images.paths]
    ranges = workspace.grey_ranges()
    try:
        content = fingerprint(paths, HEIGHT, WIDTH, ranges, None)
        target = folder / f"colours-{_digest(content, images.camids.tobytes())}"
        if read_arrays(target) is None:
            with new_arrays(target) as made:
                described = made.allocate("described", (len(paths), N_COLOURS))
                for rows in row_blocks(len(paths), _BLOCK):
                    on_step("comparing colours of clothes", rows.start, len(paths))
                    pixels = load_pixels(
                        paths[rows], height=HEIGHT, width=WIDTH, cache_dir=None, ranges=ranges
                    )
                    described[rows] = describe_colours(pixels)
                colours = made.allocate("colours", (len(paths), n_embedded(N_COLOURS)))
                embed(described, images.camids, out=colours)
                made.drop("described")
    except ImageError:
        return None
    found = read_arrays(target)
    return None if found is None else found[0]["colours"]
