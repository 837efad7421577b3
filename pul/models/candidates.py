"""The networks that the checkpoints of re-ID people are for, and how each program names them."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import torch
from torch import Tensor

from pul.config import NetworkConfig
from pul.errors import ModelError
from pul.models.backbones import TIMM, build_trunk, has_timm
from pul.models.matching import Architecture, Match, Spelling, match, match_by_order
from pul.models.osnet import OSNET_WIDTHS
from pul.models.resnet_ibn import IBN_DEPTHS

OWN = Spelling("", lambda name: name)
SEQUENTIAL = Spelling("stages counted", lambda name: _count_stages(name, first=4))
SEQUENTIAL_NO_RELU = Spelling("stages counted, no ReLU", lambda name: _count_stages(name, first=3))
JPM = Spelling(
    "the global branch of TransReID's JPM",
    lambda name: _jpm(name),
    n_steps=2,
    unread=r"base\.blocks\.11\.",  # the branches have copies of it
)
CLIP = Spelling("CLIP", lambda name: _clip(name), is_reshaped=True)

_WIDTHS = (1.0, 0.75, 0.5, 0.35, 0.25, 0.1, 1.4)
_RESNETS = (
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    *("wide_resnet50_2", "wide_resnet101_2", "resnext50_32x4d", "resnext101_32x8d"),
    *IBN_DEPTHS,
)
_TIMM = (
    *(f"vit_{size}_patch16_224" for size in ("base", "small", "tiny", "large")),
    *(f"swin_{size}_patch4_window7_224" for size in ("tiny", "small", "base")),
    *("vit_small_patch14_dinov2", "vit_base_patch14_dinov2"),
    *("convnext_tiny", "convnext_small", "convnext_base"),
    *("tf_efficientnet_lite0", "efficientnet_b0", "mobilenetv3_large_100"),
)
_CLIP = ("vit_base_patch16_clip_quickgelu_224",)
# What some tensor's name holds, and the networks that are then tried: names of torchvision unless
# they start with `timm:`.
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("downsample.0.weight", _RESNETS),
    ("conv2a.conv1.weight", tuple(OSNET_WIDTHS)),
    ("features.", ("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0")),
    ("features.", ("densenet121", "convnext_tiny", "convnext_small", "swin_t", "swin_s")),
    ("branch2.", ("shufflenet_v2_x0_5", "shufflenet_v2_x1_0")),
    ("encoder_layer_0", ("vit_b_16", "vit_l_16")),
    ("resblocks.", tuple(TIMM + name for name in _CLIP)),
    ("blocks.0.", tuple(TIMM + name for name in (*_TIMM, *_CLIP))),
    ("stages.0.", tuple(TIMM + name for name in _TIMM if name.startswith("convnext"))),
)
_SPELLINGS = {"resnet": (OWN, SEQUENTIAL, SEQUENTIAL_NO_RELU), "vit": (JPM, OWN), "clip": (CLIP,)}


def find_networks(
    tensors: Mapping[str, Tensor], backbone: str = "", width_mult: float = 1.0, take: str = ""
) -> list[Match]:
    """Find the networks that a checkpoint may be for, the best match first.

    Args:
        tensors: The checkpoint's tensors by their dotted path.
        backbone: The network to look for; "" for all that are known.
        width_mult: Its width multiplier.
        take: What the prefix must contain, for one of several networks in a file.

    Raises:
        ModelError: There is no such backbone.
    """
    known = [_architecture(backbone, width_mult)] if backbone else list(_known(tensors))
    found = [
        one
        for architecture in known
        for spelling in _spellings(architecture.backbone)
        for one in match(tensors, architecture, spelling, take)
    ]
    found.sort(key=lambda one: one.quality, reverse=True)
    if not (found and found[0].is_complete):
        known += [] if backbone else [_architecture(TIMM + n, 1.0) for n in _TIMM if has_timm()]
        ordered = (match_by_order(tensors, architecture) for architecture in known)
        found = [one for one in ordered if one is not None] + found
    return found


def _known(tensors: Mapping[str, Tensor]) -> Iterator[Architecture]:
    for mark, backbones in _FAMILIES:
        if not any(mark in name for name in tensors):
            continue
        for backbone in backbones:
            if backbone.startswith(TIMM) and not has_timm():
                continue
            widths = _WIDTHS if backbone == "mobilenet_v2" else (1.0,)
            yield from (_architecture(backbone, width) for width in widths)


@cache
def _architecture(backbone: str, width_mult: float) -> Architecture:
    config = NetworkConfig(backbone=backbone, weights="none", width_mult=width_mult)
    try:
        with torch.device("meta"):  # shapes alone: no memory, no time
            trunk = build_trunk(config, pretrained=False)
    except (RuntimeError, NotImplementedError):  # what asks for values while it is built
        trunk = build_trunk(config, pretrained=False)
    return Architecture.of(trunk, backbone, width_mult)


def _spellings(backbone: str) -> tuple[Spelling, ...]:
    for word, spellings in _SPELLINGS.items():
        if word == "vit" and "_clip_" in backbone:
            return (OWN, CLIP)
        if word in backbone:
            return spellings
    return (OWN,)


def describe_nearest(found: list[Match]) -> str:
    """Return which network a checkpoint comes closest to, as a sentence."""
    hint = "" if has_timm() else " Networks of timm were not tried: `pip install timm`."
    if not found or not found[0].names:
        return f"Its tensors fit none of the networks that are known here.{hint}"
    return f"The nearest is this: {found[0].summary}.{hint}"


def require_complete(found: list[Match], origin: str) -> Match:
    """Return the best match, which must be whole.

    Raises:
        ModelError: None is; the nearest one is named.
    """
    if found and found[0].is_complete:
        return found[0]
    raise ModelError(
        f"{origin} is for no network that is known here. {describe_nearest(found)} Name the "
        "network with --backbone if it is another one of torchvision or timm (`timm:NAME`)."
    )


def _count_stages(name: str, *, first: int) -> str:
    """Return a ResNet's name where its parts are in a sequence: conv1, bn1, ..., layer1, ..."""
    top, _, rest = name.partition(".")
    if top in ("conv1", "bn1"):
        return f"{('conv1', 'bn1').index(top)}.{rest}"
    stage = re.fullmatch(r"layer(\d)", top)
    return f"{int(stage[1]) - 1 + first}.{rest}" if stage else name


def _jpm(name: str) -> str:
    """Return TransReID's name of its global branch, whose last block and norm are copies."""
    if name.startswith("blocks.11."):
        return name.replace("blocks.11.", "b1.0.")
    if name.startswith("norm."):
        return name.replace("norm.", "b1.1.")
    return f"base.{name}"


_CLIP_NAMES = (
    (r"^patch_embed\.proj\.", "conv1."),
    (r"^cls_token$", "class_embedding"),
    (r"^pos_embed$", "positional_embedding"),
    (r"^norm_pre\.", "ln_pre."),
    (r"^norm\.", "ln_post."),
    (r"^blocks\.(\d+)\.", r"transformer.resblocks.\1."),
    (r"\.norm([12])\.", r".ln_\1."),
    (r"\.attn\.qkv\.", ".attn.in_proj_"),
    (r"\.attn\.proj\.", ".attn.out_proj."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
)


def _clip(name: str) -> str:
    """Return CLIP's name of a tensor of timm's CLIP image encoder."""
    for pattern, replacement in _CLIP_NAMES:
        name = re.sub(pattern, replacement, name)
    return name
