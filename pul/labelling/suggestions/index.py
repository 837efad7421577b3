"""All that suggestions need of one iteration, computed once so that a card takes milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pul.arrays import BoolArray, FloatArray, IntArray, check_features, l2_normalize
from pul.data.footage import Footage, embed
from pul.errors import FeatureError
from pul.labelling.annotations import UNANSWERED, Annotations
from pul.labelling.suggestions.groups import Groups, group
from pul.labelling.suggestions.likeness import ONE_PERSON, Tracklets, make_tracklets, mean_of
from pul.labelling.suggestions.sides import SideMeans, shown_sides, side_cosines, side_means

_BLOCK = 1024


@dataclass(frozen=True)
class SuggestionIndex:
    """One iteration, prepared for suggestions. N images, K clusters, S tracklets, B bundles.

    A tracklet is one person at one camera in one moment. A bundle is tracklets of one cluster that
    look like one person: what a card proposes.

    Attributes:
        image_ids: Number of each image in the store, shape (N,), ascending.
        footage: Where and when they were taken.
        embedding: What likeness is judged by, L2-normalised, shape (N, P).
        clusters: Cluster of each image, shape (N,).
        similarities: Cosine of each image to its cluster's center, shape (N,).
        lambda_: λ of the iteration; None where all are reliable.
        tracklets: The tracklets.
        cluster_of: The cluster with most of a tracklet's images, shape (S,).
        bundles: Tracklets by bundle.
        images: Images by bundle.
        means: Mean embedding of each bundle, L2-normalised, shape (B, P).
        side_means: The same for each side that images show.
        cohesion: Mean affinity within each bundle, shape (B,).
        n_cameras: Cameras of each bundle, shape (B,).
        doubts: What makes an answer change much, by its reason, each of shape (B,), in [0, 1].
    """

    image_ids: IntArray
    footage: Footage
    embedding: FloatArray
    clusters: IntArray
    similarities: FloatArray
    lambda_: float | None
    tracklets: Tracklets
    cluster_of: IntArray
    bundles: Groups
    images: Groups
    means: FloatArray
    side_means: SideMeans
    cohesion: FloatArray
    n_cameras: IntArray
    doubts: dict[str, FloatArray]

    def rows_of(self, images: IntArray) -> IntArray:
        """Return the row of each image, leaving out those that this iteration does not have."""
        rows = np.searchsorted(self.image_ids, images)
        rows = np.minimum(rows, len(self.image_ids) - 1)
        found: IntArray = rows[self.image_ids[rows] == images]
        return found

    def free(self, annotations: Annotations) -> BoolArray:
        """Return which images nobody judged yet, shape (N,)."""
        mask: BoolArray = annotations.owner_of(self.image_ids) == UNANSWERED
        return mask

    def identity_means(self, annotations: Annotations) -> SideMeans | None:
        """Return the mean embeddings of the L identities, in their order; None for no identity."""
        owners = annotations.owner_of(self.image_ids)
        rows = np.flatnonzero(owners > 0)
        return self.means_of(rows, group(owners[rows])) if len(rows) else None

    def likeness_to_identities(
        self, annotations: Annotations, bundles: IntArray | slice = slice(None)
    ) -> FloatArray:
        """Return the cosine of each bundle to the identity it is most like, 0 at least, shape (B,).

        Only images of one side are compared.
        """
        own, known = self.side_means.take(bundles), self.identity_means(annotations)
        if known is None:
            return np.zeros(own.shown.shape[1], dtype=np.float32)
        cosines = side_cosines(own, known)
        likeness: FloatArray = cosines.max(axis=1, initial=0.0)
        return likeness

    def is_comparable(self, rows: IntArray, bundle: int) -> BoolArray:
        """Return which images show a side that a bundle shows, or none that is known."""
        shown = shown_sides(self.footage.sides)[rows]
        comparable: BoolArray = shown @ self.side_means.shown[:, bundle]
        return comparable

    def cosines_among(self, parts: Sequence[IntArray]) -> FloatArray:
        """Return the cosine of each two groups of rows, of one side where sides count, (G, G).

        It is minus infinity where two groups show no common side.
        """
        numbers = np.repeat(np.arange(len(parts)), [len(rows) for rows in parts])
        means = self.means_of(np.concatenate(parts), group(numbers))
        return side_cosines(means, means)

    def means_of(self, rows: IntArray, groups: Groups) -> SideMeans:
        """Return the mean embeddings of groups of rows for each side.

        Args:
            rows: Rows of the index, shape (R,).
            groups: Groups of 0 to R - 1.
        """
        return side_means(self.embedding[rows], groups, shown_sides(self.footage.sides)[rows])


def build_index(
    features: FloatArray,
    clusters: IntArray,
    similarities: FloatArray,
    image_ids: IntArray,
    footage: Footage,
    *,
    lambda_: float | None = 0.85,
    colours: FloatArray | None = None,
    second_clusters: IntArray | None = None,
) -> SuggestionIndex:
    """Prepare an iteration for suggestions.

    N images, D dimensions.

    Args:
        features: Un-normalised features, shape (N, D).
        clusters: Cluster of each image, shape (N,), values in [0, K); -1 for an outlier, which
            belongs with no other.
        similarities: Cosine of each image to its cluster's center, shape (N,).
        image_ids: Number of each image in the store, shape (N,), ascending.
        footage: Where and when the images were taken.
        lambda_: λ of the iteration; None where all are reliable.
        colours: What people wear, as `describe_colours` gives it, shape (N, C): half of the
            likeness where it is given.
        second_clusters: Another k-means run, shape (N,): where the two disagree there is doubt.

    Raises:
        FeatureError: Features are misshapen, or the arrays are of different length.
    """
    # Long: one line a part of the index, each a function of its own.
    features = check_features(features)
    lengths = {len(x) for x in (features, clusters, similarities, image_ids, footage)}
    if len(lengths) != 1 or 0 in lengths:
        raise FeatureError(
            f"The arrays of an iteration must be of one length, and not empty, but are {lengths}."
        )
    clusters = _without_outliers(clusters)
    embedding = embed(features, footage.camids)
    if colours is not None:
        embedding = l2_normalize(np.hstack([embedding, embed(colours, footage.camids)]))
    tracklets = make_tracklets(embedding, footage)
    cluster_of = _majority(tracklets.groups, clusters)
    bundles = _bundle(tracklets, cluster_of)
    images = group(bundles.of[tracklets.groups.of])
    index = SuggestionIndex(
        image_ids=image_ids,
        footage=footage,
        embedding=embedding,
        clusters=clusters,
        similarities=np.asarray(similarities, dtype=np.float32),
        lambda_=lambda_,
        tracklets=tracklets,
        cluster_of=cluster_of,
        bundles=bundles,
        images=images,
        means=mean_of(embedding, images),
        side_means=side_means(embedding, images, shown_sides(footage.sides)),
        cohesion=_cohesion(tracklets, bundles),
        n_cameras=_count_distinct(images, footage.camids),
        doubts={},
    )
    return replace(index, doubts=_doubts(index, second_clusters))


def _majority(groups: Groups, clusters: IntArray) -> IntArray:
    """Return the most frequent cluster of each group, the lowest of equals."""
    pairs, counts = np.unique(np.stack([groups.of, clusters]), axis=1, return_counts=True)
    best = np.lexsort((pairs[1], -counts, pairs[0]))
    first = np.searchsorted(pairs[0][best], np.arange(len(groups.starts) - 1))
    majority: IntArray = pairs[1][best][first]
    return majority


def _bundle(tracklets: Tracklets, cluster_of: IntArray) -> Groups:
    by_cluster = group(cluster_of)
    bundles = np.empty(len(cluster_of), dtype=np.int64)
    n_bundles = 0
    for number in range(len(by_cluster.starts) - 1):
        members = by_cluster.members(number)
        bundles[members] = tracklets.bundle(members, least=ONE_PERSON) + n_bundles
        n_bundles = int(bundles[members].max()) + 1
    return group(bundles)


def _cohesion(tracklets: Tracklets, bundles: Groups) -> FloatArray:
    """Return the mean affinity of two images of each bundle, an image with itself included."""
    sizes = tracklets.groups.sizes().astype(np.float32)
    cohesion = np.empty(len(bundles.starts) - 1, dtype=np.float32)
    for number in range(len(cohesion)):
        members = bundles.members(number)
        weights = sizes[members] / sizes[members].sum()
        cohesion[number] = weights @ tracklets.affinities(members, members) @ weights
    return cohesion


def _count_distinct(groups: Groups, values: IntArray) -> IntArray:
    pairs = np.unique(np.stack([groups.of, values]), axis=1)[0]
    return np.bincount(pairs, minlength=len(groups.starts) - 1).astype(np.int64)


def _doubts(index: SuggestionIndex, second_clusters: IntArray | None) -> dict[str, FloatArray]:
    """Rank bundles by each reason to doubt their cluster, from 0 (least) to 1 (most)."""
    doubts = {
        "farthest pair inside": -_farthest_inside(index),
        "near another cluster": _nearest_outside(index),
        "close to λ": -_distance_to_lambda(index),
    }
    if second_clusters is not None:
        doubts["two clusterings disagree"] = _disagreement(index.images, second_clusters)
    return {reason: _ranks(values) for reason, values in doubts.items()}


def _farthest_inside(index: SuggestionIndex) -> FloatArray:
    """Return the lowest cosine to the bundle of any image in its cluster, shape (B,)."""
    cluster_of_bundle = index.cluster_of[index.bundles.rows[index.bundles.starts[:-1]]]
    by_cluster = group(index.cluster_of[index.tracklets.groups.of])
    lowest = np.empty(len(cluster_of_bundle), dtype=np.float32)
    known = np.unique(index.cluster_of)
    for bundle, cluster in enumerate(np.searchsorted(known, cluster_of_bundle)):
        rows = by_cluster.members(int(cluster))
        rows = rows[index.is_comparable(rows, bundle)]
        lowest[bundle] = (index.embedding[rows] @ index.means[bundle]).min()
    return lowest


def _nearest_outside(index: SuggestionIndex) -> FloatArray:
    """Return the highest cosine of a bundle to one of another cluster, shape (B,)."""
    clusters = index.cluster_of[index.bundles.rows[index.bundles.starts[:-1]]]
    highest = np.empty(len(clusters), dtype=np.float32)
    for start in range(0, len(clusters), _BLOCK):
        block = slice(start, start + _BLOCK)
        cosines = side_cosines(index.side_means.take(block), index.side_means)
        cosines[clusters[block][:, None] == clusters[None]] = -1.0
        highest[block] = cosines.max(axis=1)
    return highest


def _distance_to_lambda(index: SuggestionIndex) -> FloatArray:
    distances = np.abs(index.similarities - (index.lambda_ or 0.0))
    sizes = index.images.sizes()
    mean = np.bincount(index.images.of, distances, len(sizes)) / sizes
    return np.asarray(mean, dtype=np.float32)


def _disagreement(images: Groups, second_clusters: IntArray) -> FloatArray:
    """Return the share of each bundle that is not in its most frequent second cluster."""
    pairs, counts = np.unique(np.stack([images.of, second_clusters]), axis=1, return_counts=True)
    most = np.zeros(len(images.starts) - 1)
    np.maximum.at(most, pairs[0], counts)
    return np.asarray(1 - most / images.sizes(), dtype=np.float32)


def _ranks(values: FloatArray) -> FloatArray:
    """Return the share of other values that are lower, shape (B,), in [0, 1]."""
    lower = np.searchsorted(np.sort(values), values)
    return np.asarray(lower / max(1, len(values) - 1), dtype=np.float32)


def _without_outliers(clusters: IntArray) -> IntArray:
    """Return the clusters with each outlier in one of its own."""
    outliers = np.flatnonzero(clusters < 0)
    alone = np.array(clusters, dtype=np.int64)
    alone[outliers] = alone.max() + 1 + np.arange(len(outliers))
    return alone
