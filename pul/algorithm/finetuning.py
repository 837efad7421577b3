"""Step 4 of an iteration, and source training: train a network on images and their classes."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from pul.algorithm.augmentation import augment
from pul.algorithm.features import OnProgress, check_pixels, extract_features
from pul.algorithm.losses import TrainingSet, build_loss, load_loss
from pul.algorithm.sampling import sample_batches
from pul.arrays import ByteArray, FloatArray, IntArray, l2_normalize
from pul.config import TrainConfig, derive_seed
from pul.errors import DataError, FeatureError
from pul.models.compilation import Extract, compile_for_training
from pul.models.devices import DevicePixels, is_gpu, seeded, send
from pul.models.network import Network
from pul.models.precision import autocast
from pul.models.statistics import AveragedNetwork, batch_norms, reestimate

_READ_EVERY = 16  # steps of a GPU between two looks at its losses, each of which it has to wait for


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One batch of training, done.

    Attributes:
        step: Batches done in this epoch.
        n_steps: Batches of this epoch.
        epoch: Epoch, from 1.
        n_epochs: Epochs planned.
        loss: Mean loss of this epoch so far; on a GPU it may be some steps old.
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
    camids: IntArray | None = None,
    outliers: IntArray | None = None,
    n_epochs_before: int = 0,
    on_progress: OnProgress | None = None,
) -> FinetuneResult:
    """Train a network in place on the images that have a class.

    A fresh classifier is drawn and thrown away; all layers train. The same seed gives the same
    network on the same CPU. On a GPU it gives the same batches, changes and dropout; sums come in
    another order each time there.

    Args:
        network: The network to train; moved to the device.
        pixels: Images at the network's input size, shape (N, H, W, 3), uint8.
        pseudo_labels: Class of each image, shape (N,); -1 where it does not train.
        config: Loss, optimiser, epochs and augmentation.
        seed: Seed of the classifier, the order, the augmentation and the dropout.
        device: Where to run.
        features: Features of all images by this network as it is, shape (N, D), for a loss that
            begins from them; extracted where they are not given.
        camids: Camera of each image, shape (N,), -1 where not known; None for no cameras.
        outliers: Indices of images that are like no class, for a loss that uses them.
        n_epochs_before: Epochs of the run before these, for the schedule `step`.
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
        network,
        pixels,
        pseudo_labels,
        config,
        seed=seed,
        device=device,
        features=features,
        camids=camids,
        outliers=outliers,
        n_epochs_before=n_epochs_before,
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
    camids: IntArray | None = None,
    outliers: IntArray | None = None,
    n_epochs_before: int = 0,
) -> Generator[TrainStep, None, FinetuneResult]:
    """Do the work of `finetune` one batch at a time, yielding after each."""
    check_pixels(pixels, network)
    indices = np.flatnonzero(pseudo_labels >= 0)  # (M,) images that train
    if len(indices) < 2:
        raise DataError(
            f"Only {len(indices)} image has a class to train on; lower λ or label more images."
        )
    if features is None and load_loss(config.loss).needs_features:
        features = extract_features(network, pixels, device=device)
    data = _training_set(
        indices, pseudo_labels, camids, outliers, features, n_features=network.n_features
    )
    trainer = _Trainer(network, data, config, n_epochs_before, seed=seed, device=device)
    images = DevicePixels(pixels, indices, device)
    random = np.random.default_rng(derive_seed(seed, "order"))
    losses: list[float] = []
    for epoch in range(1, config.n_epochs + 1):
        batches = list(sample_batches(data.classes, data.cameras, config, random))
        trainer.set_epoch(epoch)
        for step, batch in enumerate(batches, start=1):
            trainer.step(images.take(batch), data.classes[batch], data.cameras[batch])
            if step == len(batches):
                trainer.losses.read()
            yield TrainStep(step, len(batches), epoch, config.n_epochs, trainer.losses.mean)
        losses.append(trainer.losses.mean)
    trainer.finish(images)
    return FinetuneResult(tuple(losses), len(indices), data.n_classes)


def _training_set(
    indices: IntArray,
    pseudo_labels: IntArray,
    camids: IntArray | None,
    outliers: IntArray | None,
    features: FloatArray | None,
    *,
    n_features: int,
) -> TrainingSet:
    """Number the classes and the cameras of the images that train from 0."""
    _, classes = np.unique(pseudo_labels[indices], return_inverse=True)  # (M,) in [0, C)
    known = np.zeros_like(indices) if camids is None else camids[indices]
    _, cameras = np.unique(known, return_inverse=True)
    return TrainingSet(
        classes,
        cameras,
        n_features,
        None if features is None else l2_normalize(features[indices]),
        None if features is None or outliers is None else l2_normalize(features[outliers]),
    )


class EpochLosses:
    """The mean loss of an epoch, of losses that are read from their device in groups.

    Reading waits until the device has come so far. The first loss is read at once, then `every`
    losses together, and what is left when `read` is called.

    Args:
        learning_rate: The settings', to name it in an error.
        every: Losses in a group; 1 reads each as it comes.
        n_before: Steps before this epoch.
    """

    def __init__(self, learning_rate: float, *, every: int = 1, n_before: int = 0) -> None:
        self.learning_rate, self.every, self.n_read = learning_rate, every, n_before
        self.total, self.n_images = 0.0, 0
        self.unread: list[tuple[Tensor, int]] = []

    @property
    def mean(self) -> float:
        """Mean loss of an image, of the steps that are read."""
        return self.total / self.n_images

    def add(self, loss: Tensor, n_images: int) -> None:
        """Add the mean loss of a batch.

        Raises:
            FeatureError: A loss is NaN or infinite.
        """
        self.unread.append((loss.detach(), n_images))
        if not self.n_images or len(self.unread) >= self.every:
            self.read()

    def read(self) -> None:
        """Read what was added.

        Raises:
            FeatureError: A loss is NaN or infinite.
        """
        values = torch.stack([loss for loss, _ in self.unread]).tolist() if self.unread else []
        for value, (_, n_images) in zip(values, self.unread, strict=True):
            self.n_read += 1
            if not math.isfinite(value):
                raise FeatureError(
                    f"The loss became {value} at step {self.n_read}: training diverged. Lower the "
                    f"learning rate (now {self.learning_rate}) or raise the batch size."
                )
            self.total, self.n_images = self.total + value * n_images, self.n_images + n_images
        self.unread.clear()


class _Trainer:
    """A network, its fresh loss and their optimiser; a step is a function of (seed, step number).

    The global random state is set inside a step and restored after it, so that what the caller
    does between two batches changes nothing.
    """

    def __init__(
        self,
        network: Network,
        data: TrainingSet,
        config: TrainConfig,
        n_epochs_before: int,
        *,
        seed: int,
        device: str,
    ) -> None:
        self.config, self.device, self.seed, self.n_steps = config, device, seed, 0
        self.network = network
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.train()
        for module in batch_norms(network):
            module.momentum = config.bn_momentum
        with seeded(derive_seed(seed, "classifier"), device):
            self.loss = build_loss(config, data)
        self.loss.to(device).train()
        self.optimizer = _build_optimizer([network, self.loss], config, device)
        self.on_whole_batches: Extract = self._in_groups
        if config.compile and config.bn_group is None:
            self.on_whole_batches = compile_for_training(
                network, config.batch_size, device=device, precision=config.precision
            )
        self.schedule = LambdaLR(
            self.optimizer, lambda epoch: _rate(epoch, config, n_epochs_before)
        )
        self.average = AveragedNetwork(network, config.ema_decay) if config.ema_decay else None

    def set_epoch(self, epoch: int) -> None:
        if epoch > 1:
            self.schedule.step()
        every = _READ_EVERY if is_gpu(self.device) else 1
        rate = self.config.learning_rate
        self.losses = EpochLosses(rate, every=every, n_before=self.n_steps)

    def step(self, pixels: Tensor, classes: IntArray, cameras: IntArray) -> None:
        self.n_steps += 1
        self.optimizer.zero_grad(set_to_none=True)
        with seeded(derive_seed(self.seed, "step", self.n_steps), self.device):
            loss = self._loss(pixels, classes, cameras)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        self.losses.add(loss, len(classes))

    def finish(self, images: DevicePixels) -> None:
        """Leave the network as it is to be used: averaged, measured again, in evaluation mode."""
        if self.average is not None:
            self.average.take()
        if self.config.bn_reestimate:
            random = np.random.default_rng(derive_seed(self.seed, "statistics"))
            order = random.permutation(len(images.indices))
            parts = np.array_split(order, max(1, len(order) // self.config.batch_size))
            batches = (self.network.normalize(images.take(part)) for part in parts)
            reestimate(self.network, batches, self.config.precision)
        self.network.eval().zero_grad(set_to_none=True)

    def _loss(self, pixels: Tensor, classes: IntArray, cameras: IntArray) -> Tensor:
        targets, of = (send(torch.from_numpy(each), self.device) for each in (classes, cameras))
        images = augment(self.network.normalize(pixels), self.config.augmentation)
        is_whole = len(images) == self.config.batch_size
        extract = self.on_whole_batches if is_whole else self._in_groups
        with autocast(images, self.config.precision):
            loss: Tensor = self.loss(extract(images), targets, of)
        return loss

    def _in_groups(self, images: Tensor) -> Tensor:
        """Return the features of a batch that is normalised in groups, as on several devices."""
        n_groups = max(1, len(images) // (self.config.bn_group or len(images)))
        if n_groups == 1:
            features: Tensor = self.network(images)
            return features
        return torch.cat([self.network(group) for group in images.tensor_split(n_groups)])


def _build_optimizer(
    modules: list[nn.Module], config: TrainConfig, device: str
) -> torch.optim.Optimizer:
    parameters = [each for of in modules for each in of.parameters() if each.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    fused = is_gpu(device) or None  # one kernel for all parameters
    if config.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=fused)
    momentum = config.momentum
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum, weight_decay=decay, fused=fused)


def _rate(epoch: int, config: TrainConfig, n_before: int) -> float:
    """Return the share of the learning rate that epoch (from 0) uses."""
    if config.lr_schedule == "constant":
        return 1.0
    if config.lr_schedule == "step":
        return float(0.1 ** ((n_before + epoch) // config.lr_step_size))
    return 0.5 * (1 + math.cos(math.pi * epoch / config.n_epochs))
