"""Backbones by torchvision name, their weights, and checkpoints that describe themselves."""

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pul.config import HeadConfig, NetworkConfig
from pul.errors import ModelError
from pul.models.backbones import build_trunk, wrong_size
from pul.models.candidates import describe_nearest, find_networks
from pul.models.file_kinds import METADATA_KEY, require_own_checkpoint
from pul.models.matching import Match
from pul.models.origins import read_grid
from pul.models.positions import Grid, resize_positions
from pul.models.weights import DAMAGED, read_tensors


class Network(nn.Module):
    """A backbone without its classifier: images in, pooled features out.

    Attributes:
        config: What the network was built from.
        n_features: Feature dimensions, D.
    """

    def __init__(self, trunk: nn.Module, config: NetworkConfig, n_features: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.config = config
        self.n_features = n_features
        self.neck: nn.Module = nn.Identity()
        if config.neck == "batchnorm":
            self.neck = nn.BatchNorm1d(n_features)
            self.neck.bias.requires_grad_(False)
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
            Algorithm 1, line 3: φ(x; θ), the average-pooling layer's output (Sec. IV-B); Luo et al.
            2019, Bag of Tricks, for the neck after it, whose bias is not trained.
        """
        features: Tensor = self.neck(self.trunk(images))
        return features


def build_network(config: NetworkConfig) -> Network:
    """Build a backbone and give it the weights that the config names.

    Args:
        config: Backbone, weights and input size.

    Returns:
        The network on the CPU, in evaluation mode.

    Raises:
        ModelError: The backbone is unknown, or its weights cannot be read or do not fit.
    """
    if config.weights not in ("torchvision", "none"):
        return _from_checkpoint(config)
    trunk = build_trunk(config, pretrained=config.weights == "torchvision")
    return Network(trunk, config, _count_features(trunk, config)).eval()


def _from_checkpoint(config: NetworkConfig) -> Network:
    origin, tensors = config.weights, read_tensors(Path(config.weights))
    found = find_networks(tensors, config.backbone, config.width_mult)
    if found and found[0].is_complete:
        return network_of(config, found[0], tensors, _read_grid(config, found[0], tensors))
    own = found[0].summary if found else f"no tensor fits {config.backbone}"
    nearest = describe_nearest(find_networks(tensors))
    raise ModelError(f"{origin} is for another network: {own}. {nearest}")


def _read_grid(config: NetworkConfig, found: Match, tensors: Mapping[str, Tensor]) -> Grid | None:
    """Return the patches that a checkpoint is for; where they overlap, the config must say so.

    Raises:
        ModelError: It does not, or they are of no grid that is known.
    """
    size = {"height": config.height, "width": config.width}
    grid = read_grid(found, tensors, **size, stride=config.patch_stride)
    if grid is not None and grid.is_overlapping and config.patch_stride != grid.stride:
        raise ModelError(
            f"{config.weights} was trained on a patch every {grid.stride} pixels of "
            f"{grid.height}×{grid.width} images. Make a start model of it, which says so: "
            f"`python -m pul convert {config.weights} --out start.safetensors`."
        )
    return grid


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
    return save(tensors, metadata={METADATA_KEY: network.config.model_dump_json()})


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
    trunk = build_trunk(config, pretrained=False)
    network = Network(trunk, config, _count_features(trunk, config))
    try:
        network.load_state_dict(load_file(path))
    except DAMAGED as error:
        raise ModelError(f"{path} does not fit its own description: {error}") from error
    return network.eval()


def read_network_config(path: Path) -> NetworkConfig:
    """Read what network a checkpoint holds, without reading its weights.

    Raises:
        ModelError: The file is missing, damaged, or no checkpoint of ours.
    """
    require_own_checkpoint(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    try:
        return NetworkConfig(**json.loads(metadata[METADATA_KEY]))
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged where it says which network it is: {error}") from error


def with_head(network: Network, head: HeadConfig) -> Network:
    """Return a copy of a network whose last layers are as a run asks for; its weights stay.

    Args:
        network: The network.
        head: What changes; what it leaves open stays as it is.

    Returns:
        The copy, on the CPU, in evaluation mode. A new neck begins as the identity.

    Raises:
        ModelError: The backbone has no such layers.
    """
    changes = head.model_dump(exclude_none=True)
    if changes["neck"] == "model":
        del changes["neck"]
    config = network.config.replace(**changes)
    if config == network.config:
        return copy.deepcopy(network)
    trunk = build_trunk(config, pretrained=False)
    changed = Network(trunk, config, _count_features(trunk, config))
    state = {**changed.state_dict(), **network.state_dict()}
    if config.neck == "none":
        state = {name: value for name, value in state.items() if not name.startswith("neck.")}
    changed.load_state_dict(state)
    return changed.eval()


def _count_features(trunk: nn.Module, config: NetworkConfig) -> int:
    with torch.no_grad():
        try:
            features = trunk.eval()(torch.zeros(1, 3, config.height, config.width))
        except (RuntimeError, AssertionError) as error:
            raise wrong_size(config, error) from error
    return int(features.shape[1])


def network_of(
    config: NetworkConfig,
    found: Match,
    tensors: Mapping[str, Tensor],
    grid: Grid | None = None,
) -> Network:
    """Build a backbone and give it the tensors of a checkpoint.

    Args:
        config: Backbone and input size.
        found: A complete match of the checkpoint and this backbone.
        tensors: The checkpoint's tensors by their dotted path.
        grid: The patches that its position embeddings are for, if it has some.

    Returns:
        The network on the CPU, in evaluation mode.

    Raises:
        ModelError: The backbone does not take images of this size.
    """
    trunk = build_trunk(config, pretrained=False)
    state = trunk.state_dict()
    for own, name in found.names.items():
        value, wanted = tensors[name], state[own]
        if own == "pos_embed" and grid is not None:
            stride = config.patch_stride or grid.patch
            new = Grid.of(config.height, config.width, grid.patch, stride)
            value = resize_positions(value, grid, new, wanted.shape[1] - new.rows * new.columns)
        state[own] = value.reshape(wanted.shape)
    trunk.load_state_dict(state)
    return Network(trunk, config, _count_features(trunk, config)).eval()
