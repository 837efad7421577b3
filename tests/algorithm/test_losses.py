import numpy as np
import pytest
import torch

from pul.algorithm.losses import TrainingSet, build_loss
from pul.config import TrainConfig
from pul.errors import ConfigError

NO_CAMERAS = torch.zeros(0, dtype=torch.int64)


def training_set(n_classes, n_features):
    """Return what a loss of so many classes is built for, one image in each."""
    classes = np.arange(n_classes)
    return TrainingSet(classes, np.zeros_like(classes), n_features)


def test_build_loss__softmax_by_hand():
    loss = build_loss(TrainConfig(dropout=0.0), training_set(3, 2)).eval()
    with torch.no_grad():
        loss.classifier.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [0, 0]]))
    # logits (2, 0, 0), class 0: -log(e² / (e² + 2))
    value = loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]), NO_CAMERAS)
    assert value.item() == pytest.approx(-np.log(np.e**2 / (np.e**2 + 2)))


def test_build_loss__fresh_classifier_is_normal_with_the_papers_spread():
    torch.manual_seed(0)
    loss = build_loss(TrainConfig(), training_set(100, 500))
    weight = loss.classifier.weight.detach()
    assert weight.std().item() == pytest.approx(1e-3, rel=0.02)
    assert abs(weight.mean().item()) < 2e-5
    assert loss.classifier.bias.abs().max() == 0
    assert loss.dropout.p == 0.5


@pytest.mark.parametrize("name", ["triplet", "contrastive"])
def test_build_loss__pairs_by_hand(name):
    pytest.importorskip("pytorch_metric_learning")
    loss = build_loss(TrainConfig(loss=name), training_set(2, 2))
    features = torch.tensor([[2.0, 0], [3, 0], [0, 1], [0, 4]], requires_grad=True)
    apart = loss(
        features, torch.tensor([0, 0, 1, 1]), NO_CAMERAS
    )  # twins coincide, others are √2 apart
    mixed = loss(features, torch.tensor([0, 1, 0, 1]), NO_CAMERAS)
    assert apart.item() == pytest.approx(0.0, abs=1e-3)
    assert mixed.item() > 0.9
    mixed.backward()
    assert torch.isfinite(features.grad).all()


def test_build_loss__missing_package_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pytorch_metric_learning", None)
    with pytest.raises(ConfigError, match="pip install pytorch-metric-learning"):
        build_loss(TrainConfig(loss="triplet"), training_set(2, 2))
