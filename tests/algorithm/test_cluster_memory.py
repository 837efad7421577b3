"""The memory of clusters: its loss, its outliers and its updates, by hand and by a plain loop."""

import numpy as np
import pytest
import torch

from pul.algorithm.cluster_memory import ClusterMemory, least_of_group, means_of_group
from pul.algorithm.losses import TrainingSet, build_loss
from pul.config import TrainConfig
from pul.errors import ConfigError

NO_CAMERAS = torch.zeros(0, dtype=torch.int64)


def test_cluster_memory__loss_by_hand():
    loss = ClusterMemory(torch.tensor([[2.0, 0], [0, 3.0]]), temperature=0.5).eval()
    # The cosines are (0.6, 0.8); divided by 0.5 they are 1.2 and 1.6.
    value = loss(torch.tensor([[3.0, 4.0]]), torch.tensor([0]), NO_CAMERAS)
    assert value.item() == pytest.approx(-np.log(np.exp(1.2) / (np.exp(1.2) + np.exp(1.6))))
    np.testing.assert_allclose(loss.memory, [[1, 0], [0, 1]])  # no update outside training


def unit(*vector):
    return np.array(vector) / np.linalg.norm(vector)


def test_cluster_memory__hard_update_takes_the_image_least_like_its_class():
    loss = ClusterMemory(torch.tensor([[1.0, 0], [0, 1.0]]), momentum=0.25).train()
    features = torch.tensor([[3.0, 4.0], [8.0, 6.0], [0.0, 2.0]], requires_grad=True)
    loss(
        features, torch.tensor([0, 0, 1]), NO_CAMERAS
    ).backward()  # cosines 0.6 and 0.8 with class 0
    # Their cosines with class 0 are 0.6 and 0.8.
    mixed = 0.25 * np.array([1, 0]) + 0.75 * np.array([0.6, 0.8])
    np.testing.assert_allclose(loss.memory, [unit(*mixed), [0, 1]], rtol=1e-6)
    assert features.grad.abs().sum() > 0


def test_cluster_memory__mean_update():
    loss = ClusterMemory(torch.tensor([[1.0, 0], [0, 1.0]]), momentum=0.25, update="mean").train()
    loss(torch.tensor([[3.0, 4.0], [8.0, 6.0]]), torch.tensor([0, 0]), NO_CAMERAS)
    mixed = 0.25 * np.array([1, 0]) + 0.75 * np.array([0.7, 0.7])
    np.testing.assert_allclose(loss.memory, [unit(*mixed), [0, 1]], rtol=1e-6)


def test_cluster_memory__outliers_are_entries_that_nothing_updates():
    loss = ClusterMemory(torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 5]]), temperature=0.5)
    value = loss.train()(torch.tensor([[3.0, 4.0]]), torch.tensor([0]), NO_CAMERAS)
    assert value.item() == pytest.approx(-np.log(np.exp(1.2) / (np.exp(1.2) + np.exp(1.6))))
    np.testing.assert_allclose(loss.outliers, [[0, 1]])


def test_least_of_group__the_first_of_equals_as_a_loop_finds_it():
    random = np.random.default_rng(0)
    for _ in range(50):
        values, groups = random.integers(0, 4, 12) / 4, random.integers(0, 5, 12)
        expected = [np.flatnonzero(groups == g)[values[groups == g].argmin()] for g in groups]
        found = least_of_group(torch.tensor(values), torch.tensor(groups), 5)
        assert found.tolist() == expected


def test_means_of_group__equal_a_loop():
    random = np.random.default_rng(0)
    vectors, groups = random.normal(size=(12, 3)), random.integers(0, 5, 12)
    expected = [vectors[groups == group].mean(axis=0) for group in groups]
    found = means_of_group(torch.tensor(vectors), torch.tensor(groups), 5)
    np.testing.assert_allclose(found, expected)


def test_build_loss__cluster_memory_needs_features_and_learns_nothing_itself():
    settings = {"loss": "cluster_memory", "memory_temperature": 0.1, "memory_momentum": 0.5}
    config = TrainConfig(**settings, memory_outliers=True)
    classes, eye = np.array([0, 1, 1]), np.eye(3, dtype=np.float32)
    with pytest.raises(ConfigError, match="features"):
        build_loss(config, TrainingSet(classes, classes, 3))
    data = TrainingSet(classes, classes, 3, eye, eye[:1])
    loss = build_loss(config, data)
    assert (loss.temperature, loss.momentum, loss.update) == (0.1, 0.5, "hard")
    assert list(loss.parameters()) == []
    np.testing.assert_allclose(loss.memory, [unit(1, 0, 0), unit(0, 1, 1)], rtol=1e-6)
    assert len(loss.outliers) == 1
    assert len(build_loss(config.replace(memory_outliers=False), data).outliers) == 0
