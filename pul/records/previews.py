"""What another K would give: an iteration clustered again."""

from dataclasses import dataclass

from pul.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: arrays do not hash
class Preview:
    """An iteration's features, clustered with another K. N images, K clusters.

    Attributes:
        iteration: The iteration whose features they are.
        n_clusters: K, annotated identities included.
        seed: Seed of k-means.
        annotations_hash: Hash of the annotations that were used; "" where there were none.
        inertia: k-means' sum of squared distances, Eq. 1.
        seconds: How long it took.
        clusters: Cluster of each image, shape (N,).
        centers: Index of the center of each cluster, shape (K,).
        similarities: Cosine of each image to the center it is judged by, shape (N,).
    """

    iteration: int
    n_clusters: int
    seed: int
    annotations_hash: str
    inertia: float
    seconds: float
    clusters: IntArray
    centers: IntArray
    similarities: FloatArray


@dataclass(frozen=True, slots=True)
class ClusterCount:
    """What speaks for one K.

    Attributes:
        n_clusters: K.
        inertia: k-means' sum of squared distances, mean of two seeds.
        agreement: Adjusted mutual information of the clusters of two seeds, 1 for the same; about
            0 for chance, whatever K. Images that people annotated are left out.
    """

    n_clusters: int
    inertia: float
    agreement: float


@dataclass(frozen=True, slots=True)
class ClusterCounts:
    """Several K compared on the features of one iteration.

    Attributes:
        iteration: The iteration.
        annotations_hash: Hash of the annotations that were used; "" where there were none.
        counts: One entry for each K, ascending.
    """

    iteration: int
    annotations_hash: str
    counts: tuple[ClusterCount, ...]
