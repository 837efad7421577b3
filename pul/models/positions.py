"""Position embeddings of a vision transformer: the grid of patches they are for, and another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pul.errors import ModelError

_RATIOS = (1, 2, 3)  # height to width of a grid: square, and people at 256×128 or 384×128
# What TransReID, TransReID-SSL and CLIP-ReID train on, by the settings that they publish.
_REID_SIZES = ((256, 128), (384, 128), (256, 256))
_REID_STRIDES = (16, 12, 11)


@dataclass(frozen=True, slots=True)
class Grid:
    """Patches of an image.

    Attributes:
        rows, columns: How many patches.
        height, width: The image in pixels.
        patch: Side of a patch in pixels.
        stride: Pixels from one patch to the next.
    """

    rows: int
    columns: int
    height: int
    width: int
    patch: int
    stride: int

    @classmethod
    def of(cls, height: int, width: int, patch: int, stride: int) -> "Grid":
        """Return the grid that patches make on an image."""
        rows, columns = (1 + (side - patch) // stride for side in (height, width))
        return cls(rows, columns, height, width, patch, stride)

    @property
    def is_overlapping(self) -> bool:
        """Whether patches share pixels."""
        return self.stride < self.patch


def find_grid(n_patches: int, patch: int, *, is_reid: bool = False, **asked: int) -> Grid:
    """Return the grid that so many patches make.

    Args:
        n_patches: How many.
        patch: Side of a patch in pixels.
        is_reid: Whether a re-ID program trained it, whose sizes and strides then come first: 242
            patches are those of 256×128 every 11 pixels and no 352×176 side by side.
        asked: `height`, `width` and `stride` that somebody named; taken where they make so many
            patches, as they need not be those of the checkpoint.

    Raises:
        ModelError: No grid has so many.
    """
    grids = [*_asked(patch, **asked)]
    grids += [*_reid(patch), *_side_by_side(n_patches, patch)][:: 1 if is_reid else -1]
    for grid in grids:
        if grid.rows * grid.columns == n_patches:
            return grid
    raise ModelError(
        f"It has position embeddings of {n_patches} patches. No square, double or triple square "
        f"of {patch}×{patch} patches side by side has so many, nor do images of 256×128, 384×128 "
        "or 256×256 with a patch every 16, 12 or 11 pixels. Say on which images it was trained: "
        "--height, --width and --patch-stride."
    )


def _asked(patch: int, height: int = 0, width: int = 0, stride: int = 0) -> Iterator[Grid]:
    if height >= patch and width >= patch:
        yield Grid.of(height, width, patch, stride or patch)
    if stride:
        yield from (Grid.of(*size, patch, stride) for size in _REID_SIZES)


def _reid(patch: int) -> Iterator[Grid]:
    for stride in _REID_STRIDES:
        yield from (Grid.of(*size, patch, stride) for size in _REID_SIZES if stride <= patch)


def _side_by_side(n_patches: int, patch: int) -> Iterator[Grid]:
    for ratio in _RATIOS:
        columns = round((n_patches / ratio) ** 0.5)
        yield Grid.of(ratio * columns * patch, columns * patch, patch, patch)


def resize_positions(positions: Tensor, old: Grid, new: Grid, n_extra: int) -> Tensor:
    """Return position embeddings for another grid of patches; as they are if it is the same.

    Args:
        positions: Shape (1, tokens, D) or (tokens, D), with the extra tokens first, if any.
        old: Their grid.
        new: The grid to have.
        n_extra: Tokens that are no patches, such as the class token.

    References:
        `timm.layers.resample_abs_pos_embed`: bicubic, with antialiasing. For patches that overlap,
        `resize_pos_embed` of TransReID and CLIP-ReID: bilinear, without.
    """
    positions = positions.reshape(1, *positions.shape[-2:]).float()
    if (old.rows, old.columns) == (new.rows, new.columns):
        return positions
    extra, patches = positions[:, :n_extra], positions[:, n_extra:]
    maps = patches.reshape(1, old.rows, old.columns, -1).permute(0, 3, 1, 2)
    resized = nn.functional.interpolate(
        maps,
        size=(new.rows, new.columns),
        mode="bilinear" if new.is_overlapping else "bicubic",
        antialias=not new.is_overlapping,
    )
    return torch.cat([extra, resized.flatten(2).transpose(1, 2)], dim=1)


def set_patch_stride(model: nn.Module, stride: int, backbone: str) -> None:
    """Let the patches of a transformer of timm overlap; its positions are resized.

    Raises:
        ModelError: It is no plain vision transformer, or its patches are smaller.
    """
    embed: Any = getattr(model, "patch_embed", None)
    positions: Any = getattr(model, "pos_embed", None)
    is_plain = embed is not None and isinstance(getattr(embed, "proj", None), nn.Conv2d)
    if not (is_plain and isinstance(positions, nn.Parameter) and positions.ndim == 3):
        raise ModelError(
            f"{backbone} is no plain vision transformer: it takes no patch stride. Give 0."
        )
    patch, (height, width) = int(embed.patch_size[0]), embed.img_size
    if stride > patch:
        raise ModelError(
            f"{backbone} has patches of {patch}×{patch} pixels: a patch stride of {stride} would "
            f"leave pixels between them unseen. Give at most {patch}."
        )
    old, new = (Grid.of(height, width, patch, each) for each in (patch, stride))
    n_extra = positions.shape[1] - old.rows * old.columns
    resized = resize_positions(positions.detach(), old, new, n_extra)
    model.pos_embed = nn.Parameter(resized)
    embed.proj.stride = (stride, stride)
    embed.grid_size = (new.rows, new.columns)
    embed.num_patches = new.rows * new.columns
