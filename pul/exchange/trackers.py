"""A network as the re-ID model of a tracker: it takes what BoxMOT or Ultralytics feed it."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pul.errors import ConfigError
from pul.exchange.models import Codec, Run, open_onnx, trace, write_onnx_graph
from pul.models.network import Network

_JIT: Any = torch.jit  # torch gives it no types
_BOXMOT_SIZE = (256, 128)
# BoxMOT finds the kind of a network in the file's name; other words change the size that it feeds.
_BOXMOT_NAMES = (
    *(f"osnet_x{width}" for width in ("1_0", "0_75", "0_5", "0_25")),
    *("resnet50", "resnet101", "mobilenetv2_x1_0", "mobilenetv2_x1_4", "mlfn"),
)
_BOXMOT_OTHERS = ("clip", "lmbn", "hacnn", "veri", "vehicleid", "vit_", "osnet_ain", "osnet_ibn")


@dataclass(frozen=True, slots=True)
class TrackerInput:
    """What a tracker feeds a re-ID model: RGB images (B, 3, H, W), float.

    Attributes:
        mean, std: What it subtracted from values in [0, 1], and divided by.
        size: Height and width of what it feeds, for a network.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    size: Callable[[Network], tuple[int, int]]


BOXMOT_INPUT = TrackerInput((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), lambda _: _BOXMOT_SIZE)
# Ultralytics' crops are squares with the side of an ONNX file's input.
ULTRALYTICS_INPUT = TrackerInput(
    (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), lambda network: (max(_own_size(network)),) * 2
)


class TrackerExtractor(nn.Module):
    """A network that takes a tracker's images instead of its own.

    The tracker's normalisation is undone and the network's is done in one product and one sum;
    images of another size are scaled to the network's.

    Args:
        network: The network, in evaluation mode.
        given: What the tracker feeds it.
    """

    def __init__(self, network: Network, given: TrackerInput) -> None:
        super().__init__()
        mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (given.mean, given.std))
        self.trunk = network.trunk
        self.size = _own_size(network)
        self.is_resized = given.size(network) != self.size
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", std / network.std)
        self.register_buffer("shift", (mean - network.mean) / network.std)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, D) of a tracker's images (B, 3, H, W)."""
        images = images * self.scale + self.shift
        if self.is_resized:
            images = nn.functional.interpolate(
                images, self.size, mode="bilinear", align_corners=False
            )
        features: Tensor = self.trunk(images)
        return features


def _own_size(network: Network) -> tuple[int, int]:
    return network.config.height, network.config.width


def _feed(pixels: Tensor, given: TrackerInput) -> Tensor:
    """Return decoded images (B, H, W, 3), uint8, as a tracker feeds them."""
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (given.mean, given.std))
    return (pixels.permute(0, 3, 1, 2).float() / 255.0 - mean) / std


def _write_torchscript(network: Network, path: Path, given: TrackerInput) -> None:
    example = torch.zeros(2, 3, *given.size(network))
    trace(TrackerExtractor(network, given), example, path)


def _read_torchscript(path: Path, given: TrackerInput) -> list[Run]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = _JIT.load(path)
    return [lambda pixels: module(_feed(pixels, given))]


def _write_onnx(network: Network, path: Path, given: TrackerInput) -> None:
    example = torch.zeros(2, 3, *given.size(network))
    write_onnx_graph(TrackerExtractor(network, given), example, path, name="images")


def _read_onnx(path: Path, given: TrackerInput) -> list[Run]:
    run = open_onnx(path, name="images")
    return [lambda pixels: run(_feed(pixels, given))]


def check_boxmot_name(path: Path) -> None:
    """Refuse a file name that BoxMOT would misread.

    Raises:
        ConfigError: It has no name of a network that BoxMOT knows, or one with another input.
    """
    name = path.name.lower()
    other = next((word for word in _BOXMOT_OTHERS if word in name), None)
    if other is None and any(word in name for word in _BOXMOT_NAMES):
        return
    reason = f"with {other!r} in it, it feeds another input" if other else "it finds none in it"
    raise ConfigError(
        f"BoxMOT looks for the name of a network that it knows in a file's name, and in "
        f"{path.name!r} {reason}. Call the file, for example, osnet_x0_25_mine{path.suffix}: what "
        "runs is your network all the same."
    )


def _codec(
    given: TrackerInput,
    write: Callable[[Network, Path, TrackerInput], None],
    read: Callable[[Path, TrackerInput], Sequence[Run]],
    check_name: Callable[[Path], None] = lambda _: None,
) -> Codec:
    return Codec(
        lambda network, path: write(network, path, given),
        lambda path: read(path, given),
        given.size,
        check_name,
    )


BOXMOT = _codec(BOXMOT_INPUT, _write_onnx, _read_onnx, check_boxmot_name)
BOXMOT_TORCHSCRIPT = _codec(BOXMOT_INPUT, _write_torchscript, _read_torchscript, check_boxmot_name)
ULTRALYTICS = _codec(ULTRALYTICS_INPUT, _write_onnx, _read_onnx)
