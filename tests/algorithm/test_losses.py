import numpy as np
import pytest
import torch

from pul.algorithm.losses import ClusterMemory, build_loss, sample_batches
from pul.config import TrainConfig
from pul.errors import ConfigError

CLASSES = np.array([0] * 5 + [1] * 4 + [2] * 2)


def test_build_loss__softmax_by_hand():
    loss = build_loss(TrainConfig(dropout=0.0), n_features=2, n_classes=3).eval()
    with torch.no_grad():
        loss.classifier.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0, 0]]))
    # logits (2, 0, 0), class 0: -log(e² / (e² + 2))
    value = loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))
    assert value.item() == pytest.approx(-np.log(np.e**2 / (np.e**2 + 2)))


def test_build_loss__fresh_classifier_is_normal_with_the_papers_spread():
    torch.manual_seed(0)
    loss = build_loss(TrainConfig(), n_features=500, n_classes=100)
    weight = loss.classifier.weight.detach()
    assert weight.std().item() == pytest.approx(1e-3, rel=0.02)
    assert abs(weight.mean().item()) < 2e-5
    assert loss.classifier.bias.abs().max() == 0
    assert loss.dropout.p == 0.5


@pytest.mark.parametrize("name", ["triplet", "contrastive"])
def test_build_loss__pairs_by_hand(name):
    pytest.importorskip("pytorch_metric_learning")
    loss = build_loss(TrainConfig(loss=name), n_features=2, n_classes=2)
    features = torch.tensor([[2.0, 0], [3, 0], [0, 1], [0, 4]], requires_grad=True)
    apart = loss(features, torch.tensor([0, 0, 1, 1]))  # twins coincide, others are √2 apart
    mixed = loss(features, torch.tensor([0, 1, 0, 1]))
    assert apart.item() == pytest.approx(0.0, abs=1e-3)
    assert mixed.item() > 0.9
    mixed.backward()
    assert torch.isfinite(features.grad).all()


def test_cluster_memory__loss_by_hand():
    loss = ClusterMemory(torch.tensor([[2.0, 0], [0, 3.0]]), temperature=0.5).eval()
    # The cosines are (0.6, 0.8); divided by 0.5 they are 1.2 and 1.6.
    value = loss(torch.tensor([[3.0, 4.0]]), torch.tensor([0]))
    assert value.item() == pytest.approx(-np.log(np.exp(1.2) / (np.exp(1.2) + np.exp(1.6))))
    np.testing.assert_allclose(loss.memory, [[1, 0], [0, 1]])  # no update outside training


def unit(*vector):
    return np.array(vector) / np.linalg.norm(vector)


def test_cluster_memory__hard_update_takes_the_image_least_like_its_class():
    loss = ClusterMemory(torch.tensor([[1.0, 0], [0, 1.0]]), momentum=0.25).train()
    features = torch.tensor([[3.0, 4.0], [8.0, 6.0], [0.0, 2.0]], requires_grad=True)
    loss(features, torch.tensor([0, 0, 1])).backward()  # cosines 0.6 and 0.8 with class 0
    mixed = 0.25 * np.array([1, 0]) + 0.75 * np.array([0.6, 0.8])
    np.testing.assert_allclose(loss.memory, [unit(*mixed), [0, 1]], rtol=1e-6)
    assert features.grad.abs().sum() > 0


def test_cluster_memory__mean_update():
    loss = ClusterMemory(torch.tensor([[1.0, 0], [0, 1.0]]), momentum=0.25, update="mean").train()
    loss(torch.tensor([[3.0, 4.0], [8.0, 6.0]]), torch.tensor([0, 0]))
    mixed = 0.25 * np.array([1, 0]) + 0.75 * np.array([0.7, 0.7])
    np.testing.assert_allclose(loss.memory, [unit(*mixed), [0, 1]], rtol=1e-6)


def test_build_loss__cluster_memory_needs_centroids_and_learns_nothing_itself():
    config = TrainConfig(loss="cluster_memory", memory_temperature=0.1, memory_momentum=0.5)
    with pytest.raises(ConfigError, match="centroids"):
        build_loss(config, n_features=2, n_classes=2)
    loss = build_loss(config, n_features=2, n_classes=2, centroids=np.eye(2, dtype=np.float32))
    assert (loss.temperature, loss.momentum, loss.update) == (0.1, 0.5, "hard")
    assert list(loss.parameters()) == []


def test_sample_batches__instances_of_a_class_are_a_setting():
    classes = np.repeat(np.arange(10), 8)
    config = TrainConfig(loss="cluster_memory", batch_size=16, n_instances=8)
    for batch in sample_batches(classes, config, np.random.default_rng(0)):
        counts = np.bincount(classes[batch], minlength=10)
        assert sorted(counts[counts > 0]) == [8, 8]


def test_sample_batches__softmax_sees_each_image_once():
    config = TrainConfig(batch_size=3)
    batches = list(sample_batches(CLASSES, config, np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [3, 3, 3, 2]
    assert sorted(np.concatenate(batches)) == list(range(11))


def test_sample_batches__a_last_single_image_is_left_out():
    batches = list(sample_batches(CLASSES, TrainConfig(batch_size=5), np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [5, 5]


def test_sample_batches__small_set_is_one_batch():
    batches = list(sample_batches(CLASSES, TrainConfig(batch_size=64), np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [11]


def test_sample_batches__pairs_come_together_for_triplets():
    classes = np.repeat(np.arange(20), 8)
    config = TrainConfig(loss="triplet", batch_size=16)
    for batch in sample_batches(classes, config, np.random.default_rng(0)):
        counts = np.bincount(classes[batch], minlength=20)
        assert set(counts[counts > 0]) <= {4, 8}


def test_build_loss__missing_package_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pytorch_metric_learning", None)
    with pytest.raises(ConfigError, match="pip install pytorch-metric-learning"):
        build_loss(TrainConfig(loss="triplet"), n_features=2, n_classes=2)
