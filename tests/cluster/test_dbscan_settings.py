import inspect

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from pul.cluster.dbscan import cluster_by_density
from pul.config import DbscanConfig
from pul.errors import ConfigError
from tests.evaluation.test_reranking import reference_jaccard


def test_cluster_by_density__defaults_are_those_of_the_settings():
    parameters = inspect.signature(cluster_by_density).parameters
    config = DbscanConfig()
    for name in ("eps", "min_samples", "k1", "k2"):
        assert parameters[name].default == getattr(config, name)


@pytest.mark.parametrize(("seed", "eps"), [(13, 0.6), (21, 0.6), (18, 0.6)])
def test_cluster_by_density__distances_are_not_scaled_by_the_farthest(seed, eps):
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((5, 12))
    crowd = np.repeat(means, 8, axis=0) + 0.5 * rng.standard_normal((40, 12))
    search = DBSCAN(eps=eps, min_samples=4, metric="precomputed")
    expected, scaled = (
        search.fit_predict(reference_jaccard(crowd, 10, 3, is_scaled=is_scaled)[0].clip(0))
        for is_scaled in (False, True)
    )
    found = cluster_by_density(crowd, eps=eps, min_samples=4, k1=10, k2=3)
    assert found.clusters.tolist() == expected.tolist()
    assert expected.tolist() != scaled.tolist()


def test_cluster_by_density__min_samples_counts_the_image_itself():
    # Groups of 5, 4 and 3 copies, each at a right angle to the others: of k1 = 2 neighbours all
    # are copies, and the groups are one neighbourhood each.
    groups = np.repeat(np.eye(3, dtype=np.float32), [5, 4, 3], axis=0)
    sizes = {}
    for min_samples in (3, 4, 5, 6):
        try:
            found = cluster_by_density(groups, min_samples=min_samples, k1=4, k2=1, eps=0.5)
        except ConfigError:
            sizes[min_samples] = []
        else:
            sizes[min_samples] = np.bincount(found.clusters[found.clusters >= 0]).tolist()
    assert sizes == {3: [5, 4, 3], 4: [5, 4], 5: [5], 6: []}


def test_cluster_by_density__types():
    found = cluster_by_density(np.eye(2)[[0] * 6 + [1] * 6], k1=5, k2=1)
    assert found.clusters.dtype == found.centers.dtype == np.int64
    assert found.centroids.dtype == np.float32
    assert found.n_iterations == 0
    assert found.inertia == 0


def test_cluster_by_density__no_images():
    with pytest.raises(ConfigError, match="no cluster among 0 images"):
        cluster_by_density(np.empty((0, 3), dtype=np.float32))
