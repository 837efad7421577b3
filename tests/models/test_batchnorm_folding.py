import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pul.algorithm.features import extract_features
from pul.config import NetworkConfig
from pul.models.batchnorm_folding import fold_normalization
from pul.models.network import Network, build_network
from tests.support.networks import assert_close_features
from tests.support.programs import random_statistics


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_v2", "efficientnet_b0"])
def test_fold_normalization__gives_the_same_features(backbone):
    config = NetworkConfig(backbone=backbone, weights="none", height=64, width=32)
    network = random_statistics(build_network(config))
    folded = fold_normalization(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    images = torch.randn(4, 3, 64, 32)
    with torch.no_grad():
        expected, features = network(images), folded(images)
    assert float((features - expected).abs().max()) < 1e-4 * float(expected.abs().max())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


class Choosy(nn.Module):
    """A trunk whose code depends on its input, which cannot be rewritten."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.convolution(images)).mean((2, 3))
        return maps if maps.sum() > 0 else -maps


def test_extract_features__of_a_network_that_cannot_be_folded():
    config = NetworkConfig(backbone="resnet18", weights="none", height=32, width=16)
    network = random_statistics(Network(Choosy(), config, 4))
    assert fold_normalization(network) is network
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 16, 3), dtype=np.uint8)
    features = extract_features(network, pixels)
    with torch.no_grad():
        expected = torch.cat([network(network.normalize(torch.from_numpy(pixels)))])
    assert_close_features(features, expected)
