"""Seeds: one for each purpose, all derived from the seed of a run."""

import hashlib


def derive_seed(seed: int, *names: str | int) -> int:
    """Derive an independent seed for one purpose, the same on every machine and Python.

    Args:
        seed: The run's seed.
        names: What it is for, such as ("cluster", 3).

    Returns:
        A seed in [0, 2**31).
    """
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return int.from_bytes(digest[:4], "little") % 2**31
