"""The published sizes of the known data sets, to say at import whether a copy is complete."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pul.data.samples import Sample


class Counts(NamedTuple):
    """Number of images of each split."""

    train: int
    query: int
    gallery: int


PUBLISHED: dict[str, Counts] = {
    "Market-1501": Counts(12_936, 3_368, 19_732),
    "DukeMTMC-reID": Counts(16_522, 2_228, 17_661),
    "CUHK03 (detected)": Counts(7_365, 1_400, 5_332),
    "CUHK03 (labeled)": Counts(7_368, 1_400, 5_328),
    "MSMT17": Counts(32_621, 11_659, 82_161),
    "VIPeR": Counts(632, 316, 316),
}


def count_splits(samples: Sequence[Sample]) -> Counts:
    """Count the images of each split."""
    by_split = Counter(sample.split for sample in samples)
    return Counts(by_split["train"], by_split["query"], by_split["gallery"])


def count_notes(counts: Counts, expected: Sequence[str] = ()) -> list[str]:
    """Compare the images found with what was published.

    Args:
        counts: Images found.
        expected: Names in `PUBLISHED` that the user's data claims to be, for example by its
            folder's name. Data that claims nothing is only ever recognised, never found wanting.

    Returns:
        One line for each set that was claimed or that fits exactly.
    """
    fitting = [name for name, published in PUBLISHED.items() if published == counts]
    if fitting:
        return [f"{name}: {_figures(counts)} as published." for name in fitting]
    return [
        f"{name}: {_figures(counts)} train/query/gallery images "
        f"instead of {_figures(PUBLISHED[name])} as published."
        for name in expected
    ]


def _figures(counts: Counts) -> str:
    return "/".join(f"{count:,}" for count in counts)
