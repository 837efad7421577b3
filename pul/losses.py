"""The loss of Eq. 3 and the order in which images come to it."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from pul.arrays import IntArray
from pul.config import TrainConfig
from pul.errors import ConfigError

_IMAGES_OF_A_CLASS = 4  # P×K sampling, as in Hermans et al. 2017


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


def build_loss(config: TrainConfig, *, n_features: int, n_classes: int) -> nn.Module:
    """Build the loss with freshly drawn parameters w.

    Args:
        config: Which loss, its dropout and initialisation.
        n_features: Feature dimensions, D.
        n_classes: Classes, C.

    Returns:
        A module that maps features (B, D) and classes (B,) to a scalar.

    Raises:
        ConfigError: The loss needs a package that is not installed.

    References:
        Eq. 3; Algorithm 1, line 2: "randomly initialize w".
    """
    if config.loss == "softmax":
        return SoftmaxClassifier(
            n_features, n_classes, dropout=config.dropout, std=config.classifier_init_std
        )
    try:
        from pytorch_metric_learning import losses, miners
    except ImportError as error:
        raise ConfigError(
            f"Loss {config.loss!r} needs a package: `pip install pytorch-metric-learning`."
        ) from error
    if config.loss == "triplet":
        return _MinedLoss(losses.TripletMarginLoss(margin=0.3), miners.BatchHardMiner())
    return _MinedLoss(losses.ContrastiveLoss(pos_margin=0.0, neg_margin=1.0), None)


def sample_batches(
    classes: IntArray, config: TrainConfig, random: np.random.Generator
) -> Iterator[IntArray]:
    """Yield the image indices of each batch of one epoch.

    Softmax sees every image once, in random order; the losses on pairs see P classes with
    up to K = 4 images of each, so that a batch has pairs at all.

    Args:
        classes: Class of each image, shape (N,).
        config: Loss and batch size.
        random: Source of the order.

    Yields:
        Indices into `classes`, shape (B,), B ≥ 2.
    """
    order = random.permutation(len(classes))
    if config.loss != "softmax":
        order = _group_by_class(order, classes, random)
    n_batches = max(1, len(order) // config.batch_size)
    whole = n_batches * config.batch_size
    for start in range(0, whole, config.batch_size):
        yield order[start : start + config.batch_size]
    if len(order) - whole >= 2:  # batch normalisation cannot learn from one image
        yield order[whole:]


def _group_by_class(order: IntArray, classes: IntArray, random: np.random.Generator) -> IntArray:
    of_class: dict[int, list[int]] = {}
    for index in order.tolist():
        of_class.setdefault(int(classes[index]), []).append(index)
    groups = [
        members[start : start + _IMAGES_OF_A_CLASS]
        for members in of_class.values()
        for start in range(0, len(members), _IMAGES_OF_A_CLASS)
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
