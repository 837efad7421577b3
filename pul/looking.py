"""What an iteration sees before it trains: clusters and reliable images, by the run's settings."""

from pul.arrays import BoolArray, FloatArray, IntArray
from pul.assignment import assign, fit_n_clusters
from pul.clustering import Clustering
from pul.config import RunConfig
from pul.density import cluster_by_density
from pul.events import LiveSettings
from pul.selection import center_similarities, spread_over_cameras, threshold
from pul.suggestions.footage import Footage, find_tracklets
from pul.suggestions.likeness import embed


def group_images(
    features: FloatArray,
    settings: LiveSettings,
    config: RunConfig,
    *,
    seed: int,
    footage: Footage | None = None,
) -> Clustering:
    """Cluster the images: lines 4-5 of Algorithm 1.

    Args:
        features: Un-normalised features, shape (N, D).
        settings: K and the annotations.
        config: Which clustering, and its settings.
        seed: Seed of k-means.
        footage: Where and when the images were taken, which tells tracklets.

    Returns:
        The clusters; annotated identities are the first L of them.

    Raises:
        ConfigError: K or another setting does not suit these images.
    """
    if config.clustering == "dbscan":
        return cluster_by_density(
            features, annotations=settings.annotations, **config.dbscan.model_dump()
        )
    return assign(
        features,
        n_clusters=fit_n_clusters(settings.n_clusters, len(features), settings.annotations),
        seed=seed,
        annotations=settings.annotations,
        mode=config.annotation_mode,
        max_iterations=config.kmeans_max_iterations,
        n_init=config.kmeans_n_init,
        backend=config.kmeans_backend,
        tracklets=_tracklets(features, footage) if config.use_tracklets else None,
    )


def choose_reliable(
    features: FloatArray,
    clustering: Clustering,
    settings: LiveSettings,
    config: RunConfig,
    *,
    camids: IntArray | None = None,
) -> tuple[FloatArray, BoolArray]:
    """Select the images that train: lines 6-16 of Algorithm 1.

    Args:
        features: Features, shape (N, D).
        clustering: Their clusters.
        settings: λ, the annotated images, which always train (Sec. III-C), and those left out.
        config: Which center an image is judged by, and whether cameras are evened out.
        camids: Camera of each image, shape (N,), -1 where it is not known.

    Returns:
        Cosine of each image to its center, shape (N,), -1 where it has no cluster; and the reliable
        mask, shape (N,).
    """
    clusters, centers = clustering.clusters, clustering.centers
    similarities = center_similarities(features, clusters, centers, selection=config.selection)
    similarities[clusters < 0] = -1.0
    reliable = threshold(similarities, centers, lambda_=settings.lambda_)
    reliable[clusters < 0] = False
    reliable[list(settings.left_out)] = False
    if config.camera_diversity and camids is not None:
        reliable = spread_over_cameras(reliable, similarities, clusters, camids)
    reliable[list(settings.annotations)] = True
    reliable[list(settings.left_out)] = False
    return similarities, reliable


def _tracklets(features: FloatArray, footage: Footage | None) -> IntArray | None:
    """Return the tracklet of each image, by its name, or by near frames that look alike."""
    if footage is None:
        return None
    return find_tracklets(embed(features, footage.camids), footage)
