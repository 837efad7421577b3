"""The part of the door to `pul` behind the Map page: layers of the map, and how good a λ is."""

from dataclasses import dataclass, replace

import numpy as np

from app.keeping import kept
from app.services import IndexArray, MapArrays, map_arrays, open_workspace, run_images
from app.services_labelling import said
from pul.annotations import to_rows
from pul.arrays import FloatArray, IntArray
from pul.config import RunConfig
from pul.previews import preview_seed
from pul.records import Preview
from pul.selection import center_margins
from pul.selection_curves import SelectionCurves, trace_selection
from pul.store.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """How good each λ is, as far as people are known.

    Attributes:
        curves: What each λ selects.
        source: `annotations`, `truth`, or `` where nobody is known.
        n_people: Known people.
        is_flattered: Whether annotated identities were clusters of their own in this iteration.
    """

    curves: SelectionCurves
    source: str
    n_people: int
    is_flattered: bool


def shown_arrays(
    location: str, run_id: int, iteration: int, n_clusters: int | None = None
) -> MapArrays:
    """Return what the map shows: an iteration, with the clusters of a preview where one is named.

    Raises:
        StoreError: There is no such iteration.
    """
    arrays = map_arrays(location, run_id, iteration)
    made = preview(location, run_id, iteration, n_clusters) if n_clusters else None
    if made is None:
        return arrays
    return _with_preview(arrays, made)


@kept(maxsize=4)
def _with_preview(arrays: MapArrays, made: Preview) -> MapArrays:
    return replace(
        arrays,
        clusters=made.clusters.astype(np.int32),
        centers=made.centers.astype(np.int32),
        similarities=made.similarities,
    )


def preview(location: str, run_id: int, iteration: int, n_clusters: int) -> Preview | None:
    """Return an iteration's preview with another K; None where none was made."""
    workspace = open_workspace(location)
    seed = preview_seed(RunConfig(**workspace.run(run_id).config).seed, iteration)
    version = workspace.preview_version(run_id, iteration, n_clusters, seed)
    return _preview(workspace, run_id, iteration, n_clusters, seed, version) if version else None


@kept(maxsize=4)
def _preview(
    workspace: Workspace, run_id: int, iteration: int, n_clusters: int, seed: int, _version: int
) -> Preview | None:
    return workspace.preview(run_id, iteration, n_clusters, seed)


def quality(location: str, run_id: int, iteration: int, arrays: MapArrays) -> Quality:
    """Trace purity and recall against λ: on annotated identities, else on ground truth.

    Ground truth is only counted here: which person an image shows goes no further.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration.
        arrays: What is shown of it.
    """
    return _quality(location, run_id, iteration, arrays, identities_version(location))


@kept(maxsize=8)
def _quality(
    location: str, run_id: int, iteration: int, arrays: MapArrays, _version: int
) -> Quality:
    people, source = _annotated(location, run_id), "annotations"
    if not (people > 0).any():
        people = run_images(location, run_id).pids
        source = "truth" if (people > 0).any() else ""
    curves = trace_selection(arrays.similarities, arrays.clusters, arrays.centers, people=people)
    record = open_workspace(location).iterations(run_id)[iteration]
    is_flattered = source == "annotations" and record.n_identities > 0
    return Quality(curves, source, len(np.unique(people[people > 0])), is_flattered)


def _annotated(location: str, run_id: int) -> IntArray:
    """Return the identity of each image that people gave, training and validation; 0 for none."""
    state, image_ids = said(location), run_images(location, run_id).image_ids
    people = np.zeros(len(image_ids), dtype=np.int64)
    for mapping in (state.training_mapping(), state.validation_mapping()):
        rows = to_rows(mapping, image_ids)
        people[list(rows)] = list(rows.values())
    return people


def identity_colors(location: str, run_id: int, n_colors: int) -> IndexArray:
    """Return the place of each image's identity among n colours, shape (N,); -1 where it has none.

    The colour is that of the Label and the Identities page.
    """
    state = said(location)
    places = {each.identity: each.colour % n_colors for each in state.identities}
    owners = state.owner_of(run_images(location, run_id).image_ids)
    return np.array([places.get(int(owner), -1) for owner in owners], dtype=np.int32)


def identities_version(location: str) -> int:
    """Return a number that changes whenever somebody says who is who."""
    return len(said(location).events)


def doubts(location: str, run_id: int, iteration: int, arrays: MapArrays) -> FloatArray:
    """Return how much nearer the next center is than the own one, in cosine, shape (N,).

    Below 0 the own center is nearer; about 0 the image may as well be of the other cluster.
    """
    return _doubts(open_workspace(location), run_id, iteration, arrays)


@kept(maxsize=4)
def _doubts(workspace: Workspace, run_id: int, iteration: int, arrays: MapArrays) -> FloatArray:
    features = workspace.arrays(run_id, iteration, "features")["features"]
    return -center_margins(features, arrays.clusters, arrays.centers)
