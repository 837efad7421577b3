"""Labels in any format that is read, told by what the file or folder holds."""

import json
from pathlib import Path
from typing import Any

from pul.data.readers.listing import list_images
from pul.data.readers.table_files import PARQUET_SUFFIXES, TEXT_SUFFIXES
from pul.data.tracks import detect_track_format
from pul.errors import DatasetError
from pul.exchange.coco import is_coco, read_coco
from pul.exchange.cvat import read_cvat_labels
from pul.exchange.documents import is_document, read_document
from pul.exchange.fiftyone import is_fiftyone, read_fiftyone
from pul.exchange.folders import MANIFEST, READ, read_folders
from pul.exchange.label_studio import is_label_studio, read_label_studio
from pul.exchange.labels import Labels
from pul.exchange.mot import TRUTH, label_tracks
from pul.exchange.tables import read_label_table

_ALONE = (".xml", ".json", ".csv", ".tsv", *PARQUET_SUFFIXES)
# What tools call the file of labels in a folder that they export.
_INSIDE = (
    *(MANIFEST, "samples.json", "labels.json", "annotations.xml", "_annotations.coco.json"),
    *("annotations/*.json", "gt/gt.txt", "*/gt/gt.txt"),
)


def read_labels(source: Path) -> Labels:
    """Read labels from a file or a folder; which format it has is told by what it holds.

    Raises:
        DatasetError: It is missing, damaged, or of no format that is read; those are named.
    """
    if source.is_dir():
        return _in_folder(source)
    if not source.is_file():
        raise DatasetError(f"There is no file or folder {str(source)!r}.")
    suffix = source.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        return read_label_table(source)
    begin = _begin(source)
    if begin.startswith(b"PK\x03\x04"):
        is_sheet = suffix in (".xlsx", ".xlsm", ".ods")
        advice = "save it as CSV UTF-8" if is_sheet else "unpack it, and give the folder"
        raise DatasetError(f"{str(source)!r} is not read as it is: {advice}.")
    if begin.startswith(b"<"):
        return read_cvat_labels(source)
    if begin[:1] in (b"{", b"[") or suffix == ".json":
        return _in_json(source)
    if _is_mot(source):
        return label_tracks(source, "MOTChallenge")
    if suffix in TEXT_SUFFIXES:
        return read_label_table(source)
    raise DatasetError(f"{str(source)!r} is no file of labels that is read. Right: {READ}.")


def _in_folder(folder: Path) -> Labels:
    """Read the file of labels that a tool left in a folder, else the folder by its folders."""
    for pattern in _INSIDE:
        found = sorted(folder.glob(pattern))
        if pattern == TRUTH or pattern.endswith(f"/{TRUTH}"):
            if found:
                return _joined([label_tracks(path, "MOTChallenge") for path in found])
        elif len(found) > 1:
            names = ", ".join(str(path.relative_to(folder)) for path in found)
            raise DatasetError(f"{str(folder)!r} holds several files of labels: {names}. Give one.")
        elif found:
            return read_labels(found[0])
    lone = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _ALONE]
    if len(lone) == 1 and not list_images(folder, root=folder.resolve(), recursive=True).images:
        return read_labels(lone[0])
    return read_folders(folder)


def _in_json(path: Path) -> Labels:
    content = _parse(path)
    if is_document(content):
        return read_document(content, path)
    if is_coco(content):
        return read_coco(content, path)
    if is_fiftyone(content):
        return read_fiftyone(content, path)
    if is_label_studio(content):
        return read_label_studio(content, path)
    raise DatasetError(f"{str(path)!r} is JSON of no format that is read. Right: {READ}.")


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{str(path)!r} cannot be read as JSON: {error}.") from error


def _begin(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise DatasetError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error


def _is_mot(path: Path) -> bool:
    return detect_track_format(path) == "mot"


def _joined(parts: list[Labels]) -> Labels:
    """Join the labels of several sequences of one folder."""
    first = parts[0]
    return Labels(
        tuple(label for part in parts for label in part.labels),
        tuple(problem for part in parts for problem in part.problems),
        tuple(each for part in parts for each in part.nobody),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        first.format,
        first.first_frame,
    )
