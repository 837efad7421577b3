"""How many threads a worker takes; light, unlike what it does with them."""

import os


def default_n_threads() -> int:
    """Return the number of usable cores less one, at least one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (usable or 1) - 1)
