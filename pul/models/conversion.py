"""A start model from the weights of another program, without any training."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from pul.config import NetworkConfig
from pul.errors import ModelError
from pul.models.backbones import HUB, TIMM, timm_settings
from pul.models.camera_embeddings import CameraEmbeddings, build_in, find_camera_embeddings
from pul.models.candidates import describe_nearest, find_networks, require_complete
from pul.models.matching import Match
from pul.models.network import Network, network_of, save_network
from pul.models.origins import Origin, find_origin, read_grid, stored_settings
from pul.models.weights import read_tensors

_SETTINGS = ("height", "width", "mean", "std", "last_stride", "stem", "gem_p", "patch_stride")
# Parts behind the pooled features; a network is whole without them.
_HEADS = re.compile(
    r"_?(fc|classifier\w*|heads?|bottleneck\w*|feat|feat_bn|bn|neck|projector|predictor|projection"
    r"|pixel_mean|pixel_std|gap|global_pooling|queue\w*|b[1-9]|proj|text_\w+|prompt_\w+|norm|logit"
    r"_scale|criterion\w*|loss\w*|optimizer\w*|memory|head_dist|pre_logits|aux\w*|last_layer)"
)
_NECKS = re.compile(r"(^|\.)(bottleneck|feat_bn|bnneck)(\.|$)")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was understood of a checkpoint.

    Attributes:
        path: The start model that was written.
        weights: The checkpoint, or the name of published weights.
        origin: The program that wrote it; "" where nothing says so.
        backbone, width_mult: The network.
        height, width, mean, std, last_stride, stem, gem_p, patch_stride: As in `NetworkConfig`.
        n_features: Feature dimensions, D.
        n_tensors: Tensors that were taken.
        prefix: What stood before their names and was taken off.
        spelling: How they were named, unless by the network's own names.
        left_out: What the checkpoint has beside the network, and how many tensors of it.
        other_networks: Prefixes of other networks in the file that would fit as well.
        also_fits: Other backbones that have tensors of the same names and shapes.
        notes: What to know, as sentences: what was assumed, and what the features lack.
    """

    path: Path
    weights: str
    origin: str
    backbone: str
    width_mult: float
    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    last_stride: int
    stem: str
    gem_p: float
    patch_stride: int
    n_features: int
    n_tensors: int
    prefix: str = ""
    spelling: str = ""
    left_out: tuple[str, ...] = ()
    other_networks: tuple[str, ...] = ()
    also_fits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def describe(self) -> list[str]:
        """Return what was understood, a line a point."""
        mean, std = (" ".join(f"{x:.4g}" for x in each) for each in (self.mean, self.std))
        width = f", width_mult {self.width_mult:g}" if self.width_mult != 1.0 else ""
        details = [
            f"{self.n_tensors:,} tensors",
            f"{self.prefix!r} taken off their names" if self.prefix else "",
            f"named as in: {self.spelling}" if self.spelling else "",
        ]
        lines = [
            f"Network: {self.backbone}{width} ({', '.join(filter(None, details))})",
            f"Origin: {self.origin or 'unknown'}",
            f"Images: {self.height}×{self.width}, mean {mean}, std {std}",
        ]
        if (self.last_stride, self.stem) != (2, "relu"):
            lines.append(f"Last stride {self.last_stride}, stem {self.stem}")
        if self.gem_p != 1.0:
            lines.append(f"Generalised-mean pooling, p = {self.gem_p:g}")
        if self.patch_stride:
            lines.append(f"Patches overlap: one every {self.patch_stride} pixels")
        if self.left_out:
            lines.append(f"Left out: {', '.join(self.left_out)}")
        if self.other_networks:
            lines.append(
                f"Also in the file: {', '.join(map(repr, self.other_networks))}; --take chooses"
            )
        if self.also_fits:
            lines.append(f"Also fits: {', '.join(self.also_fits)}; --backbone chooses")
        lines += [f"Note: {note}" for note in self.notes]
        return [*lines, f"{self.n_features:,} features: {self.path}"]


def convert_weights(
    weights: str,
    path: Path,
    *,
    backbone: str = "",
    width_mult: float = 1.0,
    take: str = "",
    sie_weight: float | None = None,
    **settings: Any,
) -> Conversion:
    """Make a start model of the weights of another program, and say what was understood.

    Args:
        weights: A checkpoint of any program; or `timm:NAME`, `hf-hub:OWNER/NAME` or the name of a
            network of torchvision, whose published weights are then downloaded.
        path: File to write, .safetensors; replaced if it is there.
        backbone: The network; "" to find it out.
        width_mult: Its width multiplier.
        take: Part of the prefix of the network to take, where a file has several.
        sie_weight: What camera embeddings are multiplied by before their mean is built in; None for
            what their program publishes, 0 to leave them out.
        settings: Fields of `NetworkConfig` that are known better than by their origin: `height`,
            `width`, `mean`, `std`, `last_stride`, `stem`, `gem_p`, `patch_stride`. None leaves them
            to the origin.

    Raises:
        ModelError: The file is no checkpoint, or for no known network; or the output cannot be
            written.
        ConfigError: A setting is not allowed.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    if not Path(weights).exists() and _is_published(weights):
        return _convert_published(weights, path, chosen)
    source = Path(weights)
    if path.resolve() == source.resolve():
        raise ModelError(f"{path} is the checkpoint itself; give --out another name.")
    tensors = read_tensors(source)
    found = find_networks(tensors, backbone, width_mult, take)
    best = _choose(found, tensors, backbone, take, weights)
    try:
        network, origin = _build(best, tensors, source.name, chosen, sie_weight)
    except ModelError as error:
        raise ModelError(f"{weights}: {error}") from error
    save_network(network, path)
    cameras = find_camera_embeddings(best, tensors, sie_weight)
    return _report(path, network, origin, found, tensors, chosen, cameras)


def _build(
    best: Match,
    tensors: Mapping[str, Tensor],
    name: str,
    chosen: Mapping[str, Any],
    sie_weight: float | None,
) -> tuple[Network, Origin]:
    asked = {field: chosen.get(field) or 0 for field in ("height", "width")}
    grid = read_grid(best, tensors, **asked, stride=chosen.get("patch_stride") or 0)
    origin = find_origin(best, tensors, grid)
    known = {**origin.settings, **stored_settings(best, tensors)}
    config = NetworkConfig(
        backbone=best.architecture.backbone,
        width_mult=best.architecture.width_mult,
        weights=name,
        **{**known, **chosen},
    )
    cameras = find_camera_embeddings(best, tensors, sie_weight)
    whole = build_in(cameras, best, tensors) if cameras else tensors
    return network_of(config, best, whole, grid), origin


def _is_published(weights: str) -> bool:
    return weights.startswith((TIMM, HUB)) or re.fullmatch(r"[a-z0-9_]+", weights) is not None


def _convert_published(weights: str, path: Path, chosen: Mapping[str, Any]) -> Conversion:
    from pul.models.network import build_network

    is_timm = weights.startswith((TIMM, HUB))
    known = timm_settings(weights) if is_timm else {}
    config = NetworkConfig(backbone=weights, **{**known, **chosen})
    network = build_network(config)
    save_network(network, path)
    origin = Origin("timm" if is_timm else "torchvision", known)
    return _describe(path, network, origin, n_tensors=len(network.state_dict()))


def _choose(
    found: list[Match], tensors: Mapping[str, Tensor], backbone: str, take: str, weights: str
) -> Match:
    if found and found[0].is_complete:
        return found[0]
    if take and not any(take in name for name in tensors):
        raise ModelError(f"{weights} has no tensor with {take!r} in its name.")
    if not backbone:
        return require_complete(found, weights)
    known = find_networks(tensors, take=take)
    hint = describe_nearest(known)
    if known and known[0].is_complete:
        hint = f"{known[0].summary[:1].upper()}{known[0].summary[1:]}: use that."
    own = found[0].summary if found else f"0 tensors fit {backbone}"
    raise ModelError(f"{weights} is not for {backbone}: {own}. {hint}")


def _report(
    path: Path,
    network: Network,
    origin: Origin,
    found: list[Match],
    tensors: Mapping[str, Tensor],
    chosen: Mapping[str, Any],
    cameras: CameraEmbeddings | None,
) -> Conversion:
    best, complete = found[0], [one for one in found if one.is_complete]
    same = [one for one in complete if one.architecture is best.architecture]
    others = tuple(dict.fromkeys(one.prefix for one in same if one.prefix != best.prefix))
    size = len(best.names)
    also = {one.architecture.backbone for one in complete if len(one.names) == size}
    used = {cameras.name} if cameras else set()
    left = _left_out(best, [name for name in tensors if name not in used], others)
    notes = _notes(best, origin, left, chosen, network.config)
    notes += (cameras.note,) if cameras else ()
    return _describe(
        path,
        network,
        origin,
        n_tensors=len(best.names),
        prefix=best.prefix,
        spelling=best.spelling.title,
        left_out=tuple(f"{part} ({n} tensors)" for part, n in left.items()),
        other_networks=others,
        also_fits=tuple(sorted(also - {best.architecture.backbone})),
        notes=notes,
    )


def _describe(path: Path, network: Network, origin: Origin, **understood: Any) -> Conversion:
    config = network.config
    return Conversion(
        path=path,
        weights=config.weights if config.weights != "torchvision" else config.backbone,
        origin=origin.title,
        backbone=config.backbone,
        width_mult=config.width_mult,
        **{name: getattr(config, name) for name in _SETTINGS},
        n_features=network.n_features,
        **understood,
    )


def _left_out(best: Match, names: Collection[str], others: tuple[str, ...]) -> dict[str, int]:
    """Return the parts of a checkpoint that are not taken, and their numbers of tensors."""
    taken = set(best.names.values())
    parts: dict[str, int] = {}
    for name in names:
        is_other = any(name.startswith(other) for other in others if other)
        if name in taken or is_other or name.endswith("num_batches_tracked"):
            continue
        part = _part_beside(name, best.prefix)
        parts[part] = parts.get(part, 0) + 1
    return parts


def _part_beside(name: str, prefix: str) -> str:
    """Return the part that a tensor is of: the first step of its name that the prefix lacks."""
    steps, common = name.split("."), prefix.split(".")
    n_same = 0
    while n_same < len(steps) - 1 and steps[n_same] == common[min(n_same, len(common) - 1)]:
        n_same += 1
    return ".".join(steps[: n_same + 1])


def _notes(
    best: Match,
    origin: Origin,
    left: Mapping[str, int],
    chosen: Mapping[str, Any],
    config: NetworkConfig,
) -> tuple[str, ...]:
    notes = []
    is_resnet = "layer4.0.conv1.weight" in best.architecture.shapes
    settings = _SETTINGS[:-1] if is_resnet else _SETTINGS[:4]
    assumed = [name for name in settings if name not in chosen]
    if not origin.is_known and assumed:
        values = ", ".join(f"--{name.replace('_', '-')} {_plain(config, name)}" for name in assumed)
        notes.append(f"Nothing in the file says these, so they are assumed: {values}.")
    elif origin.title and {"last_stride", "stem"} & set(origin.settings) - set(chosen):
        notes.append(
            f"Last stride {config.last_stride} and stem {config.stem!r} are those of "
            f"{origin.title}'s code; weights do not show them. Other values: --last-stride, --stem."
        )
    if "patch_stride" in origin.settings and "patch_stride" not in chosen:
        stride, size = origin.settings["patch_stride"], f"{config.height}×{config.width}"
        notes.append(
            f"That patches are {stride} pixels apart on {size} images is told by their number. "
            "Other values: --height, --width, --patch-stride."
        )
    if best.spelling.title == "other names in the same order":
        first = next(iter(best.names))
        notes.append(
            f"No name fits: tensors were matched by their order, kinds and shapes alone "
            f"({best.names[first]} → {first}, ...). Check that this is {config.backbone}."
        )
    inside = [part for part in left if _is_inside(part, best.prefix)]
    if inside:
        notes.append(
            f"{', '.join(inside)}: parts of the network in its own program that "
            f"{config.backbone} does not have. Features differ from the original's."
        )
    if any(_NECKS.search(part) for part in left):
        notes.append("Features are those before the BN neck, which is left out.")
    return tuple(notes)


def _plain(config: NetworkConfig, name: str) -> str:
    value = getattr(config, name)
    return " ".join(f"{x:g}" for x in value) if isinstance(value, tuple) else str(value)


def _is_inside(part: str, prefix: str) -> bool:
    """Whether a part lies among the network's own, and is none that follows the features."""
    return part.startswith(prefix) and not _HEADS.fullmatch(part.removeprefix(prefix))
