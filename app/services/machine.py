"""CPU and memory limits of the studio's process: training runs on the same machine."""

from threadpoolctl import threadpool_limits

from pul.models.resources import default_n_threads, return_freed_memory


def save_memory() -> None:
    """Return freed memory to the system; call it before there are threads."""
    return_freed_memory()


def leave_a_core() -> None:
    """Multiply matrices on all cores but one; call it when numpy is loaded.

    With a thread on every core, a product would wait for the busiest core.
    """
    threadpool_limits(default_n_threads())
