"""CUHK03 from its raw cuhk-03.mat, split by the files of the new protocol."""

import hashlib
import importlib
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pul.arrays import ByteArray
from pul.data.readers.published import count_notes, count_splits
from pul.data.readers.reading import Reader, Reading
from pul.data.samples import Sample, Skipped
from pul.errors import ConfigError, DatasetError, StoreError
from pul.records import Split

_MAT = "cuhk-03.mat"
_BOXES = ("detected", "labeled")
_SPLITS: dict[str, Split] = {
    "train_idx": "train",
    "query_idx": "query",
    "gallery_idx": "gallery",
}
_NAME = re.compile(r"\d{1,9}_\d{1,9}_(\d{1,9})_\d{1,9}\.png", re.ASCII)
_SPLIT_ERRORS = (OSError, ValueError, TypeError, LookupError, NotImplementedError, zlib.error)
_N_FIRST_VIEW = 5  # of a person's ten images, the first five are of the first camera


def _is_mat(root: Path) -> bool:
    return (root / _MAT).is_file()


def _read_mat(root: Path, *, boxes: str = "detected", cache_dir: Path | None = None) -> Reading:
    """Read the split file, and unpack the images it names to PNG files below `cache_dir`."""
    if boxes not in _BOXES:
        raise ConfigError(f"boxes must be 'detected' or 'labeled', but is {boxes!r}.")
    if not _is_mat(root):
        raise DatasetError(f"There is no {_MAT} in {str(root)!r}. Give the folder that holds it.")
    if cache_dir is None:
        raise DatasetError(
            f"The images of CUHK03 lie inside {_MAT} and must be unpacked. "
            "Give cache_dir, a folder with about 1 GB of free space."
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
    from scipy.io.matlab import MatReadError, loadmat  # slow to load, and only this layout needs it

    if not path.is_file():
        raise DatasetError(
            f"There is no {path.name} beside {_MAT}. Put the split file of CUHK03's new protocol "
            "there."
        )
    try:
        content = loadmat(path)
        names = [str(np.ravel(cell)[0]) for cell in np.ravel(content["filelist"])]
        pids = [int(value) for value in np.ravel(content["labels"])]
        indices = {key: np.ravel(content[key]).astype(np.int64) - 1 for key in _SPLITS}
        listed = [
            (_SPLITS[key], names[index], pids[index], _camid(names[index]))
            for key in _SPLITS
            for index in sorted(indices[key].tolist(), key=lambda i: names[i])
        ]
    except (*_SPLIT_ERRORS, MatReadError) as error:
        raise DatasetError(
            f"{str(path)!r} is no split file of CUHK03's new protocol ({error!r}). It should hold "
            "filelist, labels, train_idx, query_idx and gallery_idx."
        ) from error
    if any(index.min(initial=0) < 0 for index in indices.values()):
        raise DatasetError(f"{str(path)!r} has indices below 1; they should count from 1.")
    return listed


def _camid(name: str) -> int:
    """Read the view, the third field of a name like 1_001_2_03.png."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"file name {name!r} is not of the form P_III_V_NN.png")
    return int(match[1])


def _unpacked_folder(mat: Path, boxes: str, cache_dir: Path) -> Path:
    status = mat.stat()
    key = f"{mat}\0{status.st_size}\0{status.st_mtime_ns}".encode(errors="surrogateescape")
    return cache_dir.absolute() / f"cuhk03-{hashlib.sha256(key).hexdigest()[:12]}" / boxes


def _unpack(mat: Path, boxes: str, folder: Path, names: set[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, pixels in _images(mat, boxes):
            if name in names:
                # Written aside and renamed, so that a file with its own name is always whole.
                aside = folder / f".{name}.{os.getpid()}.tmp"
                Image.fromarray(pixels).save(aside, "PNG", compress_level=1)
                aside.replace(folder / name)
    except OSError as error:
        raise StoreError(
            f"Cannot unpack {str(mat)!r} to {str(folder)!r}: {error}. Free some space, or choose "
            "a folder that you may write to."
        ) from error


def _images(mat: Path, boxes: str) -> Iterator[tuple[str, ByteArray]]:
    """Yield (name, pixels (H, W, 3)) of every image, the names as the split files write them."""
    with _open_mat(mat) as file:
        if boxes not in file:
            raise DatasetError(f"{str(mat)!r} has no {boxes!r}. Give the original {_MAT}.")
        for pair, reference in enumerate(np.ravel(file[boxes][()]), start=1):
            # HDF5 keeps MATLAB's arrays transposed: (10, people) of references to (3, W, H).
            people = file[reference][()].T
            for person, row in enumerate(people, start=1):
                for number, cell in enumerate(row, start=1):
                    pixels = file[cell][()]
                    if pixels.ndim == 3 and pixels.size:
                        view = 1 if number <= _N_FIRST_VIEW else 2
                        name = f"{pair}_{person:03d}_{view}_{number:02d}.png"
                        yield name, np.ascontiguousarray(pixels.T, dtype=np.uint8)


def _open_mat(mat: Path) -> Any:
    try:
        return importlib.import_module("h5py").File(mat, "r")  # needed by this one layout only
    except ImportError as error:
        raise DatasetError(
            f"Reading {_MAT} needs the package h5py: install it (pip install h5py), or give "
            "CUHK03 as folders."
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{str(mat)!r} is no MATLAB 7.3 file, or damaged ({error}). Copy it again."
        ) from error


CUHK03_MAT = Reader(
    "cuhk03-mat",
    f"CUHK03, new protocol, raw: {_MAT} beside cuhk03_new_protocol_config_detected.mat "
    "and cuhk03_new_protocol_config_labeled.mat",
    _is_mat,
    _read_mat,
)
