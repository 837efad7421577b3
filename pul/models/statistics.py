"""Batch normalisation's statistics measured again, and the average of a network over its steps."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pul.models.network import Network
from pul.models.precision import autocast


def batch_norms(network: nn.Module) -> Iterator[nn.modules.batchnorm._BatchNorm]:
    """Yield the layers of batch normalisation."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            yield module


@torch.no_grad()
def reestimate(network: Network, batches: Iterable[Tensor], precision: str) -> None:
    """Measure the statistics of batch normalisation on images as they are, each batch alike.

    Args:
        network: The network, changed in place; it is in evaluation mode afterwards.
        batches: Normalised images, each (B, 3, H, W), on the network's device.
        precision: Of the products: `float32` or `bfloat16`.
    """
    network.eval()
    layers = list(batch_norms(network))
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches
        layer.train()
    for images in batches:
        with autocast(images, precision):
            network(images)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()


class AveragedNetwork:
    """The exponential moving average of a network's weights and statistics over its steps.

    Args:
        network: The network that trains.
        decay: Share of the average that a step keeps, in (0, 1).

    References:
        Ge et al. 2020, Mutual Mean-Teaching, Eq. 2; Tarvainen and Valpola 2017, Mean teachers.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = network
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)

    def update(self) -> None:
        """Add the network as it is after a step."""
        self.averaged.update_parameters(self.network)

    def take(self) -> None:
        """Give the network the averaged weights."""
        self.network.load_state_dict(self.averaged.module.state_dict())
