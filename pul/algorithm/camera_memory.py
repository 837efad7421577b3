"""CAP: a memory of each cluster in each camera, compared within a camera and across cameras."""

import numpy as np
import torch
from torch import Tensor, nn

from pul.algorithm.cluster_memory import means_of_group, updated
from pul.algorithm.losses import Loss, TrainingSet
from pul.arrays import group_means
from pul.config import TrainConfig

_NEVER = -1e4  # a logit whose share is 0; unlike -inf it leaves no NaN where all are left out
_N_NEGATIVES = 50  # CAP: entries of other clusters that an image is compared with across cameras


class CameraMemory(nn.Module):
    """A memory of one unit vector, a proxy, for each cluster in each camera that sees it.

    Within a camera the loss is the cross entropy over that camera's proxies. Across cameras the
    target is spread evenly over the proxies of the same cluster in other cameras, against those and
    the `n_negatives` proxies of other clusters that are most alike; an image whose cluster only its
    own camera sees has no such loss. After each batch a proxy p becomes the unit vector along
    μ p + (1 - μ) f, where f is the mean of its images. Images without a camera share one.

    Args:
        proxies: One vector for each proxy, shape (P, D), scaled to length 1 here.
        clusters: Cluster of each proxy, shape (P,).
        cameras: Camera of each proxy, shape (P,), in [0, number of cameras).
        temperature: What cosines are divided by.
        momentum: μ, in [0, 1).
        across_weight: Weight of the loss across cameras.
        n_negatives: Proxies of other clusters in it.

    References:
        Wang et al. 2021, Camera-aware Proxies for Unsupervised Person Re-Identification, Eqs. 3-7.
    """

    memory: Tensor
    clusters: Tensor
    cameras: Tensor
    proxy_of: Tensor

    def __init__(
        self,
        proxies: Tensor,
        clusters: Tensor,
        cameras: Tensor,
        *,
        temperature: float = 0.07,
        momentum: float = 0.1,
        across_weight: float = 0.5,
        n_negatives: int = _N_NEGATIVES,
    ) -> None:
        super().__init__()
        self.temperature, self.momentum = temperature, momentum
        self.across_weight, self.n_negatives = across_weight, n_negatives
        self.register_buffer("memory", nn.functional.normalize(proxies.float(), dim=1))
        self.register_buffer("clusters", clusters)
        self.register_buffer("cameras", cameras)
        table = torch.full((int(clusters.max()) + 1, int(cameras.max()) + 1), -1)
        table[clusters, cameras] = torch.arange(len(clusters))
        self.register_buffer("proxy_of", table)

    def forward(self, features: Tensor, classes: Tensor, cameras: Tensor) -> Tensor:
        """Return the mean loss of features (B, D), clusters (B,) and cameras (B,)."""
        embeddings = nn.functional.normalize(features.float(), dim=1)
        logits = embeddings @ self.memory.T / self.temperature  # (B, P)
        own = self.proxy_of[classes, cameras]  # (B,)
        within = logits.masked_fill(self.cameras != cameras[:, None], _NEVER)
        loss = nn.functional.cross_entropy(within, own)
        if self.across_weight:
            loss = loss + self.across_weight * self._across(logits, classes, cameras)
        if self.training:
            news = means_of_group(embeddings.detach(), own, len(self.memory))
            self.memory = updated(self.memory, news, own, self.momentum)
        return loss

    def _across(self, logits: Tensor, classes: Tensor, cameras: Tensor) -> Tensor:
        is_same = self.clusters == classes[:, None]  # (B, P)
        is_other_camera = is_same & (self.cameras != cameras[:, None])
        n_negatives = min(self.n_negatives, logits.shape[1])
        negatives = logits.masked_fill(is_same, _NEVER).topk(n_negatives, dim=1).values
        positives = logits.masked_fill(~is_other_camera, _NEVER)
        normalizer = torch.cat([positives, negatives], dim=1).logsumexp(dim=1)  # (B,)
        n_positives = is_other_camera.sum(dim=1)
        mean = logits.masked_fill(~is_other_camera, 0).sum(dim=1) / n_positives.clamp(min=1)
        losses = torch.where(n_positives > 0, normalizer - mean, 0)
        return losses.sum() / len(losses)


def _build(config: TrainConfig, data: TrainingSet) -> nn.Module:
    assert data.features is not None
    places = np.stack([data.classes, data.cameras], axis=1)
    proxies, proxy_of = np.unique(places, axis=0, return_inverse=True)
    return CameraMemory(
        torch.from_numpy(group_means(data.features, proxy_of.ravel())),
        torch.from_numpy(proxies[:, 0]),
        torch.from_numpy(proxies[:, 1]),
        temperature=config.memory_temperature,
        momentum=config.memory_momentum,
        across_weight=config.across_cameras_weight,
    )


CAMERA_MEMORY = Loss(_build, needs_features=True)
