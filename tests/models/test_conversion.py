"""Start models of the weights of other programs."""

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from pul.errors import ConfigError, ModelError
from pul.models.conversion import convert_weights
from pul.models.network import build_network, load_network
from tests.support.networks import TINY, tiny_network
from tests.support.programs import PROGRAMS, random_statistics


def features_of(path: Path, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return load_network(path)(images)


def resnet(name: str = "resnet18", seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return random_statistics(torchvision.models.get_model(name, weights=None), seed)


@pytest.mark.parametrize("name", PROGRAMS)
def test_convert_weights__features_are_the_programs_own(tmp_path: Path, name: str) -> None:
    program = PROGRAMS[name]()
    torch.save(program.content, tmp_path / "checkpoint.pth")
    done = convert_weights(str(tmp_path / "checkpoint.pth"), tmp_path / "out.safetensors")
    assert done.origin == program.origin
    assert {key: getattr(done, key) for key in program.settings} == program.settings
    assert set(program.left_out) <= set(done.left_out)
    size = (done.height, done.width) if done.backbone.startswith("timm:") else (96, 48)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = program.features(images)
    scale = expected.abs().max()
    assert (features_of(done.path, images) - expected).abs().max() <= 1e-4 * scale


def test_convert_weights__of_two_networks_says_which_and_takes_the_other(tmp_path: Path) -> None:
    program = PROGRAMS["open_unreid"]()
    torch.save(program.content, tmp_path / "pair.pth")
    first = convert_weights(str(tmp_path / "pair.pth"), tmp_path / "a.safetensors")
    assert first.prefix == "state_dict.mean_net.module.backbone."
    assert first.other_networks == ("state_dict.net.module.backbone.",)
    assert "--take" in "\n".join(first.describe())
    other = convert_weights(
        str(tmp_path / "pair.pth"), tmp_path / "b.safetensors", take=".net.module"
    )
    assert other.prefix == "state_dict.net.module.backbone."
    with pytest.raises(ModelError, match="no tensor with 'nett'"):
        convert_weights(str(tmp_path / "pair.pth"), tmp_path / "b.safetensors", take="nett")


@pytest.mark.parametrize("name", ["resnet34", "mobilenet_v2", "shufflenet_v2_x0_5", "densenet121"])
def test_convert_weights__torchvision_under_any_prefix(tmp_path: Path, name: str) -> None:
    model = resnet(name)
    state = {f"agent.brain.{key}": value for key, value in model.state_dict().items()}
    torch.save([7, {"weights": state}], tmp_path / "w.bin")
    done = convert_weights(str(tmp_path / "w.bin"), tmp_path / "out.safetensors")
    assert (done.backbone, done.prefix) == (name, "1.weights.agent.brain.")
    images = torch.randn(2, 3, 64, 64)
    setattr(model, "fc" if hasattr(model, "fc") else "classifier", torch.nn.Flatten())
    with torch.inference_mode():
        torch.testing.assert_close(features_of(done.path, images), model(images))


def test_convert_weights__finds_the_width_of_a_mobilenet(tmp_path: Path) -> None:
    save_file(tiny_network().trunk.state_dict(), tmp_path / "w.safetensors")
    done = convert_weights(str(tmp_path / "w.safetensors"), tmp_path / "out.safetensors")
    assert (done.backbone, done.width_mult) == ("mobilenet_v2", 0.1)


def test_convert_weights__a_whole_module_is_read_without_its_code(tmp_path: Path) -> None:
    model = resnet()
    torch.save(model, tmp_path / "whole.pt")
    done = convert_weights(str(tmp_path / "whole.pt"), tmp_path / "out.safetensors")
    state = load_network(done.path).trunk.state_dict()
    assert torch.equal(state["layer4.1.bn2.weight"], model.layer4[1].bn2.weight)


def test_convert_weights__a_deeper_network_is_not_taken_for_a_shallow_one(tmp_path: Path) -> None:
    torch.save(resnet("resnet34").state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"not for resnet18.*80 more.*tensors fit resnet34: use"):
        convert_weights(str(tmp_path / "w.pth"), tmp_path / "o.safetensors", backbone="resnet18")
    assert not (tmp_path / "o.safetensors").exists()


def test_convert_weights__names_the_nearest_network(tmp_path: Path) -> None:
    state = resnet().state_dict()
    del state["layer3.0.conv1.weight"]
    state["layer2.0.conv1.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"98 of 100 tensors fit resnet18; it lacks 'layer3\.0"):
        convert_weights(str(tmp_path / "w.pth"), tmp_path / "o.safetensors")
    torch.save({"a": torch.zeros(3), "b.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="fit none of the networks"):
        convert_weights(str(tmp_path / "other.pth"), tmp_path / "o.safetensors")


def test_convert_weights__says_what_it_assumes_and_takes_what_it_is_told(tmp_path: Path) -> None:
    torch.save(PROGRAMS["lightning"]().content, tmp_path / "w.ckpt")
    assumed = convert_weights(str(tmp_path / "w.ckpt"), tmp_path / "out.safetensors")
    assert any("assumed: --height 224, --width 224" in note for note in assumed.notes)
    told = convert_weights(
        str(tmp_path / "w.ckpt"),
        tmp_path / "out.safetensors",
        height=64,
        width=32,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        last_stride=1,
        stem="no_relu",
        gem_p=2.5,
    )
    assert told.notes == ()
    config = load_network(told.path).config
    assert (config.height, config.last_stride, config.stem, config.gem_p) == (64, 1, "no_relu", 2.5)
    with pytest.raises(ConfigError, match="last_stride"):
        convert_weights(str(tmp_path / "w.ckpt"), tmp_path / "out.safetensors", last_stride=3)


def test_convert_weights__parts_that_the_backbone_lacks_are_told(tmp_path: Path) -> None:
    content = PROGRAMS["fast_reid"]().content
    content["model"]["backbone.NL_3.0.g.weight"] = torch.zeros(1, 256, 1, 1)
    torch.save(content, tmp_path / "w.pth")
    done = convert_weights(str(tmp_path / "w.pth"), tmp_path / "out.safetensors")
    (note,) = (note for note in done.notes if "NL_3" in note)
    assert "Features differ" in note


def test_convert_weights__overlapping_patches_and_camera_embeddings_are_said(
    tmp_path: Path,
) -> None:
    content = PROGRAMS["transreid_stride"]().content
    torch.save(content, tmp_path / "w.pth")
    done = convert_weights(str(tmp_path / "w.pth"), tmp_path / "out.safetensors")
    said = "\n".join(done.describe())
    for part in ("one every 12 pixels", "--patch-stride", "6 cameras or views", "--sie-weight"):
        assert part in said
    assert "Left out" not in said
    without = convert_weights(str(tmp_path / "w.pth"), tmp_path / "b.safetensors", sie_weight=0)
    kept = load_network(without.path).trunk.state_dict()["pos_embed"]
    assert torch.equal(kept, content["module.base.pos_embed"])
    assert any("left out" in note and "sie_embed" in note for note in without.notes)


@pytest.mark.parametrize(
    ("n_patches", "asked", "understood"),
    [
        (242, {}, (256, 128, 11)),  # and no 352×176 side by side
        (441, {}, (256, 256, 12)),  # and no 336×336
        (310, {}, (384, 128, 12)),
        (192, {}, (384, 128, 0)),
        (15 * 7, {"height": 240, "width": 112, "patch_stride": 0}, (240, 112, 0)),
        (29 * 13, {"height": 240, "width": 112, "patch_stride": 8}, (240, 112, 8)),
    ],
)
def test_convert_weights__grids_of_re_id_programs(
    tmp_path: Path, n_patches: int, asked: dict[str, int], understood: tuple[int, int, int]
) -> None:
    content = PROGRAMS["transreid"]().content
    content["module.base.pos_embed"] = torch.randn(1, 1 + n_patches, 192)
    torch.save(content, tmp_path / "w.pth")
    done = convert_weights(str(tmp_path / "w.pth"), tmp_path / "out.safetensors", **asked)
    assert (done.height, done.width, done.patch_stride) == understood
    kept = load_network(done.path).trunk.state_dict()["pos_embed"]
    assert torch.equal(kept, content["module.base.pos_embed"])  # nothing was resized


def test_convert_weights__a_grid_that_nothing_explains_names_the_options(tmp_path: Path) -> None:
    content = PROGRAMS["transreid"]().content
    content["module.base.pos_embed"] = torch.zeros(1, 1 + 29 * 13, 192)
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"377 patches.*--height, --width and --patch-stride"):
        convert_weights(str(tmp_path / "w.pth"), tmp_path / "out.safetensors")


def test_convert_weights__an_imagenet_transformer_at_another_stride(tmp_path: Path) -> None:
    """A smooth ramp of positions stays that ramp, whatever the grid."""
    vit = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    state = vit.state_dict()
    ramp = torch.linspace(0.0, 1.0, 14).view(14, 1, 1).expand(14, 14, 192)
    state["pos_embed"] = torch.cat([state["pos_embed"][:, :1], ramp.reshape(1, 196, 192)], dim=1)
    torch.save(state, tmp_path / "w.pth")
    done = convert_weights(
        str(tmp_path / "w.pth"),
        tmp_path / "out.safetensors",
        **{"height": 256, "width": 128, "patch_stride": 12},
    )
    rows = load_network(done.path).trunk.state_dict()["pos_embed"][0, 1:, 0].view(21, 10)
    assert torch.allclose(rows, rows[:, :1].expand(21, 10))
    # Pixel centres of 21 rows on 14, as bilinear interpolation has them; ends are repeated.
    places = ((torch.arange(21) + 0.5) * 14 / 21 - 0.5).clamp(0, 13)
    assert torch.allclose(rows[:, 0], places / 13, atol=1e-5)


def test_build_network__patch_stride_is_for_transformers_and_leaves_no_gap() -> None:
    with pytest.raises(ModelError, match="no plain vision transformer"):
        build_network(TINY.replace(patch_stride=12))
    vit = TINY.replace(backbone="timm:vit_tiny_patch16_224", width_mult=1.0, height=64, width=32)
    with pytest.raises(ModelError, match="at most 16"):
        build_network(vit.replace(patch_stride=17))
    assert build_network(vit.replace(patch_stride=12)).n_features == 192


def test_build_network__overlapping_weights_name_the_command_that_takes_them(
    tmp_path: Path,
) -> None:
    torch.save(PROGRAMS["transreid_stride"]().content, tmp_path / "w.pth")
    config = TINY.replace(
        backbone="timm:vit_tiny_patch16_224",
        **{"width_mult": 1.0, "height": 256, "width": 128, "weights": str(tmp_path / "w.pth")},
    )
    with pytest.raises(ModelError, match=r"every 12 pixels of 256×128.*pul convert"):
        build_network(config)
    assert build_network(config.replace(patch_stride=12)).n_features == 192


def test_convert_weights__never_over_the_checkpoint_itself(tmp_path: Path) -> None:
    save_file(resnet().state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="another name"):
        convert_weights(str(tmp_path / "w.safetensors"), tmp_path / "w.safetensors")


def test_build_network__weights_of_any_program(tmp_path: Path) -> None:
    torch.save(PROGRAMS["cluster_contrast"]().content, tmp_path / "w.pth.tar")
    config = TINY.replace(backbone="resnet18", width_mult=1.0, weights=str(tmp_path / "w.pth.tar"))
    network = build_network(config.replace(last_stride=1))
    converted = convert_weights(str(tmp_path / "w.pth.tar"), tmp_path / "out.safetensors")
    images = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        assert torch.equal(network(images), features_of(converted.path, images))


def test_convert_weights__without_timm_says_that_it_may_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(PROGRAMS["transreid"]().content, tmp_path / "w.pth")
    monkeypatch.setattr("pul.models.candidates.has_timm", lambda: False)
    with pytest.raises(ModelError, match="pip install timm"):
        convert_weights(str(tmp_path / "w.pth"), tmp_path / "out.safetensors")
    torch.save(PROGRAMS["mmt"]().content, tmp_path / "w.pth")  # a ResNet needs nothing more
    assert convert_weights(str(tmp_path / "w.pth"), tmp_path / "out.safetensors").n_tensors == 100
