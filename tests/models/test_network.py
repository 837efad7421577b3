import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.transforms import functional as transforms

from pul.config import HeadConfig, NetworkConfig
from pul.errors import ModelError
from pul.models.network import (
    build_network,
    load_network,
    read_network_config,
    save_network,
    with_head,
)
from pul.models.pooling import GeneralizedMeanPooling
from tests.support.networks import TINY, assert_close_features, tiny_network
from tests.support.programs import random_statistics


@pytest.mark.parametrize(
    ("backbone", "n_features"),
    [
        ("resnet18", 512),
        ("resnet50", 2048),
        ("mobilenet_v2", 1280),
        ("mobilenet_v3_small", 576),
        ("shufflenet_v2_x0_5", 1024),
        ("convnext_tiny", 768),
        ("densenet121", 1024),
        ("efficientnet_b0", 1280),
    ],
)
def test_build_network__features_are_the_average_pooled_ones(backbone, n_features):
    config = NetworkConfig(backbone=backbone, weights="none", height=64, width=32)
    network = build_network(config)
    assert network.n_features == n_features
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 32)).shape == (2, n_features)


def test_build_network__resnet_matches_torchvision_up_to_its_classifier():
    network = build_network(NetworkConfig(backbone="resnet18", weights="none", height=64, width=32))
    trunk = network.trunk
    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        x = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(images))))
        x = trunk.layer4(trunk.layer3(trunk.layer2(trunk.layer1(x))))
        torch.testing.assert_close(network(images), x.mean(dim=(2, 3)))


def test_build_network__unknown_backbone_names_some_that_exist():
    with pytest.raises(ModelError, match=r"resnet5000.*resnet50"):
        build_network(NetworkConfig(backbone="resnet5000", weights="none"))


def test_build_network__width_mult_of_a_family_without_one():
    with pytest.raises(ModelError, match="width_mult"):
        build_network(NetworkConfig(backbone="resnet18", weights="none", width_mult=0.5))


def test_build_network__image_size_that_a_transformer_does_not_take():
    config = NetworkConfig(backbone="vit_b_16", weights="none", height=64, width=32)
    with pytest.raises(ModelError, match="64×32"):
        build_network(config)


def test_build_network__offline_download_says_where_to_put_the_file(monkeypatch, tmp_path):
    # A real request to a port that nobody listens on: what a closed network answers.
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ModelError, match=r"(?s)could not be downloaded.*checkpoints"):
        build_network(NetworkConfig(backbone="resnet18", weights="torchvision"))


def test_save_network__round_trip_is_exact(tmp_path):
    network = tiny_network()
    save_network(network, tmp_path / "m.safetensors")
    again = load_network(tmp_path / "m.safetensors")
    assert again.config == network.config
    assert not again.training
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_build_network__from_each_kind_of_file(tmp_path):
    network = tiny_network()
    state = network.trunk.state_dict()
    save_network(network, tmp_path / "ours.safetensors")
    save_file(state, tmp_path / "plain.safetensors")
    torch.save(state, tmp_path / "plain.pth")
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "dp.pth")
    with_head = {**state, "classifier.1.weight": torch.zeros(10, 1280)}
    torch.save(with_head, tmp_path / "with_head.pth")
    for path in sorted(tmp_path.iterdir()):
        built = build_network(TINY.replace(weights=str(path)))
        assert torch.equal(
            built.trunk.state_dict()["features.0.0.weight"], state["features.0.0.weight"]
        )


def test_build_network__weights_of_another_network(tmp_path):
    save_file(tiny_network().trunk.state_dict(), tmp_path / "w.safetensors")
    wider = TINY.replace(weights=str(tmp_path / "w.safetensors"), width_mult=0.35)
    with pytest.raises(ModelError, match="width_mult"):
        build_network(wider)
    other = wider.replace(backbone="mobilenet_v3_small", width_mult=1.0)
    with pytest.raises(ModelError, match=r"lacks.*fit mobilenet_v2 with width_mult 0\.1"):
        build_network(other)


def test_build_network__pickled_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    torch.save({"a": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        build_network(TINY.replace(weights=str(tmp_path / "evil.pth")))
    assert not (tmp_path / "owned").exists()


def test_load_network__missing_truncated_and_foreign_files(tmp_path):
    with pytest.raises(ModelError, match="no model"):
        load_network(tmp_path / "absent.safetensors")
    save_network(tiny_network(), tmp_path / "m.safetensors")
    whole = (tmp_path / "m.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cut off"):
        load_network(tmp_path / "cut.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelError, match="python -m pul convert"):
        load_network(tmp_path / "foreign.safetensors")


def test_read_network_config__reads_the_description_alone(tmp_path):
    save_network(tiny_network(), tmp_path / "m.safetensors")
    assert read_network_config(tmp_path / "m.safetensors") == TINY


def test_normalize__white_and_black_by_hand():
    network = tiny_network()
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 32, 16, 3)
    images = network.normalize(pixels)
    assert images.shape == (2, 3, 32, 16)
    assert images[0, 0, 0, 0].item() == pytest.approx(-0.485 / 0.229)
    assert images[1, 2, 5, 7].item() == pytest.approx((1 - 0.406) / 0.225)


def test_normalize__agrees_with_torchvision():
    network = tiny_network()
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.integers(0, 256, (2, 32, 16, 3), dtype=np.uint8))
    scaled = pixels.permute(0, 3, 1, 2) / 255
    expected = transforms.normalize(scaled, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    images = network.normalize(pixels)
    assert torch.equal(images, expected)
    assert images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "backbone", ["mobilenet_v2", "mobilenet_v3_small", "resnet18", "osnet_x0_25", "timm:resnet18"]
)
def test_with_head__pools_by_the_mean_of_powers(backbone):
    if backbone.startswith("timm"):
        pytest.importorskip("timm")
    config = NetworkConfig(backbone=backbone, weights="none", height=64, width=32)
    network = random_statistics(build_network(config))  # else features are as small as GeM's floor
    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        plain = network(images)
        average = with_head(network, HeadConfig(gem_p=1.0 + 1e-9))(images)
        powers = with_head(network, HeadConfig(gem_p=3.0))(images)
        nearly_most = with_head(network, HeadConfig(gem_p=10.0))(images)
    if (
        backbone != "mobilenet_v3_small"
    ):  # its hard-swish leaves negative maps, which GeM lifts to 0
        assert_close_features(average, plain)
    if not backbone.startswith("osnet"):  # it has a layer after the pooling
        assert (powers >= plain - 1e-5).all()
        assert (nearly_most >= powers - 1e-4).all()


def test_with_head__gem_by_hand():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 0.0]]]])
    pooled = GeneralizedMeanPooling(2.0)(maps)
    assert pooled.shape == (1, 1, 1, 1)
    assert pooled.item() == pytest.approx(((1 + 4 + 9 + 0) / 4) ** 0.5)


def test_with_head__a_new_neck_changes_nothing_and_its_bias_is_never_trained(tmp_path):
    network = tiny_network()
    changed = with_head(network, HeadConfig(neck="batchnorm"))
    images = torch.rand(4, 3, 32, 16)
    with torch.no_grad():
        assert_close_features(changed(images), network(images))
    assert changed.neck.weight.requires_grad
    assert not changed.neck.bias.requires_grad
    changed.neck.running_mean.fill_(0.5)
    save_network(changed, tmp_path / "neck.safetensors")
    again = load_network(tmp_path / "neck.safetensors")
    assert again.config.neck == "batchnorm"
    with torch.no_grad():
        assert torch.equal(again(images), changed(images))
        without = with_head(again, HeadConfig(neck="none"))
        assert torch.equal(without(images), network(images))
    assert with_head(again, HeadConfig()).config == again.config


def test_with_head__a_backbone_without_such_layers_says_so():
    pytest.importorskip("timm")
    config = NetworkConfig(backbone="vit_b_16", weights="none", height=224, width=224)
    network = build_network(config)
    with pytest.raises(ModelError, match="vit_b_16 does not pool feature maps"):
        with_head(network, HeadConfig(gem_p=3.0))
    with pytest.raises(ModelError, match="is no ResNet"):
        with_head(tiny_network(), HeadConfig(last_stride=1))


@pytest.mark.parametrize(
    ("backbone", "sentence"),
    [
        ("timm:halonet26t", "timm:halonet26t does not take 128×64 images. It was made for 256×256"),
        ("timm:convit_tiny", "does not take 128×64 images (The expanded size"),
        ("timm:nest_tiny", "128×64 images (Model only handles square inputs). It was made for 224"),
        ("timm:mvitv2_tiny", "timm:mvitv2_tiny does not take 128×64 images. It was made for 224"),
    ],
)
def test_build_network__names_the_size_that_a_backbone_takes(backbone, sentence):
    with pytest.raises(ModelError) as caught:
        build_network(NetworkConfig(backbone=backbone, weights="none", height=128, width=64))
    assert sentence in str(caught.value)
    height, width = re.findall(r"made for (\d+)×(\d+) ones", str(caught.value))[0]
    fitting = NetworkConfig(backbone=backbone, weights="none", height=int(height), width=int(width))
    assert build_network(fitting).config == fitting
