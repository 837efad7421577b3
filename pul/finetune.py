"""Step 4 of an iteration, and source training: train a network on images and their classes."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from pul.arrays import ByteArray, FloatArray, IntArray, l2_normalize
from pul.augment import augment
from pul.config import TrainConfig, derive_seed
from pul.errors import DataError, FeatureError
from pul.features import OnProgress, autocast, check_pixels, extract_features
from pul.losses import build_loss, sample_batches
from pul.model import Network


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One batch of training, done.

    Attributes:
        step: Batches done in this epoch.
        n_steps: Batches of this epoch.
        epoch: Epoch, from 1.
        n_epochs: Epochs planned.
        loss: Mean loss of this epoch so far.
    """

    step: int
    n_steps: int
    epoch: int
    n_epochs: int
    loss: float


@dataclass(frozen=True, slots=True)
class FinetuneResult:
    """What training came to.

    Attributes:
        epoch_losses: Mean loss of each epoch.
        n_images: Images that trained.
        n_classes: Classes, C.
    """

    epoch_losses: tuple[float, ...]
    n_images: int
    n_classes: int


def finetune(
    network: Network,
    pixels: ByteArray,
    pseudo_labels: IntArray,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "cpu",
    features: FloatArray | None = None,
    on_progress: OnProgress | None = None,
) -> FinetuneResult:
    """Train a network in place on the images that have a class.

    A fresh classifier is drawn and thrown away; all layers train. The same seed gives the same
    network on the same CPU.

    Args:
        network: The network to train; moved to the device.
        pixels: Images at the network's input size, shape (N, H, W, 3), uint8.
        pseudo_labels: Class of each image, shape (N,); -1 where it does not train.
        config: Loss, optimiser, epochs and augmentation.
        seed: Seed of the classifier, the order, the augmentation and the dropout.
        device: Where to run.
        features: Features of all images by this network as it is, shape (N, D), for a loss that
            begins from the classes' centroids; extracted where they are not given.
        on_progress: Called with (batches done, batches in all) after each batch.

    Returns:
        Losses and counts; the network is in evaluation mode.

    Raises:
        DataError: Fewer than two images have a class.
        FeatureError: The loss became NaN or infinite.

    References:
        Algorithm 1, lines 2 and 17; Eq. 3; Sec. IV-B.
    """
    steps = finetune_steps(
        network, pixels, pseudo_labels, config, seed=seed, device=device, features=features
    )
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: FinetuneResult = stop.value
            return result
        if on_progress:
            done = (step.epoch - 1) * step.n_steps + step.step
            on_progress(done, step.n_epochs * step.n_steps)


def finetune_steps(
    network: Network,
    pixels: ByteArray,
    pseudo_labels: IntArray,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "cpu",
    features: FloatArray | None = None,
) -> Generator[TrainStep, None, FinetuneResult]:
    """Do the work of `finetune` one batch at a time, yielding after each."""
    check_pixels(pixels, network)
    indices = np.flatnonzero(pseudo_labels >= 0)  # (M,) images that train
    if len(indices) < 2:
        raise DataError(
            f"Only {len(indices)} image has a class to train on; lower λ or label more images."
        )
    _, classes = np.unique(pseudo_labels[indices], return_inverse=True)  # (M,) in [0, C)
    n_classes = int(classes.max()) + 1
    centroids = None
    if config.loss == "cluster_memory":
        if features is None:
            features = extract_features(network, pixels, device=device)
        centroids = class_centroids(features[indices], classes)
    trainer = _Trainer(network, n_classes, config, centroids, seed=seed, device=device)
    random = np.random.default_rng(derive_seed(seed, "order"))
    losses: list[float] = []
    for epoch in range(1, config.n_epochs + 1):
        batches = list(sample_batches(classes, config, random))
        trainer.set_epoch(epoch)
        total, seen = 0.0, 0
        for step, batch in enumerate(batches, start=1):
            loss = trainer.step(pixels[indices[batch]], classes[batch])
            total, seen = total + loss * len(batch), seen + len(batch)
            yield TrainStep(step, len(batches), epoch, config.n_epochs, total / seen)
        losses.append(total / seen)
    network.eval()
    return FinetuneResult(tuple(losses), len(indices), n_classes)


def class_centroids(features: FloatArray, classes: IntArray) -> FloatArray:
    """Return the mean of each class's l2-normalised features, where a cluster memory begins.

    Args:
        features: Features, shape (M, D).
        classes: Class of each, shape (M,), values in [0, C), none of them empty.

    Returns:
        Means, shape (C, D), float32, not scaled to length 1.
    """
    sums = np.zeros((int(classes.max()) + 1, features.shape[1]), dtype=np.float64)
    np.add.at(sums, classes, l2_normalize(features))
    return np.asarray(sums / np.bincount(classes)[:, None], dtype=np.float32)


class _Trainer:
    """A network, its fresh loss and their optimiser; a step is a function of (seed, step number).

    The global random state is set inside a step and restored after it, so that what the caller
    does between two batches changes nothing.
    """

    def __init__(
        self,
        network: Network,
        n_classes: int,
        config: TrainConfig,
        centroids: FloatArray | None,
        *,
        seed: int,
        device: str,
    ) -> None:
        self.config, self.device, self.seed, self.n_steps = config, device, seed, 0
        self.network = network
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.train()
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.momentum = config.bn_momentum
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "classifier"))
            self.loss = build_loss(
                config, n_features=network.n_features, n_classes=n_classes, centroids=centroids
            )
        self.loss.to(device).train()
        self.optimizer = torch.optim.SGD(
            [*network.parameters(), *self.loss.parameters()],
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        self.schedule = LambdaLR(self.optimizer, lambda epoch: _rate(epoch, config))

    def set_epoch(self, epoch: int) -> None:
        if epoch > 1:
            self.schedule.step()

    def step(self, pixels: ByteArray, classes: IntArray) -> float:
        self.n_steps += 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(self.seed, "step", self.n_steps))
            loss = self._loss(pixels, classes)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FeatureError(
                f"The loss became {value} at step {self.n_steps}: training diverged. Lower the "
                f"learning rate (now {self.config.learning_rate}) or raise the batch size."
            )
        return value

    def _loss(self, pixels: ByteArray, classes: IntArray) -> Tensor:
        batch = torch.from_numpy(pixels).to(self.device)
        targets = torch.from_numpy(classes).to(self.device)
        images = augment(self.network.normalize(batch), self.config.augmentation)
        with autocast(self.device, self.config.precision):
            loss: Tensor = self.loss(self.network(images), targets)
        return loss


def _rate(epoch: int, config: TrainConfig) -> float:
    """Return the share of the learning rate that epoch (from 0) uses."""
    if config.lr_schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epoch / config.n_epochs))
