"""The door to what the studio's own process takes of the machine, which trains beside it."""

from threadpoolctl import threadpool_limits

from pul.models.resources import default_n_threads, return_freed_memory


def save_memory() -> None:
    """Give back what is freed; call it before there are threads."""
    return_freed_memory()


def leave_a_core() -> None:
    """Multiply matrices on all cores but one; call it when numpy is loaded.

    A product with a thread on every core waits for the busiest of them.
    """
    threadpool_limits(default_n_threads())
