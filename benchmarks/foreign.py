"""Features of networks made by other packages' own code beside those of `pul convert`.

`python -m benchmarks.foreign CHECKOUTS` needs a folder with clones of any of these repositories,
under their own names: KaiyangZhou/deep-person-reid, XingangPan/IBN-Net, JDAI-CV/fast-reid,
alibaba/cluster-contrast-reid, yxgeee/MMT, damo-cv/TransReID, Syliz517/CLIP-ReID. Each network gets
random weights, is saved as its program saves it, converted, and run on the same random images.
fast-reid needs termcolor, yacs, tabulate and cloudpickle to be imported.
"""

import argparse
import collections.abc
import importlib
import importlib.util
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import timm
import torch
from torch import Tensor, nn

from pul.models.conversion import convert_weights
from pul.models.network import load_network

TOLERANCE = 1e-4  # of the largest feature
SIZE = (256, 128)


@dataclass(frozen=True)
class Original:
    """A network of another package.

    Attributes:
        network: The module.
        content: What its program saves.
        features: Its features of normalised images.
        size: Height and width of the images.
        asked: Settings that the file does not show, as `convert_weights` takes them.
    """

    network: nn.Module
    content: Any
    features: Callable[[Tensor], Tensor]
    size: tuple[int, int] = SIZE
    asked: Mapping[str, Any] = field(default_factory=dict)


def randomise(network: nn.Module) -> Any:
    """Give a network random weights and statistics and return it, in evaluation mode."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
    return network.eval()


def torchreid(name: str) -> Callable[[Path], Original]:
    def make(root: Path) -> Original:
        file = "resnet" if name.startswith("resnet") else "osnet"
        module = load(root / "torchreid" / "models" / f"{file}.py")
        network = randomise(getattr(module, name)(num_classes=751, pretrained=False))
        return Original(network, {"state_dict": network.state_dict(), "epoch": 60}, network)

    return make


def ibn_net(root: Path) -> Original:
    with on_path(root):
        network = randomise(importlib.import_module("ibnnet.resnet_ibn").resnet50_ibn_a())
    state = network.state_dict()
    network.avgpool, network.fc = nn.AdaptiveAvgPool2d(1), nn.Identity()
    return Original(network, state, network)


def fast_reid(root: Path) -> Original:
    with on_path(root):
        module = importlib.import_module("fastreid.modeling.backbones.resnet")
    blocks = [3, 4, 6, 3]
    network = randomise(
        module.ResNet(1, "BN", True, False, False, module.Bottleneck, blocks, [0, 0, 0, 0])
    )
    state = {f"backbone.{name}": value for name, value in network.state_dict().items()}
    heads = {"heads.bottleneck.0.weight": torch.ones(2048), "heads.weight": torch.ones(9, 2048)}
    return Original(
        network, {"model": {**state, **heads}}, lambda images: network(images).mean((2, 3))
    )


def cluster_contrast(root: Path) -> Original:
    return _base(root, "clustercontrast")


def mmt(root: Path) -> Original:
    return _base(root, "mmt")


def _base(root: Path, package: str) -> Original:
    """Return a network of the programs whose backbone is a sequence called `base`."""
    folder = root / package / "models"
    holder = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("their_models", loader=None)
    )
    holder.__path__ = [str(folder)]
    sys.modules["their_models"] = holder
    sys.modules.pop("their_models.resnet", None)
    module = importlib.import_module("their_models.resnet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Downloads nothing; `reset_params` of MMT loads by positions, so it is passed over.
        module.ResNet.reset_params = lambda _: None
        network = randomise(module.ResNet(50, pretrained=False, num_classes=9))
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    return Original(
        network, {"state_dict": state}, lambda images: network.base(images).mean((2, 3))
    )


def transreid(
    stride: int = 16, *, n_cameras: int = 0, n_views: int = 0, size: tuple[int, int] = SIZE
) -> Callable[[Path], Original]:
    def make(root: Path) -> Original:
        torch.manual_seed(0)
        network = _transreid_backbones(root).vit_base_patch16_224_TransReID(
            img_size=size,
            stride_size=stride,
            camera=n_cameras,
            view=n_views,
            local_feature=False,
            sie_xishu=3.0,
        )
        state = {f"base.{name}": value for name, value in network.eval().state_dict().items()}
        neck = {"bottleneck.weight": torch.ones(768), "classifier.weight": torch.ones(9, 768)}
        if not (n_cameras or n_views):
            return Original(network, {**state, **neck}, network, size)
        mean = network.sie_embed.data.mean(dim=0)
        network.sie_embed.data[:] = mean  # what `pul convert` builds in
        cameras = torch.zeros(2, dtype=torch.int64)
        return Original(
            network,
            {**{name: value.clone() for name, value in state.items()}, **neck},
            lambda images: network(images, cameras, cameras),
            size,
        )

    return make


def _transreid_backbones(root: Path) -> Any:
    # A part of torch that is gone since.
    sys.modules.setdefault("torch._six", SimpleNamespace(container_abcs=collections.abc))
    return load(root / "model" / "backbones" / "vit_pytorch.py")


def transreid_resized(root: Path) -> Original:
    """Return what TransReID makes of an ImageNet ViT of 224×224 at a stride of 12."""
    torch.manual_seed(0)
    state = timm.create_model("vit_base_patch16_224").state_dict()
    network = _transreid_backbones(root).vit_base_patch16_224_TransReID(
        img_size=SIZE, stride_size=12, camera=0, view=0, local_feature=False
    )
    with tempfile.TemporaryDirectory() as folder:
        torch.save(state, Path(folder) / "imagenet.pth")
        network.load_param(str(Path(folder) / "imagenet.pth"))
    asked = {"patch_stride": 12, "height": 256, "width": 128}
    return Original(network.eval(), state, network, SIZE, asked)


def clip_reid(
    stride: int = 16, *, n_cameras: int = 0, size: tuple[int, int] = SIZE
) -> Callable[[Path], Original]:
    def make(root: Path) -> Original:
        module = load(root / "model" / "clip" / "model.py")
        torch.manual_seed(0)
        rows, columns = (1 + (side - 16) // stride for side in size)
        network = module.VisionTransformer(rows, columns, 16, stride, 768, 12, 12, 512).eval()
        state = {f"image_encoder.{name}": value for name, value in network.state_dict().items()}
        neck = {"bottleneck.weight": torch.ones(768), "classifier.weight": torch.ones(9, 768)}
        cameras = torch.randn(n_cameras, 768) * 0.02
        mean = cameras.mean(dim=0) if n_cameras else None
        content = {**state, **neck, **({"cv_embed": cameras} if n_cameras else {})}
        return Original(network, content, lambda images: network(images, mean)[1][:, 0], size)

    return make


CASES: tuple[tuple[str, str, Callable[[Path], Original]], ...] = (
    ("deep-person-reid", "osnet_x1_0", torchreid("osnet_x1_0")),
    ("deep-person-reid", "osnet_x0_75", torchreid("osnet_x0_75")),
    ("deep-person-reid", "osnet_x0_5", torchreid("osnet_x0_5")),
    ("deep-person-reid", "osnet_x0_25", torchreid("osnet_x0_25")),
    ("deep-person-reid", "resnet50", torchreid("resnet50")),
    ("IBN-Net", "resnet50_ibn_a", ibn_net),
    ("fast-reid", "ResNet-50-IBN", fast_reid),
    ("cluster-contrast-reid", "ResNet-50", cluster_contrast),
    ("MMT", "ResNet-50", mmt),
    ("TransReID", "ViT-B/16", transreid()),
    ("TransReID", "ViT-B/16, a patch every 12 pixels, 6 cameras", transreid(12, n_cameras=6)),
    ("TransReID", "ViT-B/16, a patch every 11 pixels", transreid(11)),
    (
        "TransReID",
        "ViT-B/16, 12 pixels, 256×256, 20 cameras of 8 views",
        transreid(12, n_cameras=20, n_views=8, size=(256, 256)),
    ),
    ("TransReID", "ImageNet's ViT-B/16 loaded at 12 pixels", transreid_resized),
    ("CLIP-ReID", "ViT-B/16", clip_reid()),
    ("CLIP-ReID", "ViT-B/16, a patch every 12 pixels", clip_reid(12)),
    (
        "CLIP-ReID",
        "ViT-B/16, 12 pixels, 384×128, 15 cameras",
        clip_reid(12, n_cameras=15, size=(384, 128)),
    ),
)


def load(path: Path) -> Any:
    """Load one file of a repository, without its package."""
    spec = importlib.util.spec_from_file_location(f"their_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def on_path(root: Path) -> Iterator[None]:
    """Let modules of a repository be imported inside."""
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))


@torch.inference_mode()
def compare(original: Original) -> tuple[str, float]:
    """Return what `pul convert` understood, and the largest relative difference of a feature."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, out = Path(folder) / "theirs.pth", Path(folder) / "ours.safetensors"
        torch.save(original.content, checkpoint)
        done = convert_weights(str(checkpoint), out, **original.asked)
        network = load_network(out)
    images = torch.randn(2, 3, *original.size, generator=torch.Generator().manual_seed(0))
    expected, features = original.features(images), network(images)
    understood = f"{done.backbone}, {done.origin or 'origin unknown'}"
    return understood, float((features - expected).abs().max() / expected.abs().max())


def main() -> None:
    """Print a line for each network; fail if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", type=Path, help="folder with the repositories")
    checkouts = parser.parse_args().checkouts
    print("| repository | network | understood as | largest difference |\n|---|---|---|---|")
    worst = 0.0
    for repository, name, make in CASES:
        root = checkouts / repository
        if not root.is_dir():
            print(f"| {repository} | {name} | not there | |")
            continue
        understood, difference = compare(make(root))
        worst = max(worst, difference)
        print(f"| {repository} | {name} | {understood} | {difference:.1e} |", flush=True)
    if not worst <= TOLERANCE:
        sys.exit(f"Features differ by {worst:.1e}, more than {TOLERANCE:g}.")


if __name__ == "__main__":
    main()
