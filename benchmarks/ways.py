"""Ways of doing a network's work, ours and the tutorials'; each runs in a separate process.

`python -m benchmarks.ways WORK WAY SIZE THREADS OUT`: prints seconds, processor seconds and peak
memory as JSON, and writes what it computed to OUT. The process is separate because the
setup of the allocator (`pul.models.resources.keep_freed_memory`) is part of ours and permanent.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.measure import peak_bytes
from pul.algorithm.augmentation import augment
from pul.algorithm.features import extract_features
from pul.algorithm.finetuning import finetune
from pul.arrays import ByteArray, FloatArray, IntArray
from pul.config import AugmentationConfig, NetworkConfig, TrainConfig
from pul.data.images import load_pixels, thumbnail
from pul.models.network import Network, build_network
from pul.models.resources import keep_freed_memory

WARP = AugmentationConfig(flip_probability=0.5)
BATCH = 32
MEAN, STD = NetworkConfig().mean, NetworkConfig().std


@contextmanager
def clock(report: dict[str, float]) -> Iterator[None]:
    """Put seconds, processor seconds and peak memory of what is inside into the report."""
    started, cpu_started = time.perf_counter(), time.process_time()
    yield
    report["seconds"] = time.perf_counter() - started
    report["cpu_seconds"] = time.process_time() - cpu_started
    report["peak_bytes"] = peak_bytes()


def make_network(backbone: str, height: int, width: int) -> Network:
    """Return a network of random weights, the same ones each time."""
    torch.manual_seed(0)
    config = NetworkConfig(backbone=backbone, weights="none", height=height, width=width)
    return build_network(config)


def make_pixels(n_images: int, height: int, width: int) -> ByteArray:
    """Return random images in patches of colour, shape (N, H, W, 3)."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (n_images, height // 8, width // 8, 3), dtype=np.uint8)
    return small.repeat(8, axis=1).repeat(8, axis=2)


def extract(way: str, n_images: int, report: dict[str, float]) -> FloatArray:
    """ResNet-50 at 224×224: features of images that are decoded already."""
    network, pixels = make_network("resnet50", 224, 224), make_pixels(n_images, 224, 224)
    if way == "plain":
        extract_plain(network, pixels[:BATCH])
        with clock(report):
            return extract_plain(network, pixels)
    keep_freed_memory()
    extract_features(network, pixels[:BATCH], precision=way, batch_size=BATCH)
    with clock(report):
        return extract_features(network, pixels, precision=way, batch_size=BATCH)


def extract_plain(network: Network, pixels: ByteArray) -> FloatArray:
    """Run a network as the tutorials do: batches of float32 as they come."""
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    network.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(pixels), BATCH):
            images = torch.from_numpy(pixels[start : start + BATCH]).permute(0, 3, 1, 2)
            parts.append(network((images.contiguous().float() / 255 - mean) / std).numpy())
    return np.concatenate(parts)


def train(way: str, n_images: int, report: dict[str, float]) -> FloatArray:
    """ResNet-18 at 128×64: an epoch of softmax training, without augmentation in either way."""
    network, pixels = make_network("resnet18", 128, 64), make_pixels(n_images, 128, 64)
    classes = np.arange(n_images) % 100
    if way == "plain":
        list(train_plain(network, pixels[: 2 * BATCH], classes[: 2 * BATCH]))
        with clock(report):
            losses = list(train_plain(network, pixels, classes))
        return np.array(losses, dtype=np.float32)
    keep_freed_memory()
    none = AugmentationConfig(rotation_degrees=0, shift_fraction=0)
    config = TrainConfig(n_epochs=1, batch_size=BATCH, augmentation=none, precision=way)
    finetune(network, pixels[: 2 * BATCH], classes[: 2 * BATCH], config, seed=0)
    with clock(report):
        result = finetune(network, pixels, classes, config, seed=0)
    return np.array(result.epoch_losses, dtype=np.float32)


def train_plain(
    network: Network,
    pixels: ByteArray,
    classes: IntArray,
    *,
    batch_size: int = BATCH,
    n_epochs: int = 1,
    device: str = "cpu",
) -> Iterator[float]:
    """Train a network as the tutorials do; yield the mean loss of each epoch."""
    mean, std = (torch.tensor(of, device=device).view(3, 1, 1) for of in (MEAN, STD))
    head = nn.Sequential(nn.Dropout(0.5), nn.Linear(network.n_features, int(classes.max()) + 1))
    network.to(device).train()
    head.to(device)
    optimizer = torch.optim.SGD([*network.parameters(), *head.parameters()], 1e-3, momentum=0.9)
    for _ in range(n_epochs):
        losses = []
        for batch in torch.randperm(len(pixels)).split(batch_size):
            images = torch.from_numpy(pixels[batch.numpy()]).to(device).permute(0, 3, 1, 2)
            targets = torch.from_numpy(classes)[batch].to(device)
            logits = head(network((images.contiguous().float() / 255 - mean) / std))
            loss = nn.functional.cross_entropy(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        yield float(np.mean(losses))


def read(way: str, n_images: int, report: dict[str, float]) -> FloatArray:
    """Image files to warped, normalised batches at 128×64, in the second and later epochs."""
    with TemporaryDirectory() as name:
        paths = _write_images(Path(name), n_images)
        if way == "plain":
            loader = DataLoader(_Files(paths), batch_size=BATCH)
            with clock(report):
                return _means(loader)
        keep_freed_memory()
        cache = Path(name) / "cache"
        load_pixels(paths, height=128, width=64, cache_dir=cache)
        network = make_network("resnet18", 128, 64)
        with clock(report):
            return _means(_batches(network, paths, cache))


class _Files(Dataset[torch.Tensor]):
    """Dataset, Pillow and transforms, as in the tutorials."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.transform = transforms.Compose(
            [
                transforms.Resize((128, 64)),
                transforms.RandomAffine(WARP.rotation_degrees, (WARP.shift_fraction,) * 2),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB"))


def _batches(network: Network, paths: list[Path], cache: Path) -> Iterator[torch.Tensor]:
    pixels = load_pixels(paths, height=128, width=64, cache_dir=cache)
    for start in range(0, len(paths), BATCH):
        batch = torch.from_numpy(pixels[start : start + BATCH].copy())
        yield augment(network.normalize(batch), WARP)


def _means(batches: Iterator[torch.Tensor] | DataLoader[torch.Tensor]) -> FloatArray:
    return np.concatenate([batch.mean(dim=(1, 2, 3)).numpy() for batch in batches])


def thumbnails(way: str, n_images: int, report: dict[str, float]) -> FloatArray:
    """Pictures of 128×64 for the screen, from files of that size."""
    with TemporaryDirectory() as name:
        paths = _write_images(Path(name), n_images)
        make = _encoded if way == "plain" else _own
        with clock(report):
            sizes = [len(make(path)) for path in paths]
    return np.array(sizes, dtype=np.float32)


def _own(path: Path) -> bytes:
    return thumbnail(path)[0]


def _encoded(path: Path) -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").resize((64, 128)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _write_images(folder: Path, n_images: int) -> list[Path]:
    """Write files about as large as those of Market-1501: 2.3 kB of 128×64."""
    paths = [folder / f"{i:05d}.jpg" for i in range(n_images)]
    patches = make_pixels(n_images, 128, 64)[:, ::8, ::8]
    for path, patch in zip(paths, patches, strict=True):
        smooth = Image.fromarray(np.ascontiguousarray(patch)).resize((64, 128))
        smooth.save(path, quality=75)
    return paths


WORK: dict[str, Callable[[str, int, dict[str, float]], FloatArray]] = {
    "extract": extract,
    "train": train,
    "read": read,
    "thumbnails": thumbnails,
}


def main() -> None:
    """Do one piece of work in one way."""
    work, way, n_images, n_threads, out = sys.argv[1:]
    torch.set_num_threads(int(n_threads))
    report: dict[str, float] = {}
    np.save(out, WORK[work](way, int(n_images), report))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
