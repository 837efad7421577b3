"""Which precision a network runs in, by device and image width."""

from collections.abc import Callable

import torch
from torch import Tensor

from pul.models.devices import has_bfloat16, is_gpu

Extract = Callable[[Tensor], Tensor]
_ONE_COLUMN = 32  # an image no wider ends as a map of one column, at the networks' stride of 32


def autocast(images: Tensor, precision: str) -> torch.autocast:
    """Return the mixed-precision context of images (B, 3, H, W) on their device.

    `float32` changes nothing, nor does `bfloat16` on a device that would have to emulate it, or
    on the CPU for images of at most 32 columns, whose strided convolutions oneDNN computes
    from memory that nobody wrote (decision 0047).
    """
    enabled = is_mixed(images.device, images.shape[3], precision)
    return torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=enabled)


def is_mixed(device: str | torch.device, width: int, precision: str) -> bool:
    """Whether images of a width are computed in bfloat16 on a device; `auto` is not yet chosen."""
    if precision != "bfloat16" or not has_bfloat16(device):
        return False
    return is_gpu(device) or width > _ONE_COLUMN
