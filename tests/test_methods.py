"""A method of one's own is a file and a line: here one of each kind is added and used."""

import numpy as np
import pytest

from pul.algorithm.clustering import cluster_images
from pul.algorithm.finetuning import finetune
from pul.cli.reference import pages
from pul.cluster.links import Links
from pul.config import RunConfig, TrainConfig, describe
from pul.config.methods import CLUSTERINGS, LOSSES, load_method
from pul.errors import ConfigError
from tests.support.networks import coloured_images, tiny_network

OWN = "tests.support.own_methods"


@pytest.mark.parametrize("methods", [CLUSTERINGS, LOSSES])
def test_load_method__every_name_leads_to_a_method(methods):
    assert all(load_method(methods, name) is not None for name in methods)


def test_cluster_images__by_a_method_of_ones_own(monkeypatch):
    monkeypatch.setitem(CLUSTERINGS, "sign", f"{OWN}:by_sign")
    features = np.array([[-1.0, 3], [2, 3], [-2, 1], [4, 4]], dtype=np.float32)
    found = cluster_images(features, n_clusters=9, seed=0, config=RunConfig(clustering="sign"))
    assert found.clusters.tolist() == [0, 1, 0, 1]
    choices = {setting.path: setting.choices for setting in describe(RunConfig)}
    assert choices["clustering"] == ("kmeans", "dbscan", "sign")
    assert "sign" in pages()["settings.md"]


def test_finetune__with_a_loss_of_ones_own(monkeypatch):
    monkeypatch.setitem(LOSSES, "length", f"{OWN}:SQUARED_LENGTH")
    pixels, pids = coloured_images()
    config = TrainConfig(loss="length", n_epochs=3, batch_size=8, learning_rate=1e-3)
    losses = finetune(tiny_network(), pixels, pids, config, seed=0).epoch_losses
    assert losses[2] < losses[0]


@pytest.mark.parametrize(
    ("config", "setting", "choices"),
    [
        (RunConfig, "clustering", "kmeans, dbscan"),
        (TrainConfig, "loss", "softmax, triplet, contrastive, cluster_memory, camera_memory"),
    ],
)
def test_config__unknown_method_lists_the_known_ones(config, setting, choices):
    with pytest.raises(ConfigError, match=rf"{setting}: .*choose one of {choices} \(got 'sfotmax'"):
        config(**{setting: "sfotmax"})


def test_cluster_images__a_method_that_keeps_no_links_is_refused(monkeypatch):
    monkeypatch.setitem(CLUSTERINGS, "sign", f"{OWN}:by_sign")
    features = np.array([[-1.0, 0], [1, 0], [2, 0]])
    for links in (Links.of(3, together=[(0, 1)]), Links.of(3, apart=[((1,), (2,))])):
        with pytest.raises(ConfigError, match="'sign' does not keep what people"):
            cluster_images(
                features, n_clusters=2, seed=0, config=RunConfig(clustering="sign"), links=links
            )
