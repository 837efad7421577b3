"""ResNet-IBN-a: instance beside batch normalisation, for features that travel between cameras."""

import torch
import torchvision
from torch import Tensor, nn

IBN_DEPTHS = {f"resnet{depth}_ibn_a": depth for depth in (18, 34, 50, 101)}


def build_resnet_ibn(name: str) -> nn.Module:
    """Build a ResNet-IBN-a without its classifier; names as in the authors' published weights.

    The first normalisation of every block of the first three stages is split: instance
    normalisation takes away what is of the camera's style, batch normalisation keeps the content.

    Args:
        name: One of `IBN_DEPTHS`.

    Returns:
        What maps images (B, 3, H, W) to features (B, 512 or 2048).

    References:
        Pan et al., Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net,
        ECCV 2018, Sec. 3.2, IBN-a.
    """
    model = torchvision.models.get_model(f"resnet{IBN_DEPTHS[name]}", weights=None)
    for stage in (model.layer1, model.layer2, model.layer3):
        for block in stage:
            block.bn1 = InstanceBatchNorm(block.bn1.num_features)
    model.fc = nn.Flatten(1)
    trunk: nn.Module = model
    return trunk


class InstanceBatchNorm(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the rest.

    Args:
        n_channels: C, of the maps (B, C, H, W).
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.n_styled = n_channels // 2
        self.IN = nn.InstanceNorm2d(self.n_styled, affine=True)
        self.BN = nn.BatchNorm2d(n_channels - self.n_styled)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the normalised maps (B, C, H, W)."""
        styled, rest = maps[:, : self.n_styled], maps[:, self.n_styled :]
        return torch.cat((self.IN(styled.contiguous()), self.BN(rest.contiguous())), dim=1)
