"""CUHK03 from its raw cuhk-03.mat, split by the files of the new protocol."""

import hashlib
from pathlib import Path

from pul.data.child_process import call_in_child_process
from pul.data.readers.published import count_notes, count_splits
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped
from pul.errors import ConfigError, DatasetError, UnpackingError
from pul.records import Split

_MAT = "cuhk-03.mat"
_MATLAB = "pul.data.readers.matlab"
_BOXES = ("detected", "labeled")


def _is_mat(root: Path) -> bool:
    return (root / _MAT).is_file()


def _read_mat(root: Path, *, boxes: str = "detected", cache_dir: Path | None = None) -> Reading:
    """Read the split file, and unpack the images it names to PNG files below `cache_dir`."""
    if boxes not in _BOXES:
        raise ConfigError(f"boxes must be 'detected' or 'labeled', but is {boxes!r}.")
    if not _is_mat(root):
        raise DatasetError(f"There is no {_MAT} in {str(root)!r}. Give the folder that holds it.")
    if cache_dir is None:
        raise UnpackingError(
            f"The images of CUHK03 lie inside {_MAT} and must be unpacked, into about 1 GB. "
            "`python -m pul import` unpacks them into the workspace; `evaluate` and `train-source` "
            "need a folder for them: --cache FOLDER. From Python, give cache_dir."
        )
    listed = _read_split(root / f"cuhk03_new_protocol_config_{boxes}.mat")
    folder = _unpacked_folder(root / _MAT, boxes, cache_dir)
    missing = {name for _, name, _, _ in listed if not (folder / name).exists()}
    if missing:
        _unpack(root / _MAT, boxes, folder, missing)
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for split, name, pid, camid in listed:
        path = folder / name
        if path.exists():
            samples.append(Sample(path, pid=pid, camid=camid, split=split))
        else:
            skipped.append(Skipped(path, f"listed in the split file, but not in {_MAT}"))
    published = f"CUHK03 ({boxes})"
    notes = [f"Images were unpacked to {folder}.", *count_notes(count_splits(samples), [published])]
    return Reading(published, tuple(samples), tuple(skipped), tuple(notes))


def _read_split(path: Path) -> list[tuple[Split, str, int, int]]:
    """Read (split, file name, pid, camera) of each image, sorted by split and name."""
    if not path.is_file():
        raise DatasetError(
            f"There is no {path.name} beside {_MAT}. Put the split file of CUHK03's new protocol "
            "there."
        )
    return [tuple(row) for row in call_in_child_process(_MATLAB, path, "split", path)]


def _unpack(mat: Path, boxes: str, folder: Path, names: set[str]) -> None:
    call_in_child_process(_MATLAB, mat, "unpack", mat, boxes, folder, names=sorted(names))


def _unpacked_folder(mat: Path, boxes: str, cache_dir: Path) -> Path:
    status = mat.stat()
    key = f"{mat}\0{status.st_size}\0{status.st_mtime_ns}".encode(errors="surrogateescape")
    return cache_dir.absolute() / f"cuhk03-{hashlib.sha256(key).hexdigest()[:12]}" / boxes


CUHK03_MAT = Reader(
    "cuhk03-mat",
    f"CUHK03, new protocol, raw: {_MAT} beside cuhk03_new_protocol_config_detected.mat "
    "and cuhk03_new_protocol_config_labeled.mat",
    _is_mat,
    _read_mat,
)
