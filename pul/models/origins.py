"""From which program a checkpoint is, and what that says of its network and its images."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pul.models.backbones import TIMM, timm_settings
from pul.models.candidates import CLIP, JPM, OWN, SEQUENTIAL, SEQUENTIAL_NO_RELU
from pul.models.matching import Match
from pul.models.positions import Grid, find_grid

_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
_HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
_OPENAI = {
    "mean": (0.48145466, 0.4578275, 0.40821073),
    "std": (0.26862954, 0.26130258, 0.27577711),
}
_PERSON = {"height": 256, "width": 128}
_SQUARE = {"height": 224, "width": 224}


@dataclass(frozen=True, slots=True)
class Origin:
    """A program that writes checkpoints.

    Attributes:
        title: Its name.
        settings: What its networks and images are like, as fields of `NetworkConfig`.
        is_known: Whether the names of the tensors say so; else the settings are an assumption.
    """

    title: str
    settings: Mapping[str, Any]
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class _Rule:
    """When a checkpoint is of a program."""

    title: str
    settings: Mapping[str, Any]
    holds: Callable[[Match, "_Names"], bool]


class _Names:
    """The names in a checkpoint that are no tensors of the network."""

    def __init__(self, found: Match, tensors: Mapping[str, Tensor]) -> None:
        self.others = [name for name in tensors if name not in set(found.names.values())]

    def have(self, pattern: str) -> bool:
        """Whether a name has a part that a pattern describes."""
        return any(re.search(rf"(^|\.){pattern}", name) for name in self.others)


def _is_resnet(found: Match) -> bool:
    return found.architecture.backbone.startswith(("resnet", "wide_resnet", "resnext"))


def _is_vit(found: Match) -> bool:
    return "pos_embed" in found.architecture.shapes


def _is_transreid(found: Match) -> bool:
    return found.spelling is JPM or (_is_vit(found) and found.prefix.endswith("base."))


def _is_clip_reid(found: Match) -> bool:
    return found.spelling is CLIP and found.prefix.endswith("image_encoder.")


_LARGE_MAPS = {**_PERSON, **_IMAGENET, "last_stride": 1}
_NO_RELU = {**_LARGE_MAPS, "stem": "no_relu"}
# The first that holds. How each program builds its network was read from its own source.
_RULES = (
    _Rule(
        "CLIP-ReID",
        {**_PERSON, **_HALF},
        lambda found, _: _is_clip_reid(found),
    ),
    _Rule("CLIP", {**_SQUARE, **_OPENAI}, lambda found, _: found.spelling is CLIP),
    _Rule(
        "TransReID or TransReID-SSL",
        {**_PERSON, **_HALF},
        lambda found, _: _is_transreid(found),
    ),
    _Rule("DINO", {**_SQUARE, **_IMAGENET}, lambda found, _: _is_vit(found) and _is_dino(found)),
    _Rule("MoCo", {**_SQUARE, **_IMAGENET}, lambda found, _: "encoder_q." in found.prefix),
    _Rule("Cluster Contrast", _LARGE_MAPS, lambda found, _: found.spelling is SEQUENTIAL),
    _Rule("MMT or SpCL", _NO_RELU, lambda found, _: found.spelling is SEQUENTIAL_NO_RELU),
    _Rule(
        "fast-reid",
        {**_LARGE_MAPS, "stem": "ceil_pool"},
        lambda found, names: (
            _is_resnet(found)
            and found.prefix.endswith("backbone.")
            and names.have(r"heads\.|pixel_mean")
        ),
    ),
    _Rule(
        "OpenUnReID",
        _LARGE_MAPS,
        lambda found, names: (
            _is_resnet(found)
            and found.prefix.endswith("backbone.")
            and names.have(r"(head\.|classifier\.)")
        ),
    ),
    _Rule(
        "bag-of-tricks",
        _NO_RELU,
        lambda found, names: (
            _is_resnet(found)
            and found.prefix.endswith("base.")
            and names.have(r"(bottleneck|classifier)\.")
        ),
    ),
    _Rule(
        "torchreid",
        {**_PERSON, **_IMAGENET},
        lambda found, _: found.architecture.backbone.startswith("osnet"),
    ),
    _Rule(
        "torchreid, with a fully connected layer",
        {**_LARGE_MAPS},
        lambda found, names: _is_resnet(found) and names.have(r"fc\.1\.running_mean"),
    ),
    _Rule(
        "torchreid",
        {**_PERSON, **_IMAGENET},
        lambda found, names: (
            _is_resnet(found)
            and found.spelling is OWN
            and names.have(r"classifier\.weight$")
            and not names.have(r"bottleneck")
        ),
    ),
    _Rule(
        "Person_reID_baseline_pytorch",
        {**_PERSON, **_IMAGENET},
        lambda _, names: names.have(r"classifier\.(add_block|classifier)\."),
    ),
    _Rule(
        "IBN-Net",
        {**_SQUARE, **_IMAGENET},
        lambda found, names: "_ibn_a" in found.architecture.backbone and names.have(r"fc\.weight$"),
    ),
    _Rule(
        "torchvision",
        {**_SQUARE, **_IMAGENET},
        lambda found, names: (
            not found.architecture.backbone.startswith(TIMM)
            and names.have(r"(fc|classifier|classifier\.\d|heads?|heads\.head)\.weight$")
        ),
    ),
)


def find_origin(found: Match, tensors: Mapping[str, Tensor], grid: Grid | None = None) -> Origin:
    """Return which program wrote a checkpoint, and what that says of its network and images.

    Args:
        found: The network.
        tensors: The checkpoint's tensors by their dotted path.
        grid: What `read_grid` returned.
    """
    names = _Names(found, tensors)
    size = _size_of_grid(grid)
    backbone = found.architecture.backbone
    for rule in _RULES:
        if rule.holds(found, names):
            return Origin(rule.title, {**rule.settings, **size})
    if backbone.startswith(TIMM):
        settings = {**timm_settings(backbone), **size}
        return Origin("timm", settings, names.have(r"(head|fc|classifier)\.") or _is_vit(found))
    return Origin("", {**_SQUARE, **_IMAGENET}, is_known=False)


def stored_settings(found: Match, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what a checkpoint itself says: mean and std in older ones of fast-reid, GeM's p."""
    settings: dict[str, Any] = {}
    for name, tensor in tensors.items():
        kind = re.search(r"(^|\.)pixel_(mean|std)$", name)
        if kind and tensor.numel() == 3:
            scale = 255.0 if float(tensor.max()) > 1.0 else 1.0
            settings[kind[2]] = tuple(round(float(x) / scale, 6) for x in tensor.flatten())
        is_pooling = re.search(r"(^|\.)(gap|global_pooling|pool_layer|pool|gem)\.p$", name)
        if is_pooling and tensor.numel() == 1 and _is_resnet(found):
            settings["gem_p"] = round(float(tensor), 6)
    return settings


def _is_dino(found: Match) -> bool:
    return bool(re.search(r"(^|\.)(teacher|student)\.", found.prefix))


def read_grid(found: Match, tensors: Mapping[str, Tensor], **asked: int) -> Grid | None:
    """Return the patches that the position embeddings of a ViT are for; None for other networks.

    Args:
        found: The network.
        tensors: The checkpoint's tensors by their dotted path.
        asked: `height`, `width` and `stride` that somebody named.

    Raises:
        ModelError: They are of no grid that is known.
    """
    if "pos_embed" not in found.names:
        return None
    shapes = found.architecture.shapes
    patch, n_extra = shapes["patch_embed.proj.weight"][-1], int("cls_token" in shapes)
    n_patches = tensors[found.names["pos_embed"]].shape[-2] - n_extra
    is_reid = _is_transreid(found) or _is_clip_reid(found)
    return find_grid(n_patches, patch, is_reid=is_reid, **asked)


def _size_of_grid(grid: Grid | None) -> dict[str, int]:
    if grid is None:
        return {}
    size = {"height": grid.height, "width": grid.width}
    return {**size, "patch_stride": grid.stride} if grid.is_overlapping else size
