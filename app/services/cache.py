"""A cache whose values are computed once, even when several threads ask at the same time."""

from collections.abc import Callable
from functools import wraps
from threading import Condition
from typing import ParamSpec, Protocol, TypeVar, cast

from cachetools import LRUCache
from cachetools import cached as cachetools_cached

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Cached(Protocol[P, R]):
    """A function whose last values are cached."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments, computed once."""

    def cache_clear(self) -> None:
        """Drop all values."""


def cached(maxsize: int) -> Callable[[Callable[P, R]], Cached[P, R]]:
    """Cache the last values of a function by its arguments, as `lru_cache` does.

    A caller of a value that another thread is computing waits for it: otherwise twenty people who
    open a page at once would take twenty times the time and memory.

    Args:
        maxsize: How many values are cached.
    """
    decorate = cachetools_cached(LRUCache(maxsize), condition=Condition())
    return cast("Callable[[Callable[P, R]], Cached[P, R]]", decorate)


def cached_by_identity(maxsize: int) -> Callable[[Callable[P, R]], Cached[P, R]]:
    """Cache the last values of a function by which objects it is given, not by their content.

    For large values that are never changed, but made anew. The cache keeps them alive, so that no
    other object can take the place of one.

    Args:
        maxsize: How many values are cached.
    """

    def decorate(function: Callable[P, R]) -> Cached[P, R]:
        def remember(*args: P.args, **kwargs: P.kwargs) -> tuple[object, R]:
            return (args, kwargs), function(*args, **kwargs)

        def key(*args: object, **kwargs: object) -> tuple[int, ...]:
            return (*map(id, args), *map(id, kwargs.values()))

        known = cachetools_cached(LRUCache(maxsize), key=key, condition=Condition())(remember)

        @wraps(function)
        def find(*args: P.args, **kwargs: P.kwargs) -> R:
            return known(*args, **kwargs)[1]

        return cast("Cached[P, R]", find)

    return decorate
