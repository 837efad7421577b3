"""The tensors in a checkpoint of any program, by flat names, without running what it holds."""

import pickle
import re
import struct
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pul.errors import ModelError
from pul.models.file_kinds import read_kind, refuse

# What the readers of weights were seen to raise on damaged bytes.
DAMAGED = (
    SafetensorError,
    pickle.UnpicklingError,
    OSError,
    EOFError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    struct.error,
    zipfile.BadZipFile,
)
_MODULE_PARTS = ("_modules", "_parameters", "_buffers")  # where a pickled module keeps its tensors
_REFUSED = re.compile(r"GLOBAL (\S+) was not an allowed global")
_MAX_CLASSES = 1000  # of other programs in a file of torch's older format
_MAX_DEPTH = 64


class _Ignored:
    """Stands for a class or function of another program: takes anything and does nothing.

    What it makes is a dictionary, so that what the file stores in such an object can be looked at.
    """

    def __new__(cls, *_: Any, **__: Any) -> "OrderedDict[Any, Any]":  # type: ignore[misc]
        return OrderedDict()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read every tensor of a checkpoint, however deep it lies in dictionaries, lists and modules.

    torch reads with `weights_only`: no class or function that a file names is ever imported or
    called. NumPy's numbers and arrays are read; whatever else is beside the tensors is ignored.

    Args:
        path: A safetensors file, or what `torch.save` wrote.

    Returns:
        Tensors by their dotted path, in the file's order: `state_dict.module.conv1.weight`.

    Raises:
        ModelError: There is no file, it is of another kind, damaged, or holds no tensors.
    """
    kind = read_kind(path)
    if kind.use == "nothing":
        raise refuse(path, kind)
    tensors: dict[str, Tensor] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's on old formats
            content = load_file(path) if _is_safetensors(path) else _load_torch(path)
        _collect(content, "", tensors, 0)
    except DAMAGED as error:
        raise ModelError(
            f"{path} cannot be read as weights: {_reason(error)}. Save its state dict again with "
            "`torch.save(model.state_dict(), FILE)`, or download it again."
        ) from error
    if not tensors:
        keys = (
            f"; its keys are {sorted(map(str, content))[:5]}" if isinstance(content, dict) else ""
        )
        raise ModelError(f"{path} cannot be read as weights: it holds no tensors{keys}.")
    return tensors


def _reason(error: BaseException) -> str:
    """Return what is wrong without torch's advice, which is to run what the file holds."""
    text = str(error).partition("Check the documentation")[0]
    reason = re.search(r"Trying to load.*|(?<=WeightsUnpickler error:).*", text, re.DOTALL)
    return " ".join((reason[0] if reason else text).split())[:200].rstrip(".")


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _load_torch(path: Path) -> Any:
    """Return what `torch.save` wrote, with an empty dictionary for each object that is no data."""
    ignored = set(_foreign_names(path))
    for _ in range(_MAX_CLASSES):
        try:
            with torch.serialization.safe_globals([*_numpy_data(), *_stand_ins(ignored)]):
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:  # torch's older format is not listed beforehand
            found = _REFUSED.search(str(error))
            if found is None or found[1] in ignored:
                raise
            ignored.add(found[1])
    raise pickle.UnpicklingError("it names too many classes of other programs")


def _foreign_names(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        return []
    with torch.serialization.safe_globals(_numpy_data()):
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(path))


def _stand_ins(names: set[str]) -> list[Any]:
    spelled = {f"{package}{name}" for name in names for package in ("", "builtins.")}
    return [(_Ignored, name) for name in sorted(spelled)]


def _numpy_data() -> list[Any]:
    """Return what rebuilds NumPy's numbers and arrays: data only, and never Python objects."""
    from numpy.dtypes import __all__ as names

    kinds = [getattr(np.dtypes, name) for name in names if name != "ObjectDType"]
    rebuild: Any = np._core.multiarray  # type: ignore[attr-defined]
    functions = [
        (getattr(rebuild, name), f"numpy.{package}.multiarray.{name}")
        for name in ("scalar", "_reconstruct")
        for package in ("core", "_core")  # before and since NumPy 2
    ]
    return [np.dtype, np.ndarray, *kinds, *functions]


def _collect(value: Any, name: str, tensors: dict[str, Tensor], depth: int) -> None:
    """Add the tensors inside a value to `tensors`, by their path."""
    if depth > _MAX_DEPTH:
        raise ValueError("its dictionaries lie too deep in each other")
    if isinstance(value, Tensor):
        tensors[name] = value.detach()
        return
    inner: dict[Any, Any] = {}
    if isinstance(value, Mapping):
        inner = {**value, **getattr(value, "__dict__", {})}  # of a module that was pickled whole
    elif isinstance(value, list | tuple):
        inner = dict(enumerate(value))
    for key, part in inner.items():
        step = "" if key in _MODULE_PARTS else _text(key)
        _collect(part, ".".join(filter(None, (name, step))), tensors, depth + 1)


def _text(key: Any) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)
