"""Backbones by torchvision name, their weights, and checkpoints that describe themselves."""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
import torchvision
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pul.config import NetworkConfig
from pul.errors import ModelError

_HEADS = ("fc", "classifier", "heads", "head")  # what torchvision calls the classifier of a family
_METADATA_KEY = "pul_network"

# What the readers of weights were seen to raise on damaged bytes.
_DAMAGED = (
    SafetensorError,
    pickle.UnpicklingError,
    OSError,
    EOFError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    struct.error,
    zipfile.BadZipFile,
)


class Network(nn.Module):
    """A backbone without its classifier: images in, average-pooled features out.

    Attributes:
        config: What the network was built from.
        n_features: Feature dimensions, D.
    """

    def __init__(self, trunk: nn.Module, config: NetworkConfig, n_features: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.config = config
        self.n_features = n_features
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(config.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(1, 3, 1, 1), persistent=False)

    def normalize(self, pixels: Tensor) -> Tensor:
        """Turn uint8 images (B, H, W, 3) into the float input (B, 3, H, W) of the backbone."""
        rows = pixels.flatten(2).float().div_(255.0)  # (B, H, 3W): three channels are short loops
        mean, std = (of.flatten().repeat(pixels.shape[2]) for of in (self.mean, self.std))
        images = rows.sub_(mean).div_(std).view(pixels.shape)
        return images.permute(0, 3, 1, 2)  # a channels-last view, no copy

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of normalised images (B, 3, H, W).

        References:
            Algorithm 1, line 3: φ(x; θ), the average-pooling layer's output (Sec. IV-B).
        """
        features: Tensor = self.trunk(images)
        return features


def build_network(config: NetworkConfig) -> Network:
    """Build a backbone and give it the weights that the config names.

    Args:
        config: Backbone, weights and input size.

    Returns:
        The network on the CPU, in evaluation mode.

    Raises:
        ModelError: The backbone is unknown, or its weights cannot be had or do not fit.
    """
    trunk = _build_trunk(config, pretrained=config.weights == "torchvision")
    if config.weights not in ("torchvision", "none"):
        _fill(trunk, _read_weights(Path(config.weights)), config.weights)
    return Network(trunk, config, _count_features(trunk, config)).eval()


def save_network(network: Network, path: Path) -> None:
    """Write a network as safetensors with its config inside; the file appears whole or not at all.

    Args:
        network: The network, on any device.
        path: File to write, replaced if it is there.

    Raises:
        ModelError: The file cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(dump_network(network))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise ModelError(f"{path} cannot be written: {error.strerror}.") from error


def dump_network(network: Network) -> bytes:
    """Return what `save_network` writes."""
    tensors = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    return save(tensors, metadata={_METADATA_KEY: network.config.model_dump_json()})


def load_network(path: Path) -> Network:
    """Read a network that `save_network` wrote.

    Args:
        path: A safetensors file.

    Returns:
        The network on the CPU, in evaluation mode.

    Raises:
        ModelError: The file is missing, damaged, or no checkpoint of ours.
    """
    config = read_network_config(path)
    trunk = _build_trunk(config, pretrained=False)
    network = Network(trunk, config, _count_features(trunk, config))
    try:
        network.load_state_dict(load_file(path))
    except _DAMAGED as error:
        raise ModelError(f"{path} does not fit its own description: {error}") from error
    return network.eval()


def read_network_config(path: Path) -> NetworkConfig:
    """Read what network a checkpoint holds, without reading its weights.

    Raises:
        ModelError: The file is missing, damaged, or no checkpoint of ours.
    """
    if not path.is_file():
        raise ModelError(f"There is no model at {path}; give the path of a .safetensors file.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    if _METADATA_KEY not in metadata:
        raise ModelError(
            f"{path} does not say which network it is for. Name it as weights instead: "
            f"`python -m pul train-source ... --weights {path.name}`."
        )
    try:
        return NetworkConfig(**json.loads(metadata[_METADATA_KEY]))
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged where it says which network it is: {error}") from error


def _build_trunk(config: NetworkConfig, *, pretrained: bool) -> nn.Module:
    options: dict[str, Any] = {} if config.width_mult == 1.0 else {"width_mult": config.width_mult}
    try:
        model: nn.Module = torchvision.models.get_model(
            config.backbone, weights="DEFAULT" if pretrained else None, **options
        )
    except (URLError, OSError) as error:
        raise ModelError(
            f"torchvision's weights of {config.backbone} could not be downloaded ({error}). "
            f"Put the file into {torch.hub.get_dir()}/checkpoints, name another file as weights, "
            "or ask for weights 'none'."
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"There is no backbone {config.backbone!r} with width_mult {config.width_mult} in "
            f"torchvision {torchvision.__version__}: {error}. Try resnet50, resnet18, "
            "mobilenet_v2, mobilenet_v3_large, shufflenet_v2_x1_0 or convnext_tiny."
        ) from error
    head = next((name for name in _HEADS if hasattr(model, name)), None)
    if head is None:
        raise ModelError(f"{config.backbone} has no classifier that could be taken off.")
    setattr(model, head, nn.Flatten(1))  # ConvNeXt's head flattens too; elsewhere it does nothing
    return model


def _count_features(trunk: nn.Module, config: NetworkConfig) -> int:
    with torch.no_grad():
        try:
            features = trunk.eval()(torch.zeros(1, 3, config.height, config.width))
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"{config.backbone} does not take {config.height}×{config.width} images: {error}"
            ) from error
    return int(features.shape[1])


def _read_weights(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise ModelError(f"There are no weights at {path}; give a .safetensors or .pth file.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        raise ModelError(
            f"{path} cannot be read as weights: {error}. Only plain tensors are read; save them "
            "with safetensors, or as a state dict."
        ) from error
    while isinstance(content, dict) and not any(isinstance(v, Tensor) for v in content.values()):
        inner = next((content[k] for k in ("state_dict", "model") if k in content), None)
        if inner is None:
            raise ModelError(f"{path} holds no state dict; its keys are {sorted(content)[:5]}.")
        content = inner
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds a {type(content).__name__} instead of a state dict.")
    return content


def _fill(trunk: nn.Module, weights: Mapping[str, Tensor], origin: str) -> None:
    prefixes = ("module.", "trunk.")  # of DataParallel, and of our own checkpoints
    plain = {_strip(name, prefixes): value for name, value in weights.items()}
    wanted = trunk.state_dict()
    missing = [n for n in wanted if n not in plain and not n.endswith("num_batches_tracked")]
    if missing:
        raise ModelError(
            f"{origin} lacks {len(missing)} of the {len(wanted)} tensors of this backbone, such as "
            f"{missing[0]!r}; it holds e.g. {next(iter(plain), 'nothing')!r}. Is it for another "
            "backbone?"
        )
    unfit = [n for n in wanted if n in plain and plain[n].shape != wanted[n].shape]
    if unfit:
        name = unfit[0]
        raise ModelError(
            f"{origin}: {name!r} has shape {tuple(plain[name].shape)}, but this backbone needs "
            f"{tuple(wanted[name].shape)}. Is the width_mult right?"
        )
    trunk.load_state_dict({n: plain.get(n, wanted[n]) for n in wanted})


def _strip(name: str, prefixes: tuple[str, ...]) -> str:
    for prefix in prefixes:
        name = name.removeprefix(prefix)
    return name
