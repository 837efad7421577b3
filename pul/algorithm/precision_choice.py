"""Which precision a run extracts and trains in, where its settings say `auto`: by measuring.

How fast bfloat16 is belongs to the network and the processor: on a CPU with AVX-512 alone,
ResNet-50 trains 1.96 times as fast in it, MobileNetV2 0.57 times.
"""

import copy
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch

from pul.algorithm.features import extract_features, extract_steps
from pul.algorithm.finetuning import finetune_steps
from pul.arrays import ByteArray, l2_normalize
from pul.config import RunConfig, TrainConfig
from pul.errors import FeatureError
from pul.models.devices import is_gpu
from pul.models.network import Network
from pul.models.precision import is_mixed

LEAST_GAIN = 1.1  # times as fast: less is within the noise of two steps
LEAST_COSINE = 0.99  # of the features of one image in both precisions
_MOST_LOSS_CHANGE = 0.05  # of the loss after three steps
_N_IMAGES = 64  # to compare features on
_CPU_BATCH, _GPU_BATCH = 32, 256  # to time features on
_SEED = 0


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """What `auto` came to for features or for training.

    Attributes:
        step: `features` or `training`.
        precision: What was chosen.
        reason: Why, with what was measured.
    """

    step: str
    precision: str
    reason: str

    def __str__(self) -> str:
        """Return a line for the log."""
        return f"{self.step} in {self.precision}: {self.reason}"


def choose_precision(
    network: Network, pixels: ByteArray, config: RunConfig, *, device: str
) -> tuple[RunConfig, tuple[PrecisionChoice, ...]]:
    """Replace each `auto` of the precisions by what is faster here, where the figures allow it.

    Two steps are timed each way, after one that warms up.

    Args:
        network: The network that the run begins with; it is not changed.
        pixels: The run's images, shape (N, H, W, 3), uint8; some of them are tried.
        config: The run's settings.
        device: Where the run works.

    Returns:
        The settings with a precision each, and what was chosen; nothing where nothing was open.
    """
    choices = []
    if config.extraction_precision == "auto":
        choices.append(choose_for_features(network, pixels, device))
        config = config.replace(extraction_precision=choices[-1].precision)
    if config.finetune.precision == "auto":
        choices.append(_choose_for_training(network, pixels, config.finetune, device))
        finetune = config.finetune.replace(precision=choices[-1].precision)
        config = config.replace(finetune=finetune)
    return config, tuple(choices)


def choose_for_features(network: Network, pixels: ByteArray, device: str) -> PrecisionChoice:
    """Choose the precision of features; see `choose_precision` for the arguments."""
    if not is_mixed(device, pixels.shape[2], "bfloat16"):
        return _without_choice("features")
    few = pixels[:: -(-len(pixels) // _N_IMAGES)]
    exact, rounded = (
        l2_normalize(extract_features(network, few, device=device, precision=precision))
        for precision in ("float32", "bfloat16")
    )
    cosine = float((exact * rounded).sum(axis=1).min())
    if cosine < LEAST_COSINE:
        reason = f"bfloat16 changes features too much, least cosine {cosine:.4f}"
        return PrecisionChoice("features", "float32", reason)
    exact_s, rounded_s = (
        _time_extraction(network, pixels, precision, device)
        for precision in ("float32", "bfloat16")
    )
    gain = exact_s / rounded_s
    return _by_gain("features", gain, f"least cosine {cosine:.4f}")


def _time_extraction(network: Network, pixels: ByteArray, precision: str, device: str) -> float:
    """Return the seconds of two batches."""
    size = _GPU_BATCH if is_gpu(device) else _CPU_BATCH
    images = pixels[np.resize(np.arange(len(pixels)), 3 * size)]
    steps = extract_steps(network, images, device=device, batch_size=size, precision=precision)
    next(steps)  # sets up
    with closing(steps):
        return _seconds(lambda: (next(steps), next(steps)), device)


def _choose_for_training(
    network: Network, pixels: ByteArray, config: TrainConfig, device: str
) -> PrecisionChoice:
    if not is_mixed(device, pixels.shape[2], "bfloat16"):
        return _without_choice("training")
    try:
        (exact_s, exact), (rounded_s, rounded) = (
            _time_training(network, pixels, config.replace(precision=precision), device)
            for precision in ("float32", "bfloat16")
        )
    except FeatureError:
        reason = "the loss is not finite after a few steps"
        return PrecisionChoice("training", "float32", reason)
    change = abs(rounded - exact) / max(abs(exact), 1e-12)
    if change > _MOST_LOSS_CHANGE:
        reason = f"bfloat16 changes the loss of three steps by {change:.1%}"
        return PrecisionChoice("training", "float32", reason)
    return _by_gain("training", exact_s / rounded_s, f"loss of three steps {change:.1%} apart")


def _time_training(
    network: Network, pixels: ByteArray, config: TrainConfig, device: str
) -> tuple[float, float]:
    """Return the seconds of two steps of training, and the mean loss of three."""
    images = pixels[np.resize(np.arange(len(pixels)), 3 * config.batch_size)]
    classes = np.arange(len(images)) // max(2, config.n_instances)
    config = config.replace(n_epochs=1, n_steps=3, compile=False)
    trained = copy.deepcopy(network)
    steps = finetune_steps(trained, images, classes, config, seed=_SEED, device=device)
    done = [next(steps)]
    with closing(steps):
        seconds = _seconds(lambda: done.extend((next(steps), next(steps))), device)
    return seconds, done[-1].loss


def _seconds(work: Callable[[], object], device: str) -> float:
    if is_gpu(device):
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    work()
    if is_gpu(device):
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _by_gain(step: str, gain: float, figures: str) -> PrecisionChoice:
    precision = "bfloat16" if gain >= LEAST_GAIN else "float32"
    return PrecisionChoice(step, precision, f"bfloat16 is {gain:.2f} times as fast here, {figures}")


def _without_choice(step: str) -> PrecisionChoice:
    reason = "no bfloat16 on this device, or not for images this narrow"
    return PrecisionChoice(step, "float32", reason)
