"""Values that are made once, however many people ask for them at the same time."""

from collections.abc import Callable
from threading import Condition
from typing import ParamSpec, TypeVar

from cachetools import LRUCache, cached

P = ParamSpec("P")
R = TypeVar("R")


def kept(maxsize: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last values of a function by its arguments, as `lru_cache` does.

    Who asks for a value that somebody else's thread is making waits for it instead of making it
    too: twenty people who open a page at once would take twenty times as long, and as much memory.

    Args:
        maxsize: How many values are kept.
    """
    return cached(LRUCache(maxsize), condition=Condition())
