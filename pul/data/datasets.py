"""Datasets of images: which layout a folder has, reading it, and merging several."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.boxes import cut_samples
from pul.data.crops import JPEG_QUALITY
from pul.data.detection import READERS, locate, nothing_found, open_as, resolve
from pul.data.grey import NO_RANGES, GreyRanges
from pul.data.grey_sample import measure_ranges
from pul.data.numbering import number_anew, settle_pids
from pul.data.readers import LOOSE_LAYOUT
from pul.data.readers.reading import Reader
from pul.data.samples import Sample, Skipped, asks_for_somebody, can_be_found, to_arrays
from pul.errors import AmbiguousLayoutError, ConfigError, DatasetError
from pul.records import Split

__all__ = [
    "DATASET_FORMATS",
    "Dataset",
    "Skipped",
    "SplitSummary",
    "cut_boxes",
    "detect_format",
    "merge_datasets",
    "read_dataset",
]

DATASET_FORMATS: tuple[str, ...] = tuple(reader.format for reader in READERS)

_SPLITS: tuple[Split, ...] = ("train", "query", "gallery")


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """What one split holds.

    Attributes:
        split: `train`, `query` or `gallery`.
        n_images: All images.
        n_pids: Known identities, junk and distractors not counted.
        n_camids: Known cameras.
        n_junk: Images with pid -1.
        n_distractors: Images with pid 0.
    """

    split: Split
    n_images: int
    n_pids: int
    n_camids: int
    n_junk: int
    n_distractors: int


@dataclass(frozen=True)
class Dataset:
    """Images of one source, with what is known of them.

    Attributes:
        name: Name for people.
        format: One of `DATASET_FORMATS`, or `merged`.
        root: Folder (or file, for a table) that was read, resolved.
        samples: The images, in a stable order that does not depend on the file system.
        skipped: Files left out, with reasons.
        notes: Remarks for people.
        levels: What the levels of its folders mean; "" where the layout says it.
        ranges: What its grey values of more than 8 bits are stretched by; None before
            `check_images`.
        nearly_one_colour: Images that show nothing, as `check_images` finds them.
    """

    name: str
    format: str
    root: Path
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    levels: str = ""
    ranges: GreyRanges | None = None
    nearly_one_colour: tuple[Path, ...] = ()

    def split(self, name: Split) -> tuple[Sample, ...]:
        """Return the images of one split, in order.

        Raises:
            ConfigError: There is no split of that name.
        """
        if name not in _SPLITS:
            raise ConfigError(f"split must be one of {', '.join(_SPLITS)}, but is {name!r}.")
        return tuple(sample for sample in self.samples if sample.split == name)

    def test_images(self) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
        """Return the queries and the gallery that a model is measured on.

        Raises:
            DatasetError: There are no queries, or there is no gallery.
        """
        query, gallery = self.split("query"), self.split("gallery")
        asked = asks_for_somebody(to_arrays(query)[0])
        found = can_be_found(to_arrays(gallery)[0])
        measured = (
            tuple(sample for sample, counts in zip(query, asked, strict=True) if counts),
            tuple(sample for sample, counts in zip(gallery, found, strict=True) if counts),
        )
        if not measured[0] or not measured[1]:
            raise DatasetError(
                f"{self.name} has {len(measured[0])} queries and {len(measured[1])} gallery images "
                "of which it is known who they show; both are needed. Give a dataset with folders "
                "for train, query and gallery, or a table with the columns pid and split."
            )
        return measured

    def summary(self) -> list[SplitSummary]:
        """Count images, identities and cameras of each split that has images."""
        return [_summarise(name, self.split(name)) for name in _SPLITS if self.split(name)]


def detect_format(root: str | Path) -> str:
    """Tell the format of a folder or file from its layout.

    Args:
        root: A folder, a folder that holds just one dataset folder, or a CSV or Parquet file.

    Returns:
        One of `DATASET_FORMATS`.

    Raises:
        DatasetError: Nothing fits, several things fit, or `root` is one level too low. The
            message says what was seen there and what would be right.
    """
    return locate(resolve(root)).reader.format


def read_dataset(
    root: str | Path,
    *,
    format: str = "auto",
    levels: str = "",
    cache_dir: Path | None = None,
    cut: bool = True,
    **options: object,
) -> Dataset:
    """Read the list of images of a dataset; no image is opened (`check_images` does that).

    Args:
        root: Folder of the dataset, or a CSV or Parquet file.
        format: One of `DATASET_FORMATS`, or `auto` to detect it.
        levels: What the levels of its folders mean, from the outermost: split, person, camera,
            tracklet, side, recording, date, class, or - for nothing, as in `camera/person`; the
            last may be that of the parts of file names, `split/person_camera_-`. Evidence decides
            where it is not given.
        cache_dir: Where a format whose images lie inside one big file may unpack them
            (`cuhk03-mat`), and where crops go that a table names by boxes in whole pictures; others
            do not use it.
        cut: Whether to cut such crops out. Otherwise samples have a box, and `cut_boxes` is left to
            the caller.
        options: Options of the format: `boxes` ("detected" or "labeled") of `cuhk03-np` and
            `cuhk03-mat`; `split_seed` of `viper`; `include_val` of `msmt17`; `bbox` ("xywh", "xyxy"
            or "none") of `table`.

    Returns:
        The dataset. The order of its samples is that of their sorted paths within each split.

    Raises:
        AmbiguousLayoutError: Its folders can be read in several ways; it names them.
        DatasetError: There is no dataset there, or no image in it.
        ConfigError: Unknown format or option.
    """
    place = resolve(root)
    if levels and format == "auto":
        format = LOOSE_LAYOUT.format
    reader, folder, notes = locate(place) if format == "auto" else open_as(place, format)
    given = {**options, "levels": levels} if levels else options
    reading = reader.read(folder, **_options(reader, cache_dir, given))
    if reading.readings:
        raise AmbiguousLayoutError(
            folder, [(choice.levels, choice.text) for choice in reading.readings]
        )
    if not reading.samples:
        raise DatasetError(nothing_found(reader, folder, reading.skipped))
    samples, pid_notes = settle_pids(reading.samples)
    dataset = Dataset(
        name=reading.name,
        format=reader.format,
        root=folder,
        samples=samples,
        skipped=reading.skipped,
        notes=(*notes, *reading.notes, *pid_notes),
        levels=reading.levels,
    )
    if not cut or all(sample.box is None for sample in samples):
        return dataset
    if cache_dir is None:
        raise DatasetError(
            f"{place.name} names boxes in whole pictures: `python -m pul import` cuts them into a "
            "workspace. From Python, give cache_dir."
        )
    return cut_boxes(dataset, cache_dir)


def cut_boxes(
    dataset: Dataset,
    folder: Path | None,
    *,
    ranges: GreyRanges = NO_RANGES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Cut the crops of a data set out of whole pictures.

    Args:
        dataset: Samples with a box are cut, others stay as they are.
        folder: Where the crops go; None only tells which of them can be cut.
        ranges: What grey values of more than 8 bits are stretched by where that is settled already;
            otherwise it is measured.
        on_progress: Called with (pictures read, pictures in all).

    Returns:
        The data set with a crop's path in place of picture and box; boxes that give no crop are
        skipped, with their reasons.

    Raises:
        StoreError: The disk refuses.
    """
    pictures = dict.fromkeys(sample.path for sample in dataset.samples if sample.box is not None)
    ranges = ranges.completed_by(measure_ranges(list(pictures)))
    found, skipped = cut_samples(dataset.samples, folder, ranges=ranges, on_progress=on_progress)
    n_boxes = sum(sample.box is not None for sample in dataset.samples)
    note = (
        f"{n_boxes - len(skipped):,} crops of whole pictures go into the workspace, as JPEG of "
        f"quality {JPEG_QUALITY}."
    )
    return replace(
        dataset,
        samples=found,
        skipped=(*dataset.skipped, *skipped),
        notes=(*dataset.notes, note),
        ranges=ranges,
    )


def merge_datasets(datasets: Sequence[Dataset]) -> Dataset:
    """Join several datasets into one, for example two sources to initialise from.

    Identities and cameras of the second and later datasets are renumbered so that none collide;
    junk (-1), distractors (0) and unknown ones stay what they are. An image that several datasets
    hold is kept once.

    Args:
        datasets: At least one dataset.

    Returns:
        A dataset of format `merged` with the samples of each in turn.

    Raises:
        DatasetError: There is nothing to merge.

    References:
        Table IV, initialisation from two sources.
    """
    if not datasets:
        raise DatasetError("No dataset to merge. Give at least one.")
    samples: dict[tuple[Path, object], Sample] = {}
    skipped = [item for dataset in datasets for item in dataset.skipped]
    for dataset in datasets:
        for sample in number_anew(dataset.samples, tuple(samples.values())):
            if (sample.path, sample.box) in samples:
                skipped.append(Skipped(sample.path, "already in a dataset merged before"))
            else:
                samples[sample.path, sample.box] = sample
    return Dataset(
        name=" + ".join(dataset.name for dataset in datasets),
        format="merged",
        root=datasets[0].root,
        samples=tuple(samples.values()),
        skipped=tuple(skipped),
        notes=tuple(f"{d.name}: {note}" for d in datasets for note in d.notes),
    )


def _summarise(split: Split, samples: Sequence[Sample]) -> SplitSummary:
    pids = [sample.pid for sample in samples]
    return SplitSummary(
        split=split,
        n_images=len(samples),
        n_pids=len({pid for pid in pids if pid is not None and pid > 0}),
        n_camids=len({sample.camid for sample in samples} - {None}),
        n_junk=pids.count(-1),
        n_distractors=pids.count(0),
    )


def _options(
    reader: Reader, cache_dir: Path | None, options: dict[str, object]
) -> dict[str, object]:
    known = set(inspect.signature(reader.read).parameters) - {"root"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise ConfigError(
            f"{reader.format} has no option {unknown[0]!r}; "
            f"its options are: {', '.join(sorted(known)) or 'none'}."
        )
    return {**options, "cache_dir": cache_dir} if "cache_dir" in known else dict(options)
