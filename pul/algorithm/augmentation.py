"""The random changes of training images: the paper's one warp, and crop, flip and erasing."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from pul.config import AugmentationConfig
from pul.models.devices import send

_ERASED_AREA = (0.02, 0.33)  # Zhong et al. 2017, random erasing: share of the image
_ERASED_ASPECT = (0.3, 1 / 0.3)


def augment(images: Tensor, config: AugmentationConfig) -> Tensor:
    """Warp, flip, crop and erase each image of a batch differently.

    Rotation and both shifts are one warp, sampled once, with repeated edges. The random numbers are
    torch's global CPU ones, so that a device does not change what is drawn.

    Args:
        images: Normalised images, shape (B, 3, H, W), float.
        config: How much of each.

    Returns:
        Changed images of the same shape, on the same device.

    References:
        Sec. IV-B: "randomly rotate images within 20 degrees and shift them horizontally and
        vertically within 45 pixels".
    """
    flipped = torch.rand(len(images)) < config.flip_probability
    if config.rotation_degrees or config.shift_fraction:
        images = _warp(images, config, flipped)
    elif flipped.any():
        mirror = send(flipped, images.device)[:, None, None, None]
        images = torch.where(mirror, images.flip(3), images)
    if config.crop_padding:
        images = _pad_and_crop(images, config.crop_padding)
    if config.erasing_probability:
        images = _erase(images, config.erasing_probability)
    return images


def warp_matrices(
    angles: Tensor, shifts: Tensor, flipped: Tensor, *, height: int, width: int
) -> Tensor:
    """Return the matrices that `affine_grid` samples a rotated and shifted image by.

    The rotation turns pixels, not normalised coordinates, so a tall image is not sheared.

    Args:
        angles: Rotation in radians, shape (B,).
        shifts: Shift to the right and down as a fraction of width and height, shape (B, 2).
        flipped: Whether to mirror left and right, shape (B,), bool.
        height: Image height in pixels.
        width: Image width in pixels.

    Returns:
        Matrices from output to input coordinates in [-1, 1], shape (B, 2, 3).
    """
    cosines, sines = angles.cos(), angles.sin()
    aspect = height / width
    mirror = torch.where(flipped, -1.0, 1.0)
    rotation = torch.stack(
        [
            torch.stack([cosines * mirror, sines * aspect], dim=1),
            torch.stack([-sines * mirror / aspect, cosines], dim=1),
        ],
        dim=1,
    )  # (B, 2, 2)
    offset = -(rotation @ (2 * shifts).unsqueeze(2))  # the input point of the shifted middle
    return torch.cat([rotation, offset], dim=2)


def sampling_grid(matrices: Tensor, *, height: int, width: int) -> Tensor:
    """Return where each pixel is sampled from: `affine_grid` without corners, several times faster.

    A point is the sum of what its row and its column give, so nothing is multiplied for each pixel.
    It lies in memory as a plane of x and one of y, whose rows are long loops.

    Args:
        matrices: From output to input coordinates in [-1, 1], shape (B, 2, 3).
        height: Image height in pixels.
        width: Image width in pixels.

    Returns:
        Input coordinates (x, y) of each pixel, shape (B, H, W, 2).
    """
    by_x, by_y, offset = matrices.unsqueeze(2).unbind(3)  # each (B, 2, 1)
    rows = by_y * _middles(height, matrices) + offset  # (B, 2, H)
    columns = by_x * _middles(width, matrices)  # (B, 2, W)
    return (rows.unsqueeze(3) + columns.unsqueeze(2)).permute(0, 2, 3, 1)


def _middles(n_pixels: int, like: Tensor) -> Tensor:
    """Return the middles of a line of pixels that reaches from -1 to 1, shape (N,)."""
    places = torch.arange(n_pixels, dtype=like.dtype, device=like.device)
    return (2 * places + 1) / n_pixels - 1


def _warp(images: Tensor, config: AugmentationConfig, flipped: Tensor) -> Tensor:
    n_images, _, height, width = images.shape
    angles = math.radians(config.rotation_degrees) * (2 * torch.rand(n_images) - 1)
    shifts = config.shift_fraction * (2 * torch.rand(n_images, 2) - 1)
    matrices = warp_matrices(angles, shifts, flipped, height=height, width=width)
    grid = sampling_grid(send(matrices, images.device), height=height, width=width)
    warped = F.grid_sample(
        images, grid.to(images.dtype), mode="bilinear", padding_mode="border", align_corners=False
    )
    return warped.contiguous(memory_format=torch.channels_last)


def _pad_and_crop(images: Tensor, padding: int) -> Tensor:
    """Shift each image by up to `padding` whole pixels either way; the mean colour follows."""
    n_images, n_channels, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    tops, lefts = torch.randint(0, 2 * padding + 1, (2, n_images, 1))
    rows = send(tops + torch.arange(height), images.device)  # (B, H)
    columns = send(lefts + torch.arange(width), images.device)  # (B, W)
    places = (rows[:, :, None] * padded.shape[3] + columns[:, None]).view(n_images, 1, -1)
    cropped = padded.flatten(2).gather(2, places.expand(-1, n_channels, -1))
    return cropped.view(images.shape).contiguous(memory_format=torch.channels_last)


def _erase(images: Tensor, probability: float) -> Tensor:
    n_images, _, height, width = images.shape
    erased = torch.rand(n_images) < probability
    draws = torch.zeros(n_images, 4, dtype=torch.float64)
    draws[erased] = torch.rand(int(erased.sum()), 4).double()
    area, aspect, top, left = draws.T  # each (B,), in [0, 1)
    area = height * width * (_ERASED_AREA[0] + area * (_ERASED_AREA[1] - _ERASED_AREA[0]))
    low, high = (math.log(bound) for bound in _ERASED_ASPECT)
    aspect = (low + aspect * (high - low)).exp()
    rows = (area * aspect).sqrt().round().clamp(1, height)
    columns = (area / aspect).sqrt().round().clamp(1, width)
    inside = _between(top, rows, height)[:, :, None] & _between(left, columns, width)[:, None]
    holes = (inside & erased[:, None, None]).unsqueeze(1)  # (B, 1, H, W)
    return images.masked_fill(send(holes, images.device), 0.0)  # the mean colour


def _between(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return which of `size` places lie in each stretch (B,), shape (B, size)."""
    first = (start * (size - length + 1)).floor()
    places = torch.arange(size)
    return (places >= first[:, None]) & (places < (first + length)[:, None])
