"""A network in the forms that other programs run, each checked against the original."""

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pul.config.methods import load_method
from pul.errors import ConfigError, ModelError
from pul.exchange.exporting import MODEL_FORMATS
from pul.models.network import Network, load_network, save_network
from pul.store.atomic_files import new_file

TOLERANCE = 1e-4
_JIT: Any = torch.jit  # torch gives it no types
_N_CHECKED = (3, 1)  # images in a batch; other than what the tracing saw


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What was exported.

    Attributes:
        path: The file.
        format: One of `MODEL_FORMATS`.
        backbone: The network's backbone.
        height, width: Size of its images in pixels.
        resize: How images get that size: `stretch`, or `pad` as `NetworkConfig.padding` says.
        n_features: Feature dimensions, D.
        difference: Largest difference of a feature from the original's, where features larger
            than 1 count relative to the largest one.
    """

    path: Path
    format: str
    backbone: str
    height: int
    width: int
    resize: str
    n_features: int
    difference: float


Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Codec:
    """Writes a network in a format; reads it back as the ways to run it, for the comparison.

    Attributes:
        write: Writes it.
        read: Returns what maps decoded images (B, H, W, 3), uint8, to features (B, D).
        size: Height and width of the images that the file takes.
        check_name: Raises a ConfigError for a file name that the format's programs misread.
    """

    write: Callable[[Network, Path], None]
    read: Callable[[Path], Sequence[Run]]
    size: Callable[[Network], tuple[int, int]] = lambda network: (
        network.config.height,
        network.config.width,
    )
    check_name: Callable[[Path], None] = lambda _: None


class Extractor(nn.Module):
    """A network with its normalisation: images as they are decoded in, features out.

    Args:
        network: The network, in evaluation mode.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.trunk = network.trunk
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", network.mean)
        self.register_buffer("std", network.std)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features (B, D) of RGB images (B, H, W, 3), uint8 or float in [0, 255]."""
        images = pixels.permute(0, 3, 1, 2).float() / 255.0
        features: Tensor = self.trunk((images - self.mean) / self.std)
        return features


def export_model(checkpoint: Path, path: Path, *, format: str) -> ModelReport:
    """Write a network as a file that others read; it is kept only if its features are the same.

    TorchScript and ONNX take RGB images (B, H, W, 3) as they are decoded, resized to the network's
    size, in any batch size, TorchScript in uint8 or float, ONNX in uint8. Normalisation is inside.
    The formats of trackers take what those feed: `pul.exchange.trackers`.

    Args:
        checkpoint: A checkpoint of ours.
        path: File to write; not there yet, or empty.
        format: One of `MODEL_FORMATS`. ONNX needs the package onnx.

    Raises:
        ConfigError: There is no such format, its package is missing, or the file is there already.
        ModelError: The checkpoint cannot be read, or what was written gives other features.
        StoreError: The file cannot be written.
    """
    if format not in MODEL_FORMATS:
        raise ConfigError(
            f"There is no model format {format!r}; choose one of {', '.join(MODEL_FORMATS)}."
        )
    if MODEL_FORMATS[format].suffix.endswith(".onnx"):
        _require_onnx()
    network = load_network(checkpoint)
    codec: Codec = load_method({format: MODEL_FORMATS[format].codec}, format)
    codec.check_name(path)
    with new_file(path) as temporary:
        codec.write(network, temporary)
        difference = _compare(network, codec.read(temporary), codec.size(network))
        if not difference <= TOLERANCE:
            raise ModelError(
                f"As {format} this {network.config.backbone} gives features that differ by "
                f"{difference:.2g}, more than {TOLERANCE:g}: {path} was not written. Export "
                "safetensors, which is the network itself."
            )
    config = network.config
    size = (config.height, config.width)
    return ModelReport(
        path, format, config.backbone, *size, config.resize, network.n_features, difference
    )


def _require_onnx() -> None:
    missing = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"ONNX needs the package {' and '.join(missing)}, which is not installed: install "
            "requirements-optional.txt, or export torchscript, which needs nothing more."
        )


@torch.inference_mode()
def _compare(network: Network, runs: Sequence[Run], size: tuple[int, int]) -> float:
    """Return the largest difference of any way to run a file; NaN where features are not finite.

    Args:
        network: The network.
        runs: The ways to run the file.
        size: Height and width of the images that the file takes; it scales them to the network's.
    """
    generator = torch.Generator().manual_seed(0)
    own = (network.config.height, network.config.width)
    differences = []
    for n_images in _N_CHECKED:
        pixels = torch.randint(256, (n_images, *size, 3), generator=generator, dtype=torch.uint8)
        images = network.normalize(pixels)
        if size != own:
            images = nn.functional.interpolate(images, own, mode="bilinear", align_corners=False)
        expected = network(images)
        scale = expected.abs().max().clamp(min=1.0)
        differences += [(run(pixels) - expected).abs().max() / scale for run in runs]
    return float(torch.stack(differences).max())


def _example(network: Network) -> Tensor:
    return torch.zeros(2, network.config.height, network.config.width, 3, dtype=torch.uint8)


def trace(module: nn.Module, example: Tensor, path: Path) -> None:
    """Write a module as TorchScript."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: what it got wrong, the comparison finds
        _JIT.save(_JIT.trace(module.eval(), example, check_trace=False), path)


def write_onnx_graph(module: nn.Module, example: Tensor, path: Path, *, name: str) -> None:
    """Write a module as ONNX with an input of that name, for batches of any size."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (example,),
            path,
            input_names=[name],
            output_names=["features"],
            dynamic_axes={name: {0: "batch"}, "features": {0: "batch"}},
            dynamo=False,
        )


def open_onnx(path: Path, *, name: str) -> Run:
    """Return what maps the input of that name to features, by ONNX Runtime on the CPU."""
    onnxruntime: Any = importlib.import_module("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda given: torch.from_numpy(session.run(None, {name: given.numpy()})[0])


def _write_torchscript(network: Network, path: Path) -> None:
    trace(Extractor(network), _example(network), path)


def _read_torchscript(path: Path) -> list[Run]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is old, and that is why programs ask for it
        module = _JIT.load(path)
    return [module, lambda pixels: module(pixels.float())]


def _write_onnx(network: Network, path: Path) -> None:
    write_onnx_graph(Extractor(network), _example(network), path, name="pixels")


def _read_onnx(path: Path) -> list[Run]:
    return [open_onnx(path, name="pixels")]


def _read_safetensors(path: Path) -> list[Run]:
    network = load_network(path)
    return [lambda pixels: network(network.normalize(pixels))]


SAFETENSORS = Codec(save_network, _read_safetensors)
TORCHSCRIPT = Codec(_write_torchscript, _read_torchscript)
ONNX = Codec(_write_onnx, _read_onnx)
