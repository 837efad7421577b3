"""Step 1 of an iteration: images in, un-normalised features out."""

from collections.abc import Callable, Generator, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from pul.arrays import ByteArray, FloatArray, check_features
from pul.errors import ConfigError
from pul.models.batchnorm_folding import fold_normalization
from pul.models.convolution_fusion import fuse_convolutions
from pul.models.devices import is_gpu, send
from pul.models.network import Network
from pul.models.precision import Extract, autocast, is_mixed

OnProgress = Callable[[int, int], None]


def extract_features(
    network: Network,
    pixels: ByteArray,
    *,
    device: str = "cpu",
    batch_size: int = 256,
    precision: str = "float32",
    flip: bool = False,
    on_progress: OnProgress | None = None,
) -> FloatArray:
    """Extract the feature of every image.

    N images, D feature dimensions.

    Args:
        network: The network; it is put into evaluation mode and onto the device.
        pixels: Images at the network's input size, shape (N, H, W, 3), uint8.
        device: Where to run.
        batch_size: Images at a time; changes only speed and memory.
        precision: `float32`, or `bfloat16` for mixed precision.
        flip: Add the feature of the mirrored image (test-time augmentation).
        on_progress: Called with (images done, N) after each batch.

    Returns:
        Features as the network gives them, not normalised, shape (N, D), float32.

    Raises:
        ConfigError: The images are not uint8 of the network's input size.
        FeatureError: A feature is NaN or infinite.

    References:
        Algorithm 1, line 3.
    """
    steps = extract_steps(
        network, pixels, device=device, batch_size=batch_size, precision=precision, flip=flip
    )
    while True:
        try:
            done = next(steps)
        except StopIteration as stop:
            features: FloatArray = stop.value
            return features
        if on_progress:
            on_progress(done, len(pixels))


def extract_steps(
    network: Network,
    pixels: ByteArray,
    *,
    device: str = "cpu",
    batch_size: int = 256,
    precision: str = "float32",
    flip: bool = False,
) -> Generator[int, None, FloatArray]:
    """Do the work of `extract_features` one batch at a time, yielding the number of images done."""
    check_pixels(pixels, network)
    network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    extract = network if is_gpu(device) else _lean(network, pixels, device, precision)
    features = np.empty((len(pixels), network.n_features), dtype=np.float32)
    batches, done = _batches(pixels, batch_size, device), 0
    batch = next(batches, None)
    while batch is not None:
        extracted = _extract_batch(extract, network.normalize(batch), precision, flip)
        batch = next(batches, None)  # sent while a GPU is still at the one before
        features[done : done + len(extracted)] = extracted.cpu().numpy()
        done += len(extracted)
        yield done
    return check_features(features)


def check_pixels(pixels: ByteArray, network: Network) -> None:
    """Raise ConfigError unless pixels are uint8 images (N, H, W, 3) of the network's input size."""
    size = (network.config.height, network.config.width, 3)
    if pixels.dtype != np.uint8 or pixels.shape[1:] != size:
        raise ConfigError(
            f"The network takes uint8 images of shape (N, {size[0]}, {size[1]}, 3), but got "
            f"{pixels.dtype} of shape {pixels.shape}; load them with `pul.data.images.load_pixels`."
        )


def _batches(pixels: ByteArray, size: int, device: str) -> Iterator[Tensor]:
    for start in range(0, len(pixels), size):
        yield send(torch.from_numpy(np.array(pixels[start : start + size])), device)


def _lean(network: Network, pixels: ByteArray, device: str, precision: str) -> nn.Module:
    """Return what gives a network's features with fewer passes over the CPU's memory."""
    folded = fold_normalization(network)
    if not len(pixels) or not is_mixed(device, pixels.shape[2], precision):
        return folded
    few = network.normalize(torch.from_numpy(np.array(pixels[:2])))
    return fuse_convolutions(folded, few, torch.bfloat16)


def _extract_batch(extract: Extract, images: Tensor, precision: str, flip: bool) -> Tensor:
    with torch.inference_mode(), autocast(images, precision):
        features: Tensor = extract(images).float()
        if flip:
            features = features + extract(images.flip(3)).float()
    return features
