"""The Clusters page's access to `pul`: purity, owners, and what is similar to what.

What can be counted from the arrays of the map (sizes, cameras, cosines) is counted by the browser
itself; here is only what needs features or people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.services.cache import cached
from app.services.labels import read_annotations, version
from app.services.map import MapArrays, identities_version, known_people, map_arrays
from app.services.sides import compared, group_sides, image_sides
from app.services.workspace import open_workspace, run_images
from pul.arrays import BoolArray, FloatArray, IndexArray, IntArray, l2_normalize
from pul.cluster.halving import halve
from pul.errors import ConfigError
from pul.evaluation.cluster_quality import cluster_purities
from pul.evaluation.ranked_lists import most_similar
from pul.labelling.annotations import Annotations
from pul.store.workspace import Workspace

N_ALIKE = 120
N_SIMILAR = 6
N_NEAREST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Purities:
    """How pure each cluster is, where people are known.

    Attributes:
        shares: Share of the known images that are of the majority person, shape (K,); NaN where
            none is known.
        source: `annotations`, `truth`, or `` if nobody is known.
        n_people: Known people.
        overall: The same share over all clusters; NaN if nobody is known.
    """

    shares: FloatArray
    source: str
    n_people: int
    overall: float


def purities(location: str, run_id: int, iteration: int) -> Purities:
    """Return the purity of each cluster: on annotated identities, else on ground truth.

    Raises:
        StoreError: There is no such iteration.
    """
    arrays = map_arrays(location, run_id, iteration)
    return _purities(location, run_id, arrays, identities_version(location))


@cached(maxsize=8)
def _purities(location: str, run_id: int, arrays: MapArrays, _version: int) -> Purities:
    people, source = known_people(location, run_id)
    shares = cluster_purities(arrays.clusters, people, n_clusters=len(arrays.centers))
    known = (people > 0) & (arrays.clusters >= 0)
    counts = np.bincount(arrays.clusters[known], minlength=len(arrays.centers))
    overall = float(np.nansum(shares * counts) / counts.sum()) if known.any() else float("nan")
    n_people = len(np.unique(people[people > 0]))
    return Purities(shares.astype(np.float32), source, n_people, overall)


def owners(location: str, run_id: int) -> IndexArray:
    """Return who each image of a run is by label, shape (N,).

    The number of an identity; 0 if nobody judged the image, below 0 if it is junk or unsure.
    """
    state = read_annotations(location)
    return state.owner_of(run_images(location, run_id).image_ids).astype(np.int32)


# What is similar to what


def similar_clusters(
    location: str, run_id: int, iteration: int, images: Sequence[int]
) -> list[tuple[int, float]]:
    """Return the clusters whose centers are most similar to the mean of some images.

    Args:
        location: The workspace.
        run_id: The run.
        iteration: The iteration.
        images: Indices of images of the run.

    Returns:
        Cluster and cosine of each, the most similar first. Clusters of the images themselves are
        left out, and those of other sides where the run tells sides apart.

    Raises:
        ConfigError: An image is not one of the run's.
        ArtifactError: The features of the iteration were removed.
    """
    arrays = map_arrays(location, run_id, iteration)
    rows = _rows(arrays, images)
    anchors = _center_features(open_workspace(location), run_id, iteration, arrays)
    mean = l2_normalize(_features(location, run_id, iteration)[rows]).mean(axis=0)
    own = set(arrays.clusters[rows].tolist())
    shown = image_sides(location, run_id)
    sides = group_sides(shown, arrays.clusters.astype(np.int64), len(anchors))
    among = compared(sides, _sides_of_rows(shown, rows))
    found, cosines = most_similar(mean, anchors, n=N_SIMILAR + len(own), among=among)
    pairs = zip(found.tolist(), cosines.tolist(), strict=True)
    return [pair for pair in pairs if pair[0] not in own][:N_SIMILAR]


def nearest_identities(
    location: str, run_id: int, iteration: int, images: Sequence[int]
) -> list[tuple[int, float]]:
    """Return the labelled identities most similar to the mean of some images, with their cosines.

    Those of other sides are left out where the run tells sides apart.

    Raises:
        ConfigError: An image is not one of the run's.
        ArtifactError: The features of the iteration were removed.
    """
    rows = _rows(map_arrays(location, run_id, iteration), images)
    identities, means, sides = _identity_means(
        location, open_workspace(location), run_id, iteration, version(location)
    )
    if not len(identities):
        return []
    mean = l2_normalize(_features(location, run_id, iteration)[rows]).mean(axis=0)
    among = compared(sides, _sides_of_rows(image_sides(location, run_id), rows))
    found, cosines = most_similar(mean, means, n=N_NEAREST, among=among)
    return list(zip(identities[found].tolist(), cosines.tolist(), strict=True))


def halves(location: str, run_id: int, iteration: int, clusters: Sequence[int]) -> list[int]:
    """Return the smaller of two groups of the images of clusters, by 2-means.

    Returns:
        Indices of images of the run, ascending; none where all are alike.

    Raises:
        ArtifactError: The features of the iteration were removed.
    """
    arrays = map_arrays(location, run_id, iteration)
    rows = np.flatnonzero(np.isin(arrays.clusters, np.asarray(clusters)) & (arrays.clusters >= 0))
    away = halve(_features(location, run_id, iteration)[rows])
    return [int(row) for row in rows[away]]


def alike(location: str, run_id: int, iteration: int, image: int) -> list[tuple[int, float]]:
    """Return the images of a run most similar to one of them, itself first, with their cosines.

    Those of other sides are left out where the run tells sides apart.

    Raises:
        ConfigError: The image is not one of the run's.
        ArtifactError: The features of the iteration were removed.
    """
    row = int(_rows(map_arrays(location, run_id, iteration), [image])[0])
    features = _features(location, run_id, iteration)
    shown = image_sides(location, run_id)
    among = compared(shown, shown[row])
    found, cosines = most_similar(np.asarray(features[row]), features, n=N_ALIKE, among=among)
    return list(zip(found.tolist(), cosines.tolist(), strict=True))


def _sides_of_rows(shown: BoolArray, rows: IntArray) -> BoolArray:
    """Return in which comparisons some images together take part, shape (V,)."""
    sides: BoolArray = group_sides(shown[rows], np.zeros(len(rows), dtype=np.int64), 1)[0]
    return sides


def _rows(arrays: MapArrays, images: Sequence[int]) -> IntArray:
    rows = np.asarray(images, dtype=np.int64)
    if not len(rows) or rows.min() < 0 or rows.max() >= len(arrays):
        raise ConfigError(f"Images of this run are numbered from 0 to {len(arrays) - 1}.")
    return rows


def _features(location: str, run_id: int, iteration: int) -> FloatArray:
    arrays = open_workspace(location).arrays(run_id, iteration, "features")
    features: FloatArray = arrays["features"]
    return features


@cached(maxsize=2)
def _center_features(
    workspace: Workspace, run_id: int, iteration: int, arrays: MapArrays
) -> FloatArray:
    features = workspace.arrays(run_id, iteration, "features")["features"]
    return np.asarray(features[arrays.centers], dtype=np.float32)


@cached(maxsize=2)
def _identity_means(
    location: str, workspace: Workspace, run_id: int, iteration: int, _version: int
) -> tuple[IndexArray, FloatArray, BoolArray]:
    """Return the identities in the run, the mean of each one's directions, and their sides."""
    state: Annotations = read_annotations(location)
    features = workspace.arrays(run_id, iteration, "features")["features"]
    owner = state.owner_of(run_images(location, run_id).image_ids)
    identities = np.unique(owner[owner > 0])
    means = [l2_normalize(features[owner == each]).mean(axis=0) for each in identities]
    places = np.where(owner > 0, np.searchsorted(identities, owner), -1)
    sides = group_sides(image_sides(location, run_id), places, len(identities))
    return identities.astype(np.int32), np.array(means, dtype=np.float32), sides
