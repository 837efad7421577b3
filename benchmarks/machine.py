"""The machine that a benchmark ran on."""

import os
import platform
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

_LIBRARIES = ("numpy", "torch", "scikit-learn", "faiss-cpu", "umap-learn")


def describe(n_threads: int, device: str = "cpu") -> dict[str, object]:
    """Return the processor, threads, load, libraries and BLAS."""
    blas = {f"{pool['internal_api']} {pool.get('version')}" for pool in threadpool_info()}
    return {
        "processor": _processor() + _gpu(device),
        "cores": os.cpu_count(),
        "threads": n_threads,
        "load before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "thread pools": sorted(blas),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpu(device: str) -> str:
    import torch

    return f" and {torch.cuda.get_device_name(device)}" if device.startswith("cuda") else ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"
