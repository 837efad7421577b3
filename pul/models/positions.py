"""Position embeddings of a vision transformer, for images of another size."""

from typing import Any

from torch import Tensor

from pul.errors import ModelError
from pul.models.backbones import import_timm

_RATIOS = (1, 2, 3)  # height to width of a grid: square, and people at 256×128 or 384×128


def find_grid(n_patches: int, patch: int) -> tuple[int, int]:
    """Return the rows and columns of a grid of patches.

    Raises:
        ModelError: No square, double or triple square has so many.
    """
    for ratio in _RATIOS:
        columns = round((n_patches / ratio) ** 0.5)
        if ratio * columns**2 == n_patches:
            return ratio * columns, columns
    raise ModelError(
        f"It has position embeddings of {n_patches} patches, which is no grid of {patch}×{patch} "
        "patches side by side: it was trained on patches that overlap (a stride below the patch "
        f"size), which no network here does. Take a checkpoint with STRIDE_SIZE [{patch}, {patch}]."
    )


def resize_positions(positions: Tensor, wanted: tuple[int, ...], patch: int, size: Any) -> Tensor:
    """Return position embeddings for another grid of patches; as they are if it is the same.

    Args:
        positions: Shape (1, tokens, D) or (tokens, D), with or without the class token.
        wanted: Shape (1, tokens, D) to have.
        patch: Side of a patch in pixels.
        size: Height and width of the images in pixels.

    Raises:
        ModelError: The tokens are of no grid.

    References:
        `timm.layers.resample_abs_pos_embed`: bicubic, with antialiasing.
    """
    positions = positions.reshape(1, *positions.shape[-2:])
    new = (size[0] // patch, size[1] // patch)
    n_extra = wanted[-2] - new[0] * new[1]
    old = find_grid(positions.shape[1] - n_extra, patch)
    if old == new:
        return positions
    resized: Tensor = import_timm().layers.resample_abs_pos_embed(
        positions.float(), new_size=list(new), old_size=list(old), num_prefix_tokens=n_extra
    )
    return resized
