"""Images as the hand-crafted features take them: checked once, then a few at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from pul.arrays import ByteArray
from pul.errors import FeatureError

_BATCH = 16  # images whose temporaries stay in the processor's cache


def check_images(images: ArrayLike) -> ByteArray:
    """Return images as an array, checked.

    Args:
        images: RGB images of one size, shape (N, H, W, 3), uint8.

    Raises:
        FeatureError: Another shape or another type of number.
    """
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[3] != 3 or array.dtype != np.uint8:
        raise FeatureError(
            "Images must be uint8 RGB in shape (N, H, W, 3), but are "
            f"{array.dtype} in shape {array.shape}."
        )
    return array


def batches(n_images: int) -> Iterator[slice]:
    """Yield the rows of one batch after the other."""
    return (slice(start, min(start + _BATCH, n_images)) for start in range(0, n_images, _BATCH))
