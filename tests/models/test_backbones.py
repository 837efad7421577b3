"""Backbones that are not torchvision's: timm's, OSNet, ResNet-IBN-a."""

import importlib
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from torch import nn

from pul.config import NetworkConfig
from pul.errors import ModelError
from pul.models.backbones import timm_settings
from pul.models.conversion import convert_weights
from pul.models.network import build_network, load_network, save_network
from pul.models.osnet import build_osnet
from pul.models.resnet_ibn import InstanceBatchNorm, build_resnet_ibn
from tests.support.networks import assert_close_features
from tests.support.programs import random_statistics


def config(backbone: str, height: int = 64, width: int = 32, **settings: object) -> NetworkConfig:
    return NetworkConfig(backbone=backbone, weights="none", height=height, width=width, **settings)


def n_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


# OSNet


@pytest.mark.parametrize(
    ("name", "millions"), [("osnet_x1_0", 2.2), ("osnet_x0_75", 1.3), ("osnet_x0_5", 0.6),
                           ("osnet_x0_25", 0.2)]
)  # fmt: skip
def test_build_osnet__is_of_the_published_size(name: str, millions: float) -> None:
    network = build_osnet(name)
    assert round(n_parameters(network) / 1e6, 1) == millions  # Table 6 of the paper
    with torch.no_grad():
        assert network.eval()(torch.zeros(2, 3, 256, 128)).shape == (2, 512)


def test_build_osnet__names_are_those_of_the_published_weights() -> None:
    shapes = {
        name: tuple(value.shape) for name, value in build_osnet("osnet_x1_0").named_parameters()
    }
    for name, shape in {
        "conv1.conv.weight": (64, 3, 7, 7),
        "conv2.0.conv1.bn.weight": (64,),
        "conv2.0.conv2a.conv2.weight": (64, 1, 3, 3),
        "conv2.0.conv2d.3.conv1.weight": (64, 64, 1, 1),
        "conv2.0.gate.fc1.weight": (4, 64, 1, 1),
        "conv2.0.conv3.conv.weight": (256, 64, 1, 1),
        "conv2.0.downsample.conv.weight": (256, 64, 1, 1),
        "conv2.2.0.conv.weight": (256, 256, 1, 1),
        "conv4.1.conv2c.2.bn.bias": (128,),
        "conv5.conv.weight": (512, 512, 1, 1),
        "fc.0.weight": (512, 512),
        "fc.1.bias": (512,),
    }.items():
        assert shapes[name] == shape, name
    assert not any(name.startswith("classifier") for name in shapes)


def test_build_osnet__a_block_by_hand() -> None:
    """Where every stream is an identity, a block is ReLU(x + 4·gate·x), with a gate of σ(bias)."""
    block = build_osnet("osnet_x0_25").conv2[1].eval()  # 64 channels in and out, 16 in the middle
    nn.init.dirac_(block.conv1.conv.weight)
    for stream in (block.conv2a, *block.conv2b, *block.conv2c, *block.conv2d):
        nn.init.dirac_(stream.conv1.weight)
        stream.conv2.weight.data.zero_()[:, 0, 1, 1] = 1.0
    nn.init.zeros_(block.gate.fc2.weight)
    nn.init.constant_(block.gate.fc2.bias, 1.0)
    nn.init.dirac_(block.conv3.conv.weight)
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0
    maps = torch.full((1, 64, 5, 5), 2.0)
    with torch.no_grad():
        out = block(maps)
    gated = 2.0 + 4 * 2.0 / (1 + torch.e**-1)  # the first 16 channels pass through the middle
    torch.testing.assert_close(out[:, :16], torch.full((1, 16, 5, 5), gated))
    torch.testing.assert_close(out[:, 16:], maps[:, 16:])


# ResNet-IBN-a


def test_instance_batch_norm__each_half_by_its_own() -> None:
    layer = random_statistics(InstanceBatchNorm(4))
    maps = torch.randn(2, 4, 5, 3)
    first = maps[:, :2]
    spread = first.var((2, 3), unbiased=False, keepdim=True)
    styled = (first - first.mean((2, 3), keepdim=True)) / (spread + 1e-5).sqrt()
    with torch.no_grad():
        normalised = layer(maps)
        torch.testing.assert_close(normalised[:, :2], styled)
        torch.testing.assert_close(normalised[:, 2:], layer.BN(maps[:, 2:]))


def test_build_resnet_ibn__is_resnet_50_but_for_its_norms() -> None:
    own, plain = build_resnet_ibn("resnet50_ibn_a"), torchvision.models.resnet50(weights=None)
    assert n_parameters(own) == n_parameters(plain) - n_parameters(plain.fc)
    names = set(own.state_dict())
    assert {"layer1.0.bn1.IN.weight", "layer3.5.bn1.BN.running_mean"} <= names
    assert "layer4.0.bn1.weight" in names  # the last stage is not split
    assert "layer1.0.bn2.weight" in names
    built = build_network(config("resnet50_ibn_a", last_stride=1))
    assert built.n_features == 2048


# Stride and stem


def test_last_stride__the_last_maps_are_twice_as_large(tmp_path: Path) -> None:
    sizes = {}
    for stride in (1, 2):
        network = build_network(config("resnet18", last_stride=stride))
        network.trunk.layer4.register_forward_hook(
            lambda *args, stride=stride: sizes.__setitem__(stride, tuple(args[2].shape[2:]))
        )
        with torch.no_grad():
            network(torch.zeros(1, 3, 64, 32))
    assert sizes == {1: (4, 2), 2: (2, 1)}
    network = build_network(config("resnet18", last_stride=1, stem="ceil_pool", gem_p=3.0))
    save_network(network, tmp_path / "m.safetensors")
    again = load_network(tmp_path / "m.safetensors")
    images = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        assert torch.equal(network(images), again(images))


@pytest.mark.parametrize("settings", [{"last_stride": 1}, {"stem": "no_relu"}])
def test_build_network__settings_of_resnets_on_another_network(settings: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="mobilenet_v2 is no ResNet"):
        build_network(config("mobilenet_v2", **settings))


# timm


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [
        ("vit_tiny_patch16_224", 256, 128),
        ("swin_tiny_patch4_window7_224", 224, 112),
        ("resnet18", 96, 48),
        ("mobilenetv3_small_050", 128, 64),
        ("edgenext_xx_small", 128, 64),
    ],
)
def test_build_network__timm_at_any_size(
    tmp_path: Path, name: str, height: int, width: int
) -> None:
    torch.manual_seed(0)
    network = build_network(config(f"timm:{name}", height, width))
    images = torch.randn(2, 3, height, width)
    with torch.inference_mode():
        features = network(images)
        pooled = network.trunk.forward_head(network.trunk.forward_features(images), pre_logits=True)
    assert torch.equal(features, pooled)  # the model's own pooling
    assert features.shape == (2, network.trunk.num_features) or features.shape[1] == pooled.shape[1]
    save_network(network, tmp_path / "m.safetensors")
    with torch.inference_mode():
        assert torch.equal(load_network(tmp_path / "m.safetensors")(images), features)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "tf_efficientnet_lite0", "convnext_tiny"])
def test_convert_weights__timms_own_features(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    original = random_statistics(timm.create_model(name))
    torch.save(original.state_dict(), tmp_path / "w.pth")
    done = convert_weights(str(tmp_path / "w.pth"), tmp_path / "m.safetensors")
    assert (done.backbone, done.origin) == (f"timm:{name}", "timm")
    published = timm_settings(f"timm:{name}")
    assert {key: getattr(done, key) for key in published} == published
    images = torch.randn(1, 3, done.height, done.width)
    with torch.inference_mode():
        expected = original.forward_head(original.forward_features(images), pre_logits=True)
        assert_close_features(load_network(done.path)(images), expected)


def test_convert_weights__position_embeddings_are_resized_as_timm_does(tmp_path: Path) -> None:
    torch.manual_seed(2)
    original = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    torch.save(original.state_dict(), tmp_path / "w.pth")
    size = (256, 128)
    done = convert_weights(
        str(tmp_path / "w.pth"), tmp_path / "m.safetensors", height=size[0], width=size[1]
    )
    resized = timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=size)
    filtered = timm.models.vision_transformer.checkpoint_filter_fn(original.state_dict(), resized)
    resized.load_state_dict(filtered)
    images = torch.randn(1, 3, *size)
    with torch.inference_mode():
        expected = resized.eval()(images)
        assert_close_features(load_network(done.path)(images), expected)


def test_convert_weights__other_names_in_the_same_order_are_said(tmp_path: Path) -> None:
    torch.manual_seed(3)
    original = random_statistics(timm.create_model("tf_efficientnet_lite0"))
    state = original.state_dict()
    renamed = {f"_part{n}.{k.rpartition('.')[2]}": v for n, (k, v) in enumerate(state.items())}
    torch.save(renamed, tmp_path / "w.pth")
    done = convert_weights(str(tmp_path / "w.pth"), tmp_path / "m.safetensors")
    assert done.backbone == "timm:tf_efficientnet_lite0"
    assert any("order, kinds and shapes alone" in note for note in done.notes)
    own = load_network(done.path).trunk.state_dict()
    assert all(torch.equal(own[name], state[name]) for name in own)


def test_convert_weights__clip_is_named_as_timm_reads_it(tmp_path: Path) -> None:
    """timm's own filter turns CLIP's names into its own: the second source of our names."""
    from pul.models.candidates import CLIP

    with torch.device("meta"):
        model = timm.create_model("vit_base_patch16_clip_quickgelu_224", num_classes=0)
    state = model.state_dict()
    theirs = {f"visual.{CLIP.spell(name)}": value for name, value in state.items()}
    theirs["visual.class_embedding"] = state["cls_token"][0, 0]
    theirs["visual.positional_embedding"] = state["pos_embed"][0]
    back = timm.models.vision_transformer.checkpoint_filter_fn(theirs, model)
    assert {name: value.shape for name, value in back.items()} == {
        name: value.shape for name, value in state.items()
    }


def test_build_network__an_unknown_name_of_timm() -> None:
    with pytest.raises(ModelError, match=r"no network 'resnet51'.*timm:resnet"):
        build_network(config("timm:resnet51"))


def test_build_network__timm_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from pul.models import backbones

    def gone(name: str) -> object:
        raise ImportError(name)

    backbones.import_timm.cache_clear()
    monkeypatch.setattr(importlib, "import_module", gone)
    with pytest.raises(ModelError, match="pip install timm"):
        build_network(config("timm:resnet18"))


@pytest.mark.parametrize("name", ["hf-hub:someone/reid-vit", "timm:resnet18.a1_in1k"])
def test_build_network__the_hub_offline(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The hub's own client, told that there is no network: it does not try for a minute.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"(?s)could not be downloaded.*pul convert FILE"):
        convert_weights(name, tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()
