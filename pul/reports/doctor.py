"""Checks of this machine: what is wrong, and how to fix it."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import threadpoolctl
import torch

from pul.demo import START_MODEL
from pul.models.resources import default_n_threads
from pul.reports.finding import Finding

_LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "faiss-cpu",
    "umap-learn",
    "streamlit",
    "plotly",
    "sqlalchemy",
    "pillow",
)
_OLDEST_PYTHON = (3, 11)


def examine_machine() -> list[Finding]:
    """Check Python, the libraries, the devices, the threads and the weights."""
    return [*_check_versions(), _check_device(), _check_threads(), *_check_weights()]


def describe_libraries() -> dict[str, str]:
    """Return the versions of the libraries, by name; `absent` where one is not installed."""
    return {name: _version(name) or "absent" for name in _LIBRARIES}


def describe_thread_pools() -> list[dict[str, Any]]:
    """Return the BLAS and OpenMP libraries that are loaded, with their threads."""
    return [dict(pool) for pool in threadpoolctl.threadpool_info()]


def _check_versions() -> Iterator[Finding]:
    python = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        yield Finding("error", "python", f"{python} is too old; use Python 3.11, 3.12 or 3.13.")
    else:
        yield Finding("ok", "python", python)
    for name, version in describe_libraries().items():
        if version == "absent":
            fix = "`pip install -r requirements.txt`, or run `make app`"
            yield Finding("warning", name, f"not installed: {fix}.")
        else:
            yield Finding("ok", name, version)


def _check_device() -> Finding:
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding("ok", "device", f"cuda: {', '.join(names)}")
    return Finding(
        "warning",
        "device",
        "no GPU that torch can use: preset `paper` (ResNet-50 at 224×224) takes days here; use "
        "`quick` with a small backbone.",
    )


def _check_threads() -> Finding:
    n_cores, n_threads = os.cpu_count() or 1, default_n_threads()
    return Finding(
        "ok", "threads", f"{n_threads} of {n_cores} cores train, the others are left to the studio"
    )


def _check_weights() -> Iterator[Finding]:
    if START_MODEL.is_file():
        yield Finding("ok", "start model", f"{START_MODEL.name}, for the demo")
    else:
        yield Finding(
            "error",
            "start model",
            f"{START_MODEL} is missing; restore it from the repository or reinstall pul.",
        )
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    files = sorted(path.name for path in folder.glob("*.pth")) if folder.is_dir() else []
    if files:
        yield Finding("ok", "torchvision weights", ", ".join(files))
    else:
        yield Finding(
            "warning",
            "torchvision weights",
            f"none in {folder}: they are downloaded at first use. Without a network, put the "
            "file there or name one with --weights.",
        )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
