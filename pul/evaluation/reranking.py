"""k-reciprocal re-ranking, and the Jaccard distance of k-reciprocal neighbourhoods."""

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import FloatArray, check_features, l2_normalize
from pul.cluster.jaccard import _EPSILON, _encode, _overlaps
from pul.cluster.neighbors import find_neighbors
from pul.errors import ConfigError, FeatureError


def k_reciprocal(
    query_features: ArrayLike,
    gallery_features: ArrayLike,
    *,
    k1: int = 20,
    k2: int = 6,
    lambda_: float = 0.3,
) -> FloatArray:
    """Re-rank: mix the distances with the Jaccard distances of k-reciprocal neighbourhoods.

    Q queries, G gallery images. Neighbourhoods are sparse, so that memory grows with
    (Q + G) · k1 · k2 and the result, never with (Q + G)².

    Args:
        query_features: Features, shape (Q, D); they are l2-normalised here.
        gallery_features: Features, shape (G, D).
        k1: Neighbours that must be mutual.
        k2: Neighbours whose neighbourhoods are averaged (query expansion).
        lambda_: Share of the original distance in the mix, in [0, 1].

    Returns:
        Distances, shape (Q, G), float32, in [0, 1]: lower is nearer.

    Raises:
        ConfigError: k1, k2 or λ is outside what is allowed.
        FeatureError: Features are misshapen or not finite.

    References:
        Zhong et al. 2017, Re-ranking person re-identification with k-reciprocal encoding. The
        original distance is the squared Euclidean one over the largest of each query, as in
        their code: it is given plain distances and squares them.

    >>> k_reciprocal([[1, 0]], [[0, 1], [4, 1], [1, 1]], k1=2, k2=1).round(2)
    array([[1.  , 0.04, 0.35]], dtype=float32)
    """
    if not 0 <= lambda_ <= 1:
        raise ConfigError(f"λ of re-ranking must be in [0, 1], but is {lambda_}.")
    query = check_features(query_features, name="query features")
    gallery = check_features(gallery_features, name="gallery features")
    if query.shape[1] != gallery.shape[1] or not len(query) or not len(gallery):
        raise FeatureError(
            "Re-ranking needs queries and a gallery with features of one network, but their "
            f"shapes are {query.shape} and {gallery.shape}."
        )
    n_queries = len(query)
    features = l2_normalize(np.concatenate([query, gallery]))
    neighbors = find_neighbors(features, k1 + 1)
    codes = _encode(features, neighbors, k1, k2)
    result = _original_distances(features, n_queries, neighbors.farthest)
    result *= lambda_
    for i, overlap in enumerate(_overlaps(codes, n_queries)):
        result[i] += (1 - lambda_) * (1 - overlap / (2 - overlap))[n_queries:]
    return result


def _original_distances(features: FloatArray, n_queries: int, farthest: FloatArray) -> FloatArray:
    distances = features[:n_queries] @ features[n_queries:].T
    distances *= -2
    squares = np.einsum("nd,nd->n", features, features)
    distances += squares[:n_queries, None]
    distances += squares[n_queries:]
    distances /= np.maximum(farthest[:n_queries, None], _EPSILON)
    return np.asarray(distances, dtype=np.float32)
