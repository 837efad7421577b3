"""The machine under a run: device, threads, allocator, and what to record of them."""

import platform
import resource
import sys
from importlib import metadata

import torch

from pul.config import RunConfig
from pul.errors import ConfigError
from pul.models.devices import is_gpu
from pul.models.resources import default_n_threads, keep_freed_memory

_RECORDED = ("torch", "torchvision", "numpy", "umap-learn")


def prepare(config: RunConfig) -> str:
    """Set this process up for a run and return the device to use.

    Leaves one core to the screen and the system unless the config names a number of threads: a
    trainer with a thread on every core spins at its barriers as soon as anything else is busy.

    Raises:
        ConfigError: The device does not exist on this machine.
    """
    torch.set_num_threads(config.n_threads or default_n_threads())
    keep_freed_memory()
    device = choose_device(config.device)
    if is_gpu(device):
        tune_gpu()
    return device


def choose_device(name: str) -> str:
    """Return the device of that name, or the best one for `auto`.

    Raises:
        ConfigError: The device does not exist on this machine.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"This machine cannot run on device {name!r} ({reason}). Use 'auto' or 'cpu'."
        ) from error
    return name


def tune_gpu() -> None:
    """Let cuDNN time its algorithms, and let float32 layers multiply in TF32 on a GPU.

    cuDNN's convolutions do so by themselves. TF32 keeps 10 bits of a factor, three more than
    bfloat16, and sums in float32.
    """
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")


def peak_memory_bytes() -> int:
    """Return the peak resident memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that make the numbers."""
    versions = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions
