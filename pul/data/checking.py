"""Checking of a data set's images: which cannot be read, which show nothing, how grey they are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.arrays import DoubleArray
from pul.data.datasets import Dataset, Skipped, cut_boxes
from pul.data.decoding import (
    DECODE_ERRORS,
    image_error,
    load_image,
    open_image,
    to_upright_rgb,
)
from pul.data.file_names import printable
from pul.data.grey import (
    NO_RANGES,
    GreyKind,
    GreyRange,
    GreyRanges,
    grey_kind,
    is_nearly_one_colour,
)
from pul.data.grey_sample import measure_ranges, ranges_of, read_values
from pul.data.threads import Progress, in_threads
from pul.errors import ImageError

_SHARE_OUTSIDE = 0.01  # of an import's pixels: more than this is said
_N_NAMED = 5
_WHAT: dict[GreyKind, str] = {
    "integer": "grey values of 16 or 32 bits",
    "real": "grey values of floating-point numbers",
    "colour": "colours of 16 bits",
}


@dataclass(frozen=True, slots=True)
class _Checked:
    """An image: why it cannot be read, if so; its kind of grey; whether it shows nothing."""

    reason: str = ""
    kind: GreyKind | None = None
    is_empty: bool = False


def check_dataset(
    dataset: Dataset,
    folder: Path | None,
    *,
    ranges: GreyRanges = NO_RANGES,
    on_progress: Callable[[str], Progress] | None = None,
) -> Dataset:
    """Do all that an import does before it stores anything: a dry run reports the same.

    Args:
        dataset: What was read.
        folder: Where crops go that are cut out of whole pictures; None only tells which can be.
        ranges: What values of more than 8 bits are stretched by where that is settled already.
        on_progress: Called with what is done now; gives what is called with (done, in all).

    Returns:
        The dataset that would be added.

    Raises:
        StoreError: The disk refuses.
    """

    def report(step: str) -> Progress | None:
        return on_progress(step) if on_progress is not None else None

    if any(sample.box is not None for sample in dataset.samples):
        dataset = cut_boxes(dataset, folder, ranges=ranges, on_progress=report("cutting crops"))
    return check_images(dataset, ranges=ranges, on_progress=report("checking images"))


def check_images(
    dataset: Dataset, *, ranges: GreyRanges = NO_RANGES, on_progress: Progress | None = None
) -> Dataset:
    """Decode every image of a dataset and leave out those that cannot be decoded.

    Args:
        dataset: The dataset.
        ranges: What grey values of more than 8 bits are stretched by where that is settled already,
            as by an earlier import; otherwise it is measured.
        on_progress: Called with (images done, images in all).

    Returns:
        The dataset with the unreadable images moved to `skipped`, each with its reason; with the
        ranges; with the images that are nearly one colour named; and with a note of each.
    """
    paths = [sample.path for sample in dataset.samples]
    checked = list(in_threads(_check, paths, on_progress))
    deep = [(path, each.kind) for path, each in zip(paths, checked, strict=True) if each.kind]
    measured = read_values(deep)
    if dataset.ranges is not None:  # of whole pictures that crops were cut out of
        ranges = ranges.completed_by(dataset.ranges)
    ranges = ranges.completed_by(ranges_of(measured))
    empty = {path for path, each in zip(paths, checked, strict=True) if each.is_empty}
    again = [path for path, _ in deep]
    empty |= {
        path
        for path, each in zip(again, in_threads(_checker(ranges), again, None), strict=True)
        if each.is_empty
    }
    reasons = [each.reason for each in checked]
    skipped = [Skipped(path, why) for path, why in zip(paths, reasons, strict=True) if why]
    notes = [
        *([f"{len(skipped)} of {len(paths)} images cannot be read: left out."] if skipped else ()),
        *_grey_notes(deep, measured, ranges),
        *_empty_notes([path for path in paths if path in empty], dataset.root),
    ]
    return replace(
        dataset,
        samples=tuple(s for s, why in zip(dataset.samples, reasons, strict=True) if not why),
        skipped=(*dataset.skipped, *skipped),
        notes=(*dataset.notes, *notes),
        ranges=ranges,
        nearly_one_colour=tuple(path for path in paths if path in empty),
    )


def grey_ranges(dataset: Dataset) -> GreyRanges:
    """Return what a dataset stretches grey values of more than 8 bits by.

    It is what `check_images` found; of a dataset that was not checked, the same is measured here.
    """
    if dataset.ranges is not None:
        return dataset.ranges
    return measure_ranges([sample.path for sample in dataset.samples])


def _check(path: Path, ranges: GreyRanges = NO_RANGES) -> _Checked:
    try:
        with open_image(path) as image:
            load_image(image, path)
            kind = grey_kind(image)
            is_settled = kind is None or ranges.of(kind) is not None
            is_empty = is_settled and is_nearly_one_colour(to_upright_rgb(image, ranges))
            return _Checked(kind=kind, is_empty=is_empty)
    except ImageError as error:
        return _Checked(str(error))
    except DECODE_ERRORS as error:
        return _Checked(str(image_error(path, error)))


def _checker(ranges: GreyRanges) -> Callable[[Path], _Checked]:
    return lambda path: _check(path, ranges)


def _grey_notes(
    deep: Sequence[tuple[Path, GreyKind]], values: dict[GreyKind, DoubleArray], ranges: GreyRanges
) -> Iterator[str]:
    for kind, measured in values.items():
        known = ranges.of(kind)
        if known is None:
            continue
        n_images = sum(its == kind for _, its in deep)
        yield (
            f"{n_images:,} images have {_WHAT[kind]}: {known} becomes black to white, in every "
            "image of the workspace."
        )
        outside = float(((measured < known.low) | (measured > known.high)).mean())
        if outside > _SHARE_OUTSIDE:
            yield (
                f"{outside:.1%} of their pixels are outside of that range, which earlier images "
                f"have set, and are cut off: they range from {GreyRange.of(measured)}. Import "
                "images of another range into a workspace of their own."
            )


def _empty_notes(empty: Sequence[Path], root: Path) -> Iterator[str]:
    if empty:
        names = [_name(path, root) for path in empty[:_N_NAMED]]
        more = f" and {len(empty) - _N_NAMED:,} more" if len(empty) > _N_NAMED else ""
        plural = "image is" if len(empty) == 1 else "images are"
        yield (
            f"{len(empty):,} {plural} nearly one colour (black, white or grey), so that nobody can "
            f"be seen: {', '.join(names)}{more}."
        )


def _name(path: Path, root: Path) -> str:
    return printable(path.relative_to(root) if path.is_relative_to(root) else path)
