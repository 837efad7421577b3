"""`torch.compile` where it is asked for: tried first, and never the reason that a run fails."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from pul.models.devices import seeded
from pul.models.network import Network
from pul.models.precision import autocast

_LONGEST_REASON = 300  # characters; a page of hints follows

Extract = Callable[[Tensor], Tensor]

_LOG = logging.getLogger(__name__)


def compile_for_training(
    network: Network, n_images: int, *, device: str, precision: str
) -> Extract:
    """Return a network compiled for batches of one size, or as it is where that does not work.

    Whether it works is seen in a forward and a backward pass on blank images, which change nothing:
    the statistics of batch normalisation are put back. On a GPU the kernels of a step are then
    launched together, as a CUDA graph, which is what small batches wait for.

    Args:
        network: The network, on its device and in training mode.
        n_images: Images in a batch, B.
        device: Where it runs.
        precision: `float32` or `bfloat16`.

    Returns:
        What maps images (B, 3, H, W) to features (B, D) with the network's own parameters.
    """
    before = {name: value.clone() for name, value in network.named_buffers()}
    images = torch.zeros(n_images, 3, network.config.height, network.config.width, device=device)
    try:
        compiled: Extract = torch.compile(network, dynamic=False, mode="reduce-overhead")
        with seeded(0, device), autocast(images, precision):
            features = compiled(images.to(memory_format=torch.channels_last))
        features.sum().backward()  # type: ignore[no-untyped-call]
    except Exception as error:  # a missing compiler, an unknown chip, a bug: each raises its own
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        _LOG.warning("Training runs without torch.compile: %s: %s", type(error).__name__, reason)
        compiled = network
    network.zero_grad(set_to_none=True)
    for name, value in network.named_buffers():
        value.copy_(before[name])
    return compiled
