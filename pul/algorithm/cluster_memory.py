"""Cluster Contrast: a memory of the clusters, which images are compared with."""

from typing import Literal

import torch
from torch import Tensor, nn

from pul.algorithm.losses import Loss, TrainingSet
from pul.arrays import group_means
from pul.config import TrainConfig


class ClusterMemory(nn.Module):
    """A memory of one unit vector for each class, and the contrast of images with all of them.

    The loss is the cross entropy of the cosines, divided by a temperature. Nothing in it is learnt:
    after each batch the entry m of a class becomes the unit vector along μ m + (1 - μ) f, where f
    is the image of that class least like m (`hard`) or the mean of its images (`mean`).

    Args:
        centroids: One vector for each class, shape (C, D), scaled to length 1 here.
        outliers: Vectors that no class is like, shape (O, D): entries that are never updated.
        temperature: What cosines are divided by.
        momentum: μ, in [0, 1).
        update: `hard` or `mean`.

    References:
        Dai et al. 2021, Cluster Contrast for unsupervised person re-identification, Eqs. 4-6;
        Ge et al. 2020, Self-paced Contrastive Learning, Eq. 1, for the outliers.
    """

    memory: Tensor
    outliers: Tensor

    def __init__(
        self,
        centroids: Tensor,
        outliers: Tensor | None = None,
        *,
        temperature: float = 0.05,
        momentum: float = 0.1,
        update: Literal["hard", "mean"] = "hard",
    ) -> None:
        super().__init__()
        self.temperature, self.momentum, self.update = temperature, momentum, update
        self.register_buffer("memory", nn.functional.normalize(centroids.float(), dim=1))
        others = centroids[:0] if outliers is None else outliers
        self.register_buffer("outliers", nn.functional.normalize(others.float(), dim=1))

    def forward(self, features: Tensor, classes: Tensor, _cameras: Tensor) -> Tensor:
        """Return the mean loss of features (B, D) and their classes (B,), and update the memory."""
        embeddings = nn.functional.normalize(features.float(), dim=1)
        cosines = embeddings @ torch.cat([self.memory, self.outliers]).T  # (B, C + O)
        loss = nn.functional.cross_entropy(cosines / self.temperature, classes)
        if self.training:
            news = embeddings.detach()
            if self.update == "hard":
                own = cosines.detach().gather(1, classes[:, None])[:, 0]
                news = news[least_of_group(own, classes, len(self.memory))]
            else:
                news = means_of_group(news, classes, len(self.memory))
            self.memory = updated(self.memory, news, classes, self.momentum)
        return loss


def least_of_group(values: Tensor, groups: Tensor, n_groups: int) -> Tensor:
    """Return for each element the first one with the lowest value of its group, shape (B,).

    No device has to wait for another here, as it would for a loop over the groups.
    """
    lowest = values.new_full((n_groups,), torch.inf).scatter_reduce(0, groups, values, "amin")
    places = torch.arange(len(values), device=values.device)
    candidates = torch.where(values == lowest[groups], places, len(values))
    first = places.new_full((n_groups,), len(values)).scatter_reduce(0, groups, candidates, "amin")
    return first[groups]


def means_of_group(vectors: Tensor, groups: Tensor, n_groups: int) -> Tensor:
    """Return for each vector (B, D) the mean of its group, shape (B, D)."""
    sums = vectors.new_zeros(n_groups, vectors.shape[1]).index_add(0, groups, vectors)
    counts = vectors.new_zeros(n_groups).index_add(0, groups, torch.ones_like(vectors[:, 0]))
    return sums[groups] / counts[groups, None]


def updated(memory: Tensor, news: Tensor, entries: Tensor, momentum: float) -> Tensor:
    """Return a memory whose entries moved to news (B, D); equal entries have equal news.

    A new tensor, as the backward pass still needs the old one.
    """
    mixed = momentum * memory[entries] + (1 - momentum) * news
    return memory.index_put((entries,), nn.functional.normalize(mixed, dim=1))


def _build(config: TrainConfig, data: TrainingSet) -> nn.Module:
    assert data.features is not None
    outliers = data.outliers if config.memory_outliers else None
    return ClusterMemory(
        torch.from_numpy(group_means(data.features, data.classes)),
        None if outliers is None else torch.from_numpy(outliers),
        temperature=config.memory_temperature,
        momentum=config.memory_momentum,
        update=config.memory_update,
    )


CLUSTER_MEMORY = Loss(_build, needs_features=True)
