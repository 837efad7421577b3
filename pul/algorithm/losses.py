"""The loss of Eq. 3 and the order in which images come to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from pul.arrays import FloatArray, IntArray
from pul.config import TrainConfig
from pul.config.methods import LOSSES, load_method
from pul.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss that a network can be trained with.

    Attributes:
        build: Makes the module, with the arguments of `build_loss`.
        needs_pairs: Whether a batch has to hold several images of a class.
        needs_centroids: Whether it begins from the centroids of the classes.
    """

    build: Callable[..., nn.Module]
    needs_pairs: bool = True
    needs_centroids: bool = False


class SoftmaxClassifier(nn.Module):
    """Dropout, one linear layer and the cross entropy: the paper's ⟨φ, w⟩ without φ."""

    def __init__(self, n_features: int, n_classes: int, *, dropout: float, std: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(n_features, n_classes)
        nn.init.normal_(self.classifier.weight, std=std)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        """Return the mean cross entropy of features (B, D) and their classes (B,)."""
        logits = self.classifier(self.dropout(features))
        return nn.functional.cross_entropy(logits.float(), classes)


class ClusterMemory(nn.Module):
    """A memory of one unit vector for each class, and the contrast of images with all of them.

    The loss is the cross entropy of the cosines, divided by a temperature. Nothing in it is learnt:
    after each batch the entry m of a class becomes the unit vector along μ m + (1 - μ) f, where f
    is the image of that class least like m (`hard`) or the mean of its images (`mean`).

    Args:
        centroids: One vector for each class, shape (C, D), scaled to length 1 here.
        temperature: What cosines are divided by.
        momentum: μ, in [0, 1).
        update: `hard` or `mean`.

    References:
        Dai et al. 2021, Cluster Contrast for unsupervised person re-identification, Eqs. 4-6.
    """

    memory: Tensor

    def __init__(
        self,
        centroids: Tensor,
        *,
        temperature: float = 0.05,
        momentum: float = 0.1,
        update: Literal["hard", "mean"] = "hard",
    ) -> None:
        super().__init__()
        self.temperature, self.momentum, self.update = temperature, momentum, update
        self.register_buffer("memory", nn.functional.normalize(centroids.float(), dim=1))

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        """Return the mean loss of features (B, D) and their classes (B,), and update the memory."""
        embeddings = nn.functional.normalize(features.float(), dim=1)
        cosines = embeddings @ self.memory.T  # (B, C)
        loss = nn.functional.cross_entropy(cosines / self.temperature, classes)
        if self.training:
            self._remember(embeddings.detach(), cosines.detach(), classes)
        return loss

    def _remember(self, embeddings: Tensor, cosines: Tensor, classes: Tensor) -> None:
        memory = self.memory.clone()  # the backward pass still needs the old one
        for known in sorted(set(classes.tolist())):
            mine = (classes == known).nonzero()[:, 0]
            if self.update == "hard":
                news = embeddings[mine[cosines[mine, known].argmin()]]
            else:
                news = embeddings[mine].mean(dim=0)
            mixed = self.momentum * memory[known] + (1 - self.momentum) * news
            memory[known] = nn.functional.normalize(mixed, dim=0)
        self.memory = memory


def load_loss(name: str) -> Loss:
    """Return a loss by its name, one of `pul.config.methods.LOSSES`."""
    loss: Loss = load_method(LOSSES, name)
    return loss


def build_loss(
    config: TrainConfig, *, n_features: int, n_classes: int, centroids: FloatArray | None = None
) -> nn.Module:
    """Build the loss with freshly drawn parameters w.

    Args:
        config: Which loss, and its settings.
        n_features: Feature dimensions, D.
        n_classes: Classes, C.
        centroids: Of the classes, shape (C, D), for a loss that begins from them.

    Returns:
        A module that maps features (B, D) and classes (B,) to a scalar.

    Raises:
        ConfigError: The loss needs the centroids, or a package that is not installed.

    References:
        Eq. 3; Algorithm 1, line 2: "randomly initialize w".
    """
    loss = load_loss(config.loss)
    if loss.needs_centroids and centroids is None:
        raise ConfigError(f"Loss {config.loss!r} needs the centroids of the classes.")
    return loss.build(config, n_features=n_features, n_classes=n_classes, centroids=centroids)


def sample_batches(
    classes: IntArray, config: TrainConfig, random: np.random.Generator
) -> Iterator[IntArray]:
    """Yield the image indices of each batch of one epoch.

    A loss that compares images with each other sees P classes with up to `n_instances` images of
    each, so that a batch has pairs at all (P×K, Hermans et al. 2017); any other sees every image
    once, in random order.

    Args:
        classes: Class of each image, shape (N,).
        config: Loss and batch size.
        random: Source of the order.

    Yields:
        Indices into `classes`, shape (B,), B ≥ 2.
    """
    order = random.permutation(len(classes))
    if load_loss(config.loss).needs_pairs:
        order = _group_by_class(order, classes, config.n_instances, random)
    n_batches = max(1, len(order) // config.batch_size)
    whole = n_batches * config.batch_size
    for start in range(0, whole, config.batch_size):
        yield order[start : start + config.batch_size]
    if len(order) - whole >= 2:  # batch normalisation cannot learn from one image
        yield order[whole:]


def _group_by_class(
    order: IntArray, classes: IntArray, n_instances: int, random: np.random.Generator
) -> IntArray:
    of_class: dict[int, list[int]] = {}
    for index in order.tolist():
        of_class.setdefault(int(classes[index]), []).append(index)
    groups = [
        members[start : start + n_instances]
        for members in of_class.values()
        for start in range(0, len(members), n_instances)
    ]
    random.shuffle(groups)
    return np.array([index for group in groups for index in group], dtype=np.int64)


class _MinedLoss(nn.Module):
    """A loss on pairs or triplets of l2-normalised features, over the pairs that a miner picks."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        embeddings = nn.functional.normalize(features.float(), dim=1)
        pairs = self.miner(embeddings, classes) if self.miner else None
        value: Tensor = self.loss(embeddings, classes, pairs)
        return value if value.requires_grad else embeddings.sum() * torch.zeros(())


def _softmax(config: TrainConfig, *, n_features: int, n_classes: int, **_: object) -> nn.Module:
    return SoftmaxClassifier(
        n_features, n_classes, dropout=config.dropout, std=config.classifier_init_std
    )


def _cluster_memory(config: TrainConfig, *, centroids: FloatArray, **_: object) -> nn.Module:
    return ClusterMemory(
        torch.from_numpy(centroids),
        temperature=config.memory_temperature,
        momentum=config.memory_momentum,
        update=config.memory_update,
    )


def _triplet(config: TrainConfig, **_: object) -> nn.Module:
    losses, miners = _metric_learning(config)
    return _MinedLoss(losses.TripletMarginLoss(margin=0.3), miners.BatchHardMiner())


def _contrastive(config: TrainConfig, **_: object) -> nn.Module:
    losses, _miners = _metric_learning(config)
    return _MinedLoss(losses.ContrastiveLoss(pos_margin=0.0, neg_margin=1.0), None)


def _metric_learning(config: TrainConfig) -> tuple[ModuleType, ModuleType]:
    try:
        from pytorch_metric_learning import losses, miners
    except ImportError as error:
        raise ConfigError(
            f"Loss {config.loss!r} needs a package: `pip install pytorch-metric-learning`."
        ) from error
    return losses, miners


SOFTMAX = Loss(_softmax, needs_pairs=False)
TRIPLET = Loss(_triplet)
CONTRASTIVE = Loss(_contrastive)
CLUSTER_MEMORY = Loss(_cluster_memory, needs_centroids=True)
