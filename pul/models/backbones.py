"""Networks without their classifier: torchvision's, timm's, and two that re-ID people use."""

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.error import URLError

import torch
import torchvision
from torch import nn

from pul.config import NetworkConfig
from pul.errors import ModelError
from pul.models.osnet import OSNET_WIDTHS, build_osnet
from pul.models.pooling import set_pooling
from pul.models.positions import set_patch_stride
from pul.models.resnet_ibn import IBN_DEPTHS, build_resnet_ibn

TIMM = "timm:"
HUB = "hf-hub:"
_HEADS = ("fc", "classifier", "heads", "head")  # what torchvision calls the classifier of a family
_OWN: dict[str, Callable[[str], nn.Module]] = {
    **dict.fromkeys(OSNET_WIDTHS, build_osnet),
    **dict.fromkeys(IBN_DEPTHS, build_resnet_ibn),
}


def build_trunk(config: NetworkConfig, *, pretrained: bool) -> nn.Module:
    """Build a backbone whose output is its pooled features.

    Args:
        config: Backbone and input size; the weights that it names are not read.
        pretrained: Whether to download the published ImageNet weights; else they are random.

    Returns:
        What maps images (B, 3, H, W) to features (B, D), on the CPU.

    Raises:
        ModelError: There is no such backbone, or its weights cannot be downloaded or read.
    """
    if config.backbone.startswith((TIMM, HUB)):
        model = _build_timm(config, pretrained=pretrained)
    elif config.backbone in _OWN:
        if pretrained:
            raise ModelError(
                f"No ImageNet weights of {config.backbone} can be downloaded from here. Download "
                "them from the authors' page and name the file as weights, or ask for 'none'."
            )
        model = _OWN[config.backbone](config.backbone)
    else:
        model = _build_torchvision(config, pretrained=pretrained)
    _set_last_stride(model, config)
    _set_stem(model, config)
    model = set_pooling(model, config)
    if config.patch_stride:
        set_patch_stride(model, config.patch_stride, config.backbone)
    return model


def _build_torchvision(config: NetworkConfig, *, pretrained: bool) -> nn.Module:
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
            "mobilenet_v2, mobilenet_v3_large, shufflenet_v2_x1_0, convnext_tiny, "
            f"{', '.join(_OWN)}, or a name of timm's with `timm:` before it."
        ) from error
    head = next((name for name in _HEADS if hasattr(model, name)), None)
    if head is None:
        raise ModelError(f"{config.backbone} has no classifier that could be taken off.")
    setattr(model, head, nn.Flatten(1))  # ConvNeXt's head flattens too; elsewhere it does nothing
    return model


def has_timm() -> bool:
    """Whether timm is installed."""
    return importlib.util.find_spec("timm") is not None


@cache
def import_timm() -> Any:
    """Return the package timm.

    Raises:
        ModelError: It is not installed.
    """
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise ModelError(
            "Backbones of timm need the package timm, which is not installed: `pip install timm`."
        ) from error


def timm_settings(backbone: str) -> dict[str, Any]:
    """Return the input size, mean and std that a network of timm was trained with.

    Args:
        backbone: Its name, with `timm:` or `hf-hub:` before it.

    Raises:
        ModelError: timm is not installed, has no such network, or the hub cannot be reached.
    """
    timm = import_timm()
    try:
        if backbone.startswith(HUB):
            published, *_ = timm.models.load_model_config_from_hf(backbone.removeprefix(HUB))
        else:
            published = timm.get_pretrained_cfg(backbone.removeprefix(TIMM), False).to_dict()
    except Exception as error:  # the hub's client has a tree of its own
        raise _timm_error(timm, backbone, error) from error
    height, width = published["input_size"][1:]
    return {
        "height": height,
        "width": width,
        "mean": tuple(published["mean"]),
        "std": tuple(published["std"]),
    }


def _build_timm(config: NetworkConfig, *, pretrained: bool) -> nn.Module:
    if config.width_mult != 1.0:
        raise ModelError(f"{config.backbone} has no width_mult; timm has a name for each width.")
    timm = import_timm()
    name = config.backbone.removeprefix(TIMM)
    options: dict[str, Any] = {"pretrained": pretrained, "num_classes": 0}
    try:
        try:  # transformers are built for a size; timm resizes their position embeddings to it
            size = (config.height, config.width)
            model: nn.Module = timm.create_model(name, img_size=size, **options)
        except TypeError:  # convolutions take any size
            model = timm.create_model(name, **options)
    except Exception as error:  # its own, and those of the hub's client
        if isinstance(error, AssertionError | ValueError) and timm.is_model(name):
            raise wrong_size(config, error) from error
        raise _timm_error(timm, config.backbone, error) from error
    return model


def wrong_size(config: NetworkConfig, error: Exception) -> ModelError:
    """Return what to raise where a backbone does not take images of the config's size."""
    text = f"{config.backbone} does not take {config.height}×{config.width} images"
    reason = " ".join(str(error).split())[:200].rstrip(".")
    text += f" ({reason})." if reason else "."
    if config.backbone.startswith((TIMM, HUB)):
        published = timm_settings(config.backbone)
        text += f" It was made for {published['height']}×{published['width']} ones."
    return ModelError(text)


def _timm_error(timm: Any, backbone: str, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())[:200]
    name = backbone.removeprefix(TIMM)
    if not backbone.startswith(HUB) and not timm.is_model(name):
        near = timm.list_models(f"*{name.split('_')[0]}*")[:4]
        hint = f" Try {', '.join(TIMM + other for other in near)}." if near else ""
        return ModelError(f"timm {timm.__version__} has no network {name!r}.{hint}")
    if isinstance(error, AssertionError | ValueError) and not isinstance(error, OSError):
        return ModelError(f"timm cannot build {backbone}: {reason}")
    return ModelError(
        f"{backbone} could not be downloaded from huggingface.co ({type(error).__name__}: {reason})"
        ". Download its weights on a machine that is online and name the file: "
        "`python -m pul convert FILE --backbone timm:NAME`."
    )


def _set_last_stride(model: nn.Module, config: NetworkConfig) -> None:
    if config.last_stride == 2:
        return
    stage = getattr(model, "layer4", None)
    if not isinstance(stage, nn.Sequential):
        raise ModelError(
            f"{config.backbone} is no ResNet: its last stride cannot be {config.last_stride}."
        )
    for module in stage[0].modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (1, 1)


def _set_stem(model: nn.Module, config: NetworkConfig) -> None:
    if config.stem == "relu":
        return
    if not (hasattr(model, "relu") and hasattr(model, "maxpool")):
        raise ModelError(f"{config.backbone} is no ResNet: it has no stem {config.stem!r}.")
    if config.stem == "no_relu":
        model.relu = nn.Identity()  # the blocks have their own
    else:
        model.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
