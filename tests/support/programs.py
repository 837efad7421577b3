"""Checkpoints as other programs of the field write them, with the features that they compute.

Each program's network is put together here from what its own source says, of torchvision's parts,
so that it is a second source for what `pul convert` makes of the checkpoint.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from torch import Tensor, nn

Features = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Program:
    """A checkpoint of a program.

    Attributes:
        content: What the program passes to `torch.save`.
        features: Its features (B, D) of normalised images (B, 3, H, W).
        origin: What `pul convert` calls it.
        settings: What `pul convert` must understand of it.
        left_out: Parts that it must name as left out.
    """

    content: Any
    features: Features
    origin: str
    settings: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def random_statistics(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give a network other statistics and scales than those it starts with; return it."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.2, generator=generator)
    return network.eval()


def _resnet(seed: int, *, last_stride: int = 1) -> Any:
    torch.manual_seed(seed)
    network = random_statistics(torchvision.models.resnet18(weights=None), seed)
    if last_stride == 1:
        network.layer4[0].conv1.stride = (1, 1)
        network.layer4[0].downsample[0].stride = (1, 1)
    return network


def _maps(network: Any, images: Tensor, *, relu: bool = True, pool: nn.Module | None = None) -> Any:
    maps = network.bn1(network.conv1(images))
    maps = (pool or network.maxpool)(maps.relu() if relu else maps)
    return network.layer4(network.layer3(network.layer2(network.layer1(maps))))


def _trunk(network: Any, prefix: str) -> dict[str, Tensor]:
    state = network.state_dict()
    return {prefix + n: v for n, v in state.items() if not n.startswith("fc.")}


def _sequential(network: Any, prefix: str, *, relu: bool) -> dict[str, Tensor]:
    stem = [network.conv1, network.bn1, *([network.relu] if relu else []), network.maxpool]
    stages = [network.layer1, network.layer2, network.layer3, network.layer4]
    state = nn.Sequential(*stem, *stages).state_dict()
    return {prefix + name: value for name, value in state.items()}


_LARGE = {"height": 256, "width": 128, "last_stride": 1}
_NECK = {"weight": torch.ones(512), "bias": torch.zeros(512)}


def bag_of_tricks() -> Program:
    network = _resnet(1)
    neck = {f"bottleneck.{name}": value for name, value in _NECK.items()}
    return Program(
        {**_trunk(network, "base."), **neck, "classifier.weight": torch.zeros(7, 512)},
        lambda images: _maps(network, images, relu=False).mean((2, 3)),
        "bag-of-tricks",
        {**_LARGE, "stem": "no_relu", "gem_p": 1.0},
        ("bottleneck (2 tensors)", "classifier (1 tensors)"),
    )


def fast_reid() -> Program:
    network = _resnet(2)
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    heads = {"heads.bottleneck.0.weight": torch.ones(512), "heads.weight": torch.zeros(7, 512)}
    pixel = {
        "pixel_mean": torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1),
        "pixel_std": torch.tensor([51.0, 57.12, 57.375]).view(1, 3, 1, 1),
    }
    mean = (0.485, 0.456, 0.406)
    p = {"heads.pool_layer.p": torch.tensor([3.0])}
    return Program(
        {"model": {**_trunk(network, "backbone."), **heads, **pixel, **p}, "iteration": 9},
        lambda x: _maps(network, x, pool=pool).clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3),
        "fast-reid",
        {**_LARGE, "stem": "ceil_pool", "mean": mean, "std": (0.2, 0.224, 0.225), "gem_p": 3.0},
        ("model.heads (3 tensors)", "model.pixel_mean (1 tensors)", "model.pixel_std (1 tensors)"),
    )


def cluster_contrast() -> Program:
    network = _resnet(3)
    neck = {f"module.feat_bn.{name}": value for name, value in _NECK.items()}
    state = {**_sequential(network, "module.base.", relu=True), **neck}
    return Program(
        {"state_dict": state, "epoch": 50, "best_mAP": np.float64(0.8)},
        lambda images: _maps(network, images).mean((2, 3)),
        "Cluster Contrast",
        {**_LARGE, "stem": "relu"},
        ("state_dict.module.feat_bn (2 tensors)",),
    )


def mmt() -> Program:
    network = _resnet(4)
    state = _sequential(network, "module.base.", relu=False)
    return Program(
        {"state_dict": {**state, "module.classifier.weight": torch.zeros(500, 512)}},
        lambda images: _maps(network, images, relu=False).mean((2, 3)),
        "MMT or SpCL",
        {**_LARGE, "stem": "no_relu"},
    )


def open_unreid() -> Program:
    student, teacher = _resnet(5), _resnet(6)
    nets = {"net.module.backbone.": student, "mean_net.module.backbone.": teacher}
    state = {n: v for prefix, net in nets.items() for n, v in _trunk(net, prefix).items()}
    state["net.module.classifier.weight"] = torch.zeros(7, 512)
    return Program(
        {"state_dict": state, "epoch": 3},
        lambda images: _maps(teacher, images).mean((2, 3)),
        "OpenUnReID",
        {**_LARGE, "stem": "relu"},
    )


def torchreid() -> Program:
    network = _resnet(7, last_stride=2)
    state = {**_trunk(network, ""), "classifier.weight": torch.zeros(7, 512)}
    return Program(
        {"state_dict": state, "epoch": 60, "rank1": np.float64(0.9), "optimizer": {"state": {}}},
        lambda images: _maps(network, images).mean((2, 3)),
        "torchreid",
        {"height": 256, "width": 128, "last_stride": 2},
    )


def moco() -> Program:
    query, key = _resnet(8, last_stride=2), _resnet(9, last_stride=2)
    nets = {"module.encoder_k.": key, "module.encoder_q.": query}
    state = {n: v for prefix, net in nets.items() for n, v in _trunk(net, prefix).items()}
    return Program(
        {"arch": "resnet18", "state_dict": {**state, "module.queue": torch.zeros(128, 8)}},
        lambda images: _maps(query, images).mean((2, 3)),
        "MoCo",
        {"height": 224, "width": 224, "last_stride": 2},
        ("state_dict.module.queue (1 tensors)",),
    )


def lightning() -> Program:
    network = _resnet(10, last_stride=2)
    content = {
        "pytorch-lightning_version": "2.5.0",
        "state_dict": _trunk(network, "my_encoder.net."),
        "hyper_parameters": Hyperparameters(),
    }
    return Program(content, lambda images: _maps(network, images).mean((2, 3)), "")


class Hyperparameters:
    """A class of the program's own, as Lightning stores beside the tensors."""

    def __init__(self) -> None:
        self.rate = 0.1


def _vit(seed: int) -> Any:
    torch.manual_seed(seed)
    return timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=(64, 32)).eval()


def transreid() -> Program:
    vit = _vit(11)
    state = {f"module.base.{name}": value for name, value in vit.state_dict().items()}
    neck = {f"module.bottleneck.{name}": torch.ones(192) for name in _NECK}
    return Program(
        {**state, **neck, "module.classifier.weight": torch.zeros(7, 192)},
        vit,
        "TransReID or TransReID-SSL",
        {"height": 64, "width": 32, "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
    )


def transreid_jpm() -> Program:
    vit = _vit(12)
    branch = copy.deepcopy(nn.Sequential(vit.blocks[-1], vit.norm))
    for parameter in branch.parameters():
        parameter.data += 0.1
    state = {f"base.{name}": value for name, value in vit.state_dict().items()}
    for name in ("b1", "b2"):
        state |= {f"{name}.{part}": value for part, value in branch.state_dict().items()}

    def features(images: Tensor) -> Tensor:
        tokens = vit.norm_pre(vit._pos_embed(vit.patch_embed(images)))
        for block in vit.blocks[:-1]:
            tokens = block(tokens)
        return branch(tokens)[:, 0]

    return Program(state, features, "TransReID or TransReID-SSL", {"height": 64, "width": 32})


def transreid_stride() -> Program:
    """TransReID's patches every 12 pixels of 256×128, and embeddings of six cameras."""
    vit = _vit(13)
    generator = torch.Generator().manual_seed(13)
    positions = torch.randn(1, 1 + 21 * 10, 192, generator=generator) * 0.02
    cameras = torch.randn(6, 1, 192, generator=generator) * 0.02
    own = {name: value for name, value in vit.state_dict().items() if name != "pos_embed"}
    state = {f"module.base.{name}": value for name, value in own.items()}
    state |= {"module.base.pos_embed": positions, "module.base.sie_embed": cameras}

    def features(images: Tensor) -> Tensor:
        pixels = nn.functional.unfold(images, 16, stride=12).transpose(1, 2)  # (B, 210, 768)
        patches = nn.functional.linear(
            pixels, own["patch_embed.proj.weight"].flatten(1), own["patch_embed.proj.bias"]
        )
        tokens = torch.cat([own["cls_token"].expand(len(images), -1, -1), patches], dim=1)
        tokens = tokens + positions + 3.0 * cameras.mean(dim=0)
        return vit.norm(vit.blocks(tokens))[:, 0]

    settings = {"height": 256, "width": 128, "patch_stride": 12}
    return Program(state, features, "TransReID or TransReID-SSL", settings)


PROGRAMS = {
    program.__name__: program
    for program in (
        *(bag_of_tricks, fast_reid, cluster_contrast, mmt, open_unreid, torchreid, moco),
        *(lightning, transreid, transreid_jpm, transreid_stride),
    )
}
