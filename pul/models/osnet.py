"""OSNet, the small network made for re-ID; parameters are named as in its published weights."""

from functools import reduce

import torch
from torch import Tensor, nn

OSNET_WIDTHS = {  # channels of the stem and the three stages (Table 2 of the paper, times a width)
    "osnet_x1_0": (64, 256, 384, 512),
    "osnet_x0_75": (48, 192, 288, 384),
    "osnet_x0_5": (32, 128, 192, 256),
    "osnet_x0_25": (16, 64, 96, 128),
}
_N_FEATURES = 512
_N_STREAMS = 4  # T: exponents t = 1..4, receptive fields of 3, 5, 7 and 9 pixels
_BOTTLENECK = 4
_GATE_REDUCTION = 16


def build_osnet(name: str) -> nn.Module:
    """Build an OSNet without its classifier: images (B, 3, H, W) to features (B, 512).

    The feature is that of its last fully connected layer, which the papers compare people by.

    Args:
        name: One of `OSNET_WIDTHS`.

    References:
        Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019.
    """
    return OSNet(*OSNET_WIDTHS[name])


class OSNet(nn.Module):
    """Omni-scale network: three stages of two blocks, each block a sum of four scales.

    Args:
        stem: Channels after the first convolution.
        stages: Channels of each stage.
    """

    def __init__(self, stem: int, *stages: int) -> None:
        super().__init__()
        self.conv1 = _Convolution(3, stem, 7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        first, second, third = stages
        self.conv2 = _stage(stem, first, is_halved=True)
        self.conv3 = _stage(first, second, is_halved=True)
        self.conv4 = _stage(second, third, is_halved=False)
        self.conv5 = _Convolution(third, third)
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(third, _N_FEATURES), nn.BatchNorm1d(_N_FEATURES), nn.ReLU(inplace=True)
        )
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, 512) of normalised images (B, 3, H, W)."""
        maps = self.maxpool(self.conv1(images))
        maps = self.conv5(self.conv4(self.conv3(self.conv2(maps))))
        features: Tensor = self.fc(self.global_avgpool(maps).flatten(1))
        return features


class _Convolution(nn.Module):
    """A convolution, batch normalisation, and a ReLU unless it is linear."""

    def __init__(
        self, n_in: int, n_out: int, size: int = 1, *, stride: int = 1, is_linear: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, size, stride, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(n_out)
        self.relu = nn.Identity() if is_linear else nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        activated: Tensor = self.relu(self.bn(self.conv(maps)))
        return activated


class _Lite3x3(nn.Module):
    """A 3×3 convolution in two cheap parts: pointwise, then depthwise (Fig. 3)."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_channels, n_channels, 1, bias=False)
        self.conv2 = nn.Conv2d(n_channels, n_channels, 3, padding=1, groups=n_channels, bias=False)
        self.bn = nn.BatchNorm2d(n_channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        activated: Tensor = self.relu(self.bn(self.conv2(self.conv1(maps))))
        return activated


class _Gate(nn.Module):
    """The aggregation gate that all streams of a block share: a weight per channel (Eq. 5)."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        n_hidden = n_channels // _GATE_REDUCTION
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(n_channels, n_hidden, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(n_hidden, n_channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        weights = self.fc2(self.relu(self.fc1(self.global_avgpool(maps))))  # (B, C, 1, 1)
        return maps * torch.sigmoid(weights)


class _Block(nn.Module):
    """A residual block whose residual is a gated sum of streams of growing scale (Fig. 4)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        n_middle = n_out // _BOTTLENECK
        self.conv1 = _Convolution(n_in, n_middle)
        streams = [
            nn.Sequential(*(_Lite3x3(n_middle) for _ in range(n_layers)))
            for n_layers in range(1, _N_STREAMS + 1)
        ]
        self.conv2a = streams[0][0]  # the published name of a stream of one layer has no index
        self.conv2b, self.conv2c, self.conv2d = streams[1:]
        self.gate = _Gate(n_middle)
        self.conv3 = _Convolution(n_middle, n_out, is_linear=True)
        self.downsample = (
            _Convolution(n_in, n_out, is_linear=True) if n_in != n_out else nn.Identity()
        )

    def forward(self, maps: Tensor) -> Tensor:
        reduced = self.conv1(maps)
        scales = (self.conv2a, self.conv2b, self.conv2c, self.conv2d)
        residual = reduce(torch.add, [self.gate(scale(reduced)) for scale in scales])
        return torch.relu(self.conv3(residual) + self.downsample(maps))


def _stage(n_in: int, n_out: int, *, is_halved: bool) -> nn.Sequential:
    blocks: list[nn.Module] = [_Block(n_in, n_out), _Block(n_out, n_out)]
    if is_halved:
        blocks.append(nn.Sequential(_Convolution(n_out, n_out), nn.AvgPool2d(2, stride=2)))
    return nn.Sequential(*blocks)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
