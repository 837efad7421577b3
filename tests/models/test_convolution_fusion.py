import operator

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn

from pul.algorithm.features import extract_features
from pul.config import NetworkConfig
from pul.models.batchnorm_folding import fold_normalization
from pul.models.convolution_fusion import FusedConvolution, fuse_convolutions
from pul.models.network import build_network
from tests.support.programs import random_statistics


def fused_in(network: nn.Module) -> list[FusedConvolution]:
    """Return the convolutions of a network that take along what follows them."""
    return [module for module in network.modules() if isinstance(module, FusedConvolution)]


@pytest.fixture(autouse=True)
def _same_random_weights() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("backbone", "n_fused"),
    [("resnet18", 17), ("mobilenet_v2", 45), ("efficientnet_b0", 0)],
)
def test_fuse_convolutions__gives_the_same_features(backbone, n_fused):
    # ResNet-18: all but the three of the shortcuts. MobileNetV2: all of the 52 but the seven whose
    # output goes on as it is. EfficientNet has neither a ReLU nor a sum right behind one.
    config = NetworkConfig(backbone=backbone, weights="none", height=64, width=32)
    folded = fold_normalization(random_statistics(build_network(config)))
    images = torch.randn(4, 3, 64, 32)
    fused = fuse_convolutions(folded, images[:2], torch.float32)
    assert len(fused_in(fused)) == n_fused
    assert not fused_in(folded)
    with torch.no_grad():
        expected, features = folded(images), fused(images)
    assert float((features - expected).abs().max()) < 1e-5 * float(expected.abs().max())


class Blocks(nn.Module):
    """Two convolutions, and what a test does with them."""

    def __init__(self, then) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)
        self.relu, self.relu6, self.then = nn.ReLU(), nn.ReLU6(), then

    def forward(self, images: Tensor) -> Tensor:
        return self.then(self, images).mean((2, 3))


@pytest.mark.parametrize(
    ("then", "n_fused"),
    [
        (lambda self, x: self.relu(self.one(x) + self.two(x)), 1),
        (lambda self, x: self.relu6(self.one(x) + self.two(x)), 1),  # the sum alone
        (lambda self, x: torch.add(self.one(x), self.two(x)), 1),
        (lambda self, x: operator.iadd(self.one(x), self.two(x)), 1),  # recorded as a sum
        (lambda self, x: self.relu(self.one(x)) + self.relu6(self.two(x)), 2),
        (lambda self, x: torch.add(self.one(x), self.two(x), alpha=2), 0),
        (lambda self, x: self.one(x) + 1, 0),
        (lambda self, x: (lambda y: self.relu(y) + y)(self.one(x)), 0),  # read twice
        (lambda self, x: (lambda y: y + y)(self.one(x)), 0),
    ],
)
def test_fuse_convolutions__takes_only_what_nobody_else_reads(then, n_fused):
    network, images = fx.symbolic_trace(Blocks(then)), torch.randn(2, 3, 8, 4)
    fused = fuse_convolutions(network, images.clone(), torch.float32)
    assert len(fused_in(fused)) == n_fused
    with torch.no_grad():
        expected, features = network(images.clone()), fused(images.clone())
    torch.testing.assert_close(features, expected)


@pytest.mark.parametrize("what", ["fails", "gives other features", "gives NaN"])
def test_fuse_convolutions__is_tried_before_it_is_believed(what, monkeypatch, caplog):
    def forward(self, maps, added=None):
        if what == "fails":
            raise AttributeError("no such operator")
        maps = self.convolution(maps)
        return maps + 1 if what == "gives other features" else maps * torch.nan

    monkeypatch.setattr(FusedConvolution, "forward", forward)
    network = fx.symbolic_trace(Blocks(lambda self, x: self.relu(self.one(x))))
    assert fuse_convolutions(network, torch.randn(2, 3, 8, 4), torch.float32) is network
    assert "without fused convolutions" in caplog.text


def test_extract_features__in_bfloat16_by_fused_convolutions(monkeypatch):
    monkeypatch.setattr("pul.models.precision.has_bfloat16", lambda _: True)
    config = NetworkConfig(backbone="resnet18", weights="none", height=64, width=48)
    network = random_statistics(build_network(config))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 48, 3), dtype=np.uint8)
    seen = []

    def spy(folded, images, dtype):
        seen.append((len(images), dtype))
        return fuse_convolutions(folded, images, dtype)

    monkeypatch.setattr("pul.algorithm.features.fuse_convolutions", spy)
    half = extract_features(network, pixels, precision="bfloat16", batch_size=2)
    assert seen == [(2, torch.bfloat16)]
    full = extract_features(network, pixels)
    assert len(seen) == 1
    cosines = (half * full).sum(1) / np.linalg.norm(half, axis=1) / np.linalg.norm(full, axis=1)
    assert 0.99 < cosines.min() < 1
    assert extract_features(network, pixels[:0], precision="bfloat16").shape == (0, 512)
