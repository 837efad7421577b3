"""Probability that a colour is called black, blue, brown, ..., from public-domain focal colours."""

import numpy as np

from pul.arrays import DoubleArray

# The eleven basic names of Berlin and Kay, each with the colour that stands for it in the results
# of the xkcd colour survey of 2010, which are in the public domain (CC0).
FOCAL_COLORS = {
    "black": (0x00, 0x00, 0x00),
    "blue": (0x03, 0x43, 0xDF),
    "brown": (0x65, 0x37, 0x00),
    "grey": (0x92, 0x95, 0x91),
    "green": (0x15, 0xB0, 0x1A),
    "orange": (0xF9, 0x73, 0x06),
    "pink": (0xFF, 0x81, 0xC0),
    "purple": (0x7E, 0x1E, 0x9C),
    "red": (0xE5, 0x00, 0x00),
    "white": (0xFF, 0xFF, 0xFF),
    "yellow": (0xFF, 0xFF, 0x14),
}

LEVELS = 32  # of each channel: 8 of the 256 values share a level
_SOFTNESS = 50.0  # of CIELAB distance; of 20 to 50, the best on training identities of Market-1501

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)  # D65


def focal_color_names(softness: float = _SOFTNESS) -> DoubleArray:
    """Return how probable each colour name is for each quantised colour.

    p(name | colour) ∝ exp(-ΔE² / 2 softness²), where ΔE is the distance in CIELAB from the middle
    of the quantised colour to the name's focal colour.

    Args:
        softness: Distance over which a name fades out.

    Returns:
        Probabilities, shape (32,768, 11); row R/8 + 32 · G/8 + 1024 · B/8. Rows sum to 1.
    """
    blue, green, red = np.meshgrid(*[np.arange(LEVELS)] * 3, indexing="ij")
    levels = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    middles = (256 / LEVELS) * levels.astype(np.float64) + (256 / LEVELS - 1) / 2
    focal = np.array(list(FOCAL_COLORS.values()), dtype=np.float64)
    differences = to_lab(middles)[:, None] - to_lab(focal)
    exponents = -np.sum(differences**2, axis=2) / (2 * softness**2)
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def to_lab(colors: DoubleArray) -> DoubleArray:
    """Convert sRGB to CIELAB under D65.

    Args:
        colors: Shape (..., 3), in [0, 255].

    Returns:
        L* in [0, 100], a* and b*, shape (..., 3).
    """
    scaled = colors / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    ratios = linear @ _TO_XYZ.T / _WHITE
    is_dark = ratios <= (6 / 29) ** 3
    scales = np.where(is_dark, ratios * (29 / 6) ** 2 / 3 + 4 / 29, np.cbrt(ratios))
    x, y, z = np.moveaxis(scales, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
