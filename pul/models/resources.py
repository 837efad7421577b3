"""What glibc does with memory that was freed: a worker keeps it, a server gives it back."""

import ctypes
import os
import platform
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8  # malloc.h
_LARGE_BYTES = 2**20
_N_ARENAS = 2


def keep_freed_memory() -> None:
    """Tell glibc to keep big freed buffers.

    Torch maps its buffers anew at each step otherwise, and every page faults again: 1.1-1.5× time.
    """
    _set(_M_MMAP_MAX, 0)
    _set(_M_TRIM_THRESHOLD, 2**31 - 1)


def return_freed_memory() -> None:
    """Tell glibc to give big freed buffers back at once, and to share its arenas among threads.

    Each visit of a page is a thread. Left to itself, glibc lets up to eight arenas a core grow to
    the most that any of their threads ever needed. Call it before there are threads.
    """
    _set(_M_ARENA_MAX, _N_ARENAS)
    _set(_M_MMAP_THRESHOLD, _LARGE_BYTES)  # named, so that it does not grow with what is freed


def _set(parameter: int, value: int) -> None:
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(parameter, value)


def default_n_threads() -> int:
    """Return the number of usable cores less one, at least one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (usable or 1) - 1)
