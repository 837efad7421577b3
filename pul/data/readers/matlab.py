"""The MATLAB files of CUHK03: `python -m pul.data.readers.matlab`, called by its reader alone."""

import importlib
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io.matlab import MatReadError, loadmat

from pul.arrays import ByteArray
from pul.data.child_process import answer
from pul.errors import DatasetError, StoreError
from pul.records import Split

_MAT = "cuhk-03.mat"
_SPLITS: dict[str, Split] = {
    "train_idx": "train",
    "query_idx": "query",
    "gallery_idx": "gallery",
}
_NAME = re.compile(r"\d{1,9}_\d{1,9}_(\d{1,9})_\d{1,9}\.png", re.ASCII)
_SPLIT_ERRORS = (OSError, ValueError, TypeError, LookupError, NotImplementedError, zlib.error)
_N_FIRST_VIEW = 5  # of a person's ten images, the first five are of the first camera
_IMAGE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, RuntimeError)


def act(arguments: list[str], names: list[str]) -> Any:
    """Do `split FILE`, or `unpack FILE BOXES FOLDER` for the images of these names."""
    what, path, *rest = arguments
    if what == "split":
        return _read_split(Path(path))
    boxes, folder = rest
    return _unpack(Path(path), boxes, Path(folder), set(names))


def _read_split(path: Path) -> list[tuple[Split, str, int, int]]:
    """Read (split, file name, pid, camera) of each image, sorted by split and name."""
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


def _unpack(mat: Path, boxes: str, folder: Path, names: set[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, pixels in _images(mat, boxes):
            if name in names:
                # Written aside and renamed, so that a file with its own name is always whole.
                aside = folder / f".{name}.{os.getpid()}.tmp"
                Image.fromarray(pixels).save(aside, "PNG", compress_level=1)
                aside.replace(folder / name)
    except _IMAGE_ERRORS as error:
        raise DatasetError(f"{str(mat)!r} is damaged ({error!r}). Copy it again.") from error
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


if __name__ == "__main__":
    answer(act)
