"""Labelling on a workspace: what suggestions and runs read from it, and the autopilot."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pul.annotations import Act, Annotations, fold, to_rows
from pul.arrays import FloatArray, IntArray
from pul.data.images import load_pixels
from pul.data.samples import parse_name
from pul.errors import DataError, ImageError, StoreError
from pul.oracle import Oracle, OracleReport, Strategy
from pul.records import ImageTable
from pul.store.workspace import Workspace
from pul.suggestions import Footage, SuggestionIndex, build_index
from pul.suggestions.colours import HEIGHT, WIDTH, describe_colours


def load_index(
    workspace: Workspace,
    run_id: int,
    iteration: int,
    *,
    colours: FloatArray | None = None,
    second_clusters: IntArray | None = None,
) -> SuggestionIndex:
    """Prepare a stored iteration for suggestions: seconds, once an iteration.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: One of its whole iterations.
        colours: What `read_colours` gave for the run's images; read where not given.
        second_clusters: Another k-means run on its features, shape (N,).

    Raises:
        StoreError: There is no such run or iteration.
        ArtifactError: An array is missing or damaged.
    """
    arrays = workspace.arrays(run_id, iteration, "features", "clusters", "similarities")
    records = {record.iteration: record for record in workspace.iterations(run_id)}
    images = workspace.run_images(run_id, "train")
    if colours is None:
        colours = read_colours(workspace, images)
    return build_index(
        arrays["features"],
        np.asarray(arrays["clusters"]),
        arrays["similarities"],
        images.image_ids,
        read_footage(images),
        lambda_=records[iteration].lambda_,
        colours=colours,
        second_clusters=second_clusters,
    )


def read_footage(images: ImageTable) -> Footage:
    """Return where and when images were taken; the recording is read from their names."""
    names = (parse_name(Path(path).name) for path in images.paths)
    recordings = [name.sequence if name and name.sequence is not None else 0 for name in names]
    return Footage.of(
        images.camids,
        frames=images.frames,
        tracklets=images.tracklets,
        recordings=np.array(recordings, dtype=np.int64),
    )


def read_colours(workspace: Workspace, images: ImageTable) -> FloatArray | None:
    """Return what people wear, shape (N, C); None where an image cannot be read (any more).

    It is the same for all iterations of a run, and takes seconds for 10,000 images.
    """
    paths = [Path(path) for path in images.paths]
    try:
        pixels = load_pixels(paths, height=HEIGHT, width=WIDTH, cache_dir=workspace.cache_path)
    except (ImageError, StoreError):
        return None
    return describe_colours(pixels)


def keep(
    workspace: Workspace, act: Act, state: Annotations, *, author: str, token: str = ""
) -> Annotations:
    """Store an act and return what is known then, the acts of others since the state included.

    Args:
        workspace: Where to store it.
        act: What was done.
        state: What was known.
        author: Who did it.
        token: Names the act, so that sending it again stores it once; "" for none.

    Raises:
        StoreError: The database refuses; then the act is not stored.
    """
    workspace.append_annotation_event(act.kind, act.payload, author, token=token)
    return catch_up(workspace, state)


def catch_up(workspace: Workspace, state: Annotations | None = None) -> Annotations:
    """Return what is known by now, given what was known before."""
    last = state.events[-1].event_id if state and state.events else 0
    return fold(workspace.annotation_events(after=last), state)


@dataclass(frozen=True, slots=True)
class Guidance:
    """What an iteration of a run learns from people, by row of its training images.

    Attributes:
        annotations: Row → identity of those that train.
        validation: Row → identity of those held out to measure with.
        left_out: Rows that must not train: validation identities, and junk.
        content_hash: Names this state; "" where people said nothing about these images.
    """

    annotations: dict[int, int]
    validation: dict[int, int]
    left_out: frozenset[int]
    content_hash: str


def read_guidance(workspace: Workspace, run_id: int) -> Guidance:
    """Return what a run learns from people: what was fixed for it, else what they said by now.

    Raises:
        StoreError: There is no such run.
    """
    image_ids = workspace.run_images(run_id, "train").image_ids
    fixed = workspace.get_setting(_fixed_name(run_id))
    if fixed is not None:
        rows = to_rows({int(image): identity for image, identity in fixed.items()}, image_ids)
        return Guidance(rows, {}, frozenset(), hash_identities(fixed))
    state = catch_up(workspace)
    annotations = to_rows(state.training_mapping(), image_ids)
    validation = to_rows(state.validation_mapping(), image_ids)
    left_out = frozenset(to_rows(dict.fromkeys(state.held_out(), 0), image_ids))
    is_said = annotations or left_out
    return Guidance(annotations, validation, left_out, state.content_hash() if is_said else "")


def fix_guidance(workspace: Workspace, run_id: int, identities: Mapping[int, int]) -> None:
    """Let a run learn from these identities alone, whatever people say: an experiment's run.

    Args:
        workspace: Where the run is.
        run_id: A run that nothing has worked on yet.
        identities: Number of an image → identity; empty for a run without labels.

    Raises:
        StoreError: The database refuses.
    """
    plain = {str(image): identities[image] for image in sorted(identities)}
    workspace.set_setting(_fixed_name(run_id), plain)


def hash_identities(identities: Mapping[int, int] | Mapping[str, int]) -> str:
    """Return a name for identities of images; "" where there are none."""
    pairs = sorted((int(image), identity) for image, identity in identities.items())
    return hashlib.sha256(repr(pairs).encode()).hexdigest()[:16] if pairs else ""


def run_autopilot(
    workspace: Workspace,
    *,
    run_id: int | None = None,
    iteration: int | None = None,
    n_identities: int = 25,
    strategy: Strategy = "queue",
    error_rate: float = 0.0,
    seed: int = 0,
    patience: int = 0,
    author: str = "autopilot",
    on_progress: Callable[[int, int], None] | None = None,
) -> OracleReport:
    """Let an oracle label a workspace whose training images have ground truth.

    Args:
        workspace: Where its acts are stored, beside everybody else's.
        run_id: The run to label on; the last one where not given.
        iteration: The iteration; the last whole one where not given.
        n_identities: Identities to make.
        strategy: `queue`, `random` or `largest-first`.
        error_rate: Share of the decisions that come out wrong.
        seed: Seed of errors and of the random strategy.
        patience: Rows of candidates without the person that are replaced before going on.
        author: Who the acts are signed by.
        on_progress: Called with (identities made, n_identities) after each card.

    Raises:
        DataError: No training image has a known identity.
        StoreError: There is no such run or iteration.
    """
    run_id, iteration = _choose(workspace, run_id, iteration)
    images = workspace.run_images(run_id, "train")
    known = images.pids > 0
    if not known.any():
        raise DataError("The training images have no ground truth, which the autopilot needs.")
    pids = images.pids[known].tolist()
    truth = dict(zip(images.image_ids[known].tolist(), pids, strict=True))
    state = catch_up(workspace)

    def store(act: Act) -> Annotations:
        nonlocal state
        state = keep(workspace, act, state, author=author)
        return state

    oracle = Oracle(
        load_index(workspace, run_id, iteration),
        truth,
        store,
        state,
        strategy=strategy,
        error_rate=error_rate,
        seed=seed,
        patience=patience,
    )
    return oracle.label(n_identities, on_progress=on_progress)


def _choose(workspace: Workspace, run_id: int | None, iteration: int | None) -> tuple[int, int]:
    if run_id is None:
        started = [run.run_id for run in workspace.runs() if workspace.iterations(run.run_id)]
        if not started:
            raise StoreError("No run has a whole iteration yet; start one with `pul run`.")
        run_id = started[-1]
    whole = [record.iteration for record in workspace.iterations(run_id)]
    if iteration is None and whole:
        iteration = whole[-1]
    if iteration is None or iteration not in whole:
        raise StoreError(f"Run {run_id} has no whole iteration {iteration}, but {whole}.")
    return run_id, iteration


def _fixed_name(run_id: int) -> str:
    return f"identities of run {run_id}"
