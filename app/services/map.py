"""The Map page's access to `pul`: arrays, layers, and the quality of each λ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.services.cache import cached
from app.services.labels import read_annotations, version
from app.services.workspace import database_number, open_workspace, run_images
from pul.algorithm.selection import center_margins, threshold
from pul.arrays import BoolArray, FloatArray, IndexArray, IntArray
from pul.config import RunConfig
from pul.evaluation.lambda_curves import SelectionCurves, trace_selection
from pul.jobs.preview import preview_seed
from pul.labelling.annotations import to_rows
from pul.records import Preview
from pul.store.upkeep import FEATURES
from pul.store.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: arrays do not hash
class MapArrays:
    """What the map shows of one iteration. N images, K clusters.

    Attributes:
        image_ids: Id of each image in the store, shape (N,).
        points: 2-D map, shape (N, 2).
        clusters: Cluster of each image, shape (N,).
        centers: Index of the center of each cluster, shape (K,).
        similarities: Cosine of each image to its center, shape (N,).
        cameras: Index of each image's camera in `camera_names`, shape (N,); -1 if unknown.
        camera_names: The cameras as numbered by the dataset, ascending.
    """

    image_ids: IntArray
    points: FloatArray
    clusters: IndexArray
    centers: IndexArray
    similarities: FloatArray
    cameras: IndexArray
    camera_names: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.image_ids)

    def camera_of(self, image: int) -> int | None:
        """Return the camera of an image, as the dataset numbers it; None if unknown."""
        place = int(self.cameras[image])
        return self.camera_names[place] if place >= 0 else None

    def reliable(self, lambda_: float | None) -> BoolArray:
        """Mark the images above λ, shape (N,)."""
        return threshold(self.similarities, self.centers.astype(np.int64), lambda_=lambda_)


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """Purity and recall of each λ, where people are known.

    Attributes:
        curves: What each λ selects.
        source: `annotations`, `truth`, or `` if nobody is known.
        n_people: Known people.
        is_optimistic: Whether annotated identities were clusters of their own in this iteration,
            so that the figures are optimistic.
    """

    curves: SelectionCurves
    source: str
    n_people: int
    is_optimistic: bool


def map_arrays(location: str, run_id: int, iteration: int) -> MapArrays:
    """Return what the map shows of a finished iteration.

    Raises:
        StoreError: There is no such iteration.
        ArtifactError: Its arrays are missing or damaged.
    """
    return _map_arrays(location, database_number(location), run_id, iteration)


@cached(maxsize=16)
def _map_arrays(location: str, _number: int, run_id: int, iteration: int) -> MapArrays:
    names = ("points", "clusters", "centers", "similarities")
    arrays = open_workspace(location).arrays(run_id, iteration, *names)
    image_ids, camids = open_workspace(location).run_cameras(run_id)
    known = np.unique(camids[camids >= 0])
    places = np.searchsorted(known, camids).astype(np.int32)
    return MapArrays(
        image_ids=image_ids,
        points=np.asarray(arrays["points"], dtype=np.float32),
        clusters=np.asarray(arrays["clusters"], dtype=np.int32),
        centers=np.asarray(arrays["centers"], dtype=np.int32),
        similarities=np.asarray(arrays["similarities"], dtype=np.float32),
        cameras=np.where(camids >= 0, places, np.int32(-1)),
        camera_names=tuple(int(camid) for camid in known),
    )


def in_order(arrays: MapArrays, images: Sequence[int]) -> list[int]:
    """Order images for the grid: by cluster, then by falling cosine to its center."""
    chosen = np.asarray(images, dtype=np.int64)
    order = np.lexsort((chosen, -arrays.similarities[chosen], arrays.clusters[chosen]))
    return [int(image) for image in chosen[order]]


def shown_arrays(
    location: str, run_id: int, iteration: int, n_clusters: int | None = None
) -> MapArrays:
    """Return what the map shows: an iteration, with the clusters of a preview if one is named.

    Raises:
        StoreError: There is no such iteration.
    """
    arrays = map_arrays(location, run_id, iteration)
    made = preview(location, run_id, iteration, n_clusters) if n_clusters else None
    if made is None:
        return arrays
    return _with_preview(arrays, made)


@cached(maxsize=4)
def _with_preview(arrays: MapArrays, made: Preview) -> MapArrays:
    return replace(
        arrays,
        clusters=made.clusters.astype(np.int32),
        centers=made.centers.astype(np.int32),
        similarities=made.similarities,
    )


def preview(location: str, run_id: int, iteration: int, n_clusters: int) -> Preview | None:
    """Return an iteration's preview with another K; None if there is none."""
    workspace = open_workspace(location)
    seed = preview_seed(RunConfig(**workspace.run(run_id).config).seed, iteration)
    version = workspace.preview_version(run_id, iteration, n_clusters, seed)
    return _preview(workspace, run_id, iteration, n_clusters, seed, version) if version else None


@cached(maxsize=4)
def _preview(
    workspace: Workspace, run_id: int, iteration: int, n_clusters: int, seed: int, _version: int
) -> Preview | None:
    return workspace.preview(run_id, iteration, n_clusters, seed)


def quality(location: str, run_id: int, iteration: int, arrays: MapArrays) -> Quality:
    """Return purity and recall against λ: on annotated identities, else on ground truth.

    Ground truth is used for these figures only; nothing else gets it.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration.
        arrays: Its arrays.
    """
    return _quality(location, run_id, iteration, arrays, identities_version(location))


@cached(maxsize=8)
def _quality(
    location: str, run_id: int, iteration: int, arrays: MapArrays, _version: int
) -> Quality:
    people, source = known_people(location, run_id)
    curves = trace_selection(arrays.similarities, arrays.clusters, arrays.centers, people=people)
    record = open_workspace(location).iterations(run_id)[iteration]
    is_optimistic = source == "annotations" and record.n_identities > 0
    return Quality(curves, source, len(np.unique(people[people > 0])), is_optimistic)


def known_people(location: str, run_id: int) -> tuple[IntArray, str]:
    """Return who each image shows as far as it is known, shape (N,), and where that is from.

    Annotated identities, else ground truth: `annotations`, `truth`, or `` if nobody is known.
    """
    people = _annotated(location, run_id)
    if (people > 0).any():
        return people, "annotations"
    people = run_images(location, run_id).pids
    return people, "truth" if (people > 0).any() else ""


def _annotated(location: str, run_id: int) -> IntArray:
    """Return the annotated identity of each image, training and validation; 0 for none."""
    state, image_ids = read_annotations(location), run_images(location, run_id).image_ids
    people = np.zeros(len(image_ids), dtype=np.int64)
    for mapping in (state.training_mapping(), state.validation_mapping()):
        rows = to_rows(mapping, image_ids)
        people[list(rows)] = list(rows.values())
    return people


def identity_colors(location: str, run_id: int, n_colors: int) -> IndexArray:
    """Return the colour number of each image's identity, shape (N,); -1 for none.

    The colours are those of the Label and the Identities page.
    """
    state = read_annotations(location)
    places = {each.identity: each.colour % n_colors for each in state.identities}
    owners = state.owner_of(run_images(location, run_id).image_ids)
    return np.array([places.get(int(owner), -1) for owner in owners], dtype=np.int32)


def identities_version(location: str) -> int:
    """Return a number that changes with every label."""
    return version(location)


def has_features(location: str, run_id: int, iteration: int) -> bool:
    """Whether the features of an iteration are stored: those of early ones are not for ever."""
    return FEATURES not in open_workspace(location).pruned(run_id, iteration)


def doubts(location: str, run_id: int, iteration: int, arrays: MapArrays) -> FloatArray:
    """Return the cosine to the nearest other center minus that to the own center, shape (N,).

    Below 0 the own center is nearer; near 0 the image could be of the other cluster.
    """
    return _doubts(open_workspace(location), run_id, iteration, arrays)


@cached(maxsize=4)
def _doubts(workspace: Workspace, run_id: int, iteration: int, arrays: MapArrays) -> FloatArray:
    features = workspace.arrays(run_id, iteration, "features")["features"]
    return -center_margins(features, arrays.clusters, arrays.centers)
