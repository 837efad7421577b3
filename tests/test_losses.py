import numpy as np
import pytest
import torch

from pul.config import TrainConfig
from pul.errors import ConfigError
from pul.losses import build_loss, sample_batches

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
