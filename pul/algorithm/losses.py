"""The loss of Eq. 3, and those that compare images with each other."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

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
        build: Makes the module, of the settings and a `TrainingSet`.
        needs_pairs: Whether a batch has to hold several images of a class.
        needs_features: Whether it begins from the features of the images.
    """

    build: Callable[[TrainConfig, "TrainingSet"], nn.Module]
    needs_pairs: bool = True
    needs_features: bool = False


@dataclass(frozen=True)
class TrainingSet:
    """What a loss is built for. M training images, C classes, D feature dimensions.

    Attributes:
        classes: Class of each image, shape (M,), in [0, C).
        cameras: Camera of each, shape (M,), -1 where not known.
        n_features: D.
        features: l2-normalised features, shape (M, D), for a loss that begins from them.
        outliers: l2-normalised features of the images that are in no cluster, shape (O, D).
    """

    classes: IntArray
    cameras: IntArray
    n_features: int
    features: FloatArray | None = None
    outliers: FloatArray | None = None

    @property
    def n_classes(self) -> int:
        """C."""
        return int(self.classes.max()) + 1


class SoftmaxClassifier(nn.Module):
    """Dropout, one linear layer and the cross entropy: the paper's ⟨φ, w⟩ without φ."""

    def __init__(self, n_features: int, n_classes: int, *, dropout: float, std: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(n_features, n_classes)
        nn.init.normal_(self.classifier.weight, std=std)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, features: Tensor, classes: Tensor, _cameras: Tensor) -> Tensor:
        """Return the mean cross entropy of features (B, D) and their classes (B,)."""
        logits = self.classifier(self.dropout(features))
        return nn.functional.cross_entropy(logits.float(), classes)


def load_loss(name: str) -> Loss:
    """Return a loss by its name, one of `pul.config.methods.LOSSES`."""
    loss: Loss = load_method(LOSSES, name)
    return loss


def build_loss(config: TrainConfig, training_set: TrainingSet) -> nn.Module:
    """Build the loss with freshly drawn parameters w.

    Args:
        config: Which loss, and its settings.
        training_set: What it is built for.

    Returns:
        A module that maps features (B, D), classes (B,) and cameras (B,) to a scalar.

    Raises:
        ConfigError: The loss needs features, or a package that is not installed.

    References:
        Eq. 3; Algorithm 1, line 2: "randomly initialize w".
    """
    loss = load_loss(config.loss)
    if loss.needs_features and training_set.features is None:
        raise ConfigError(f"Loss {config.loss!r} needs the features of the images.")
    return loss.build(config, training_set)


class _MinedLoss(nn.Module):
    """A loss on pairs or triplets of l2-normalised features, over the pairs that a miner picks."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, features: Tensor, classes: Tensor, _cameras: Tensor) -> Tensor:
        embeddings = nn.functional.normalize(features.float(), dim=1)
        pairs = self.miner(embeddings, classes) if self.miner else None
        value: Tensor = self.loss(embeddings, classes, pairs)
        return value if value.requires_grad else embeddings.sum() * torch.zeros(())


def _softmax(config: TrainConfig, data: TrainingSet) -> nn.Module:
    return SoftmaxClassifier(
        data.n_features, data.n_classes, dropout=config.dropout, std=config.classifier_init_std
    )


def _triplet(config: TrainConfig, _data: TrainingSet) -> nn.Module:
    losses, miners = _metric_learning(config)
    return _MinedLoss(losses.TripletMarginLoss(margin=0.3), miners.BatchHardMiner())


def _contrastive(config: TrainConfig, _data: TrainingSet) -> nn.Module:
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
