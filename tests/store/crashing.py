"""Processes that do something to a workspace and kill themselves at the n-th call of some kind.

The hooks live here: the product knows nothing of them. A process that gets through ends with 0.
"""

import itertools
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any, BinaryIO

import numpy as np
from sqlalchemy import Engine, event

from pul.store.workspace import Workspace
from tests.support.fakes import iteration_arrays, iteration_record

Act = Callable[..., None]

# A server with these modules loaded forks each process: milliseconds instead of seconds.
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def runs_through(act: Act, call: str, n: int, *arguments: Any) -> bool:
    """Do something in a process that dies at its n-th call; return whether it ended before."""
    process = _CONTEXT.Process(target=_act, args=(act, call, n, arguments))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), f"ended with {process.exitcode}"
    return process.exitcode == 0


def add_iteration(location: str, run_id: int) -> None:
    with Workspace.open(location) as workspace:
        iteration = len(workspace.iterations(run_id))
        arrays = iteration_arrays(seed=iteration)
        workspace.add_iteration(run_id, iteration_record(iteration), arrays, b"%d" % iteration)


def annotate(location: str, acknowledged: str) -> None:
    with Workspace.open(location) as workspace:
        number = workspace.append_annotation_event("create", {"images": [1]}, "ann")
    descriptor = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, b"%d\n" % number)


def open_workspace(location: str) -> None:
    Workspace.open(location).close()


def die_at(call: str, n: int) -> None:
    """Let the n-th call of a kind be this process's last.

    Args:
        call: `save` dies half-way in an array's file; `rename!` just after a rename; `commit` just
            before one, and so does `sql: ...` before a statement of these words; other names are of
            functions of `os`.
        n: Which call, from 1.
    """
    calls = itertools.count(1)

    def is_last(*_arguments: object, **_options: object) -> bool:
        return next(calls) == n

    def die_if_last(*_arguments: object, **_options: object) -> None:
        if is_last():
            os.kill(os.getpid(), signal.SIGKILL)

    def die_at_words(_connection: object, _cursor: object, words: str, *_rest: object) -> None:
        if call.removeprefix("sql:").strip() in words:
            die_if_last()

    if call.startswith("sql:"):
        event.listen(Engine, "before_cursor_execute", die_at_words)
    elif call == "commit":
        event.listen(Engine, "commit", die_if_last)
    elif call == "save":
        np.save = _before(np.save, lambda file, _: is_last() and _write_half(file))
    elif call == "rename!":
        os.rename = _after(os.rename, die_if_last)
    else:
        setattr(os, call, _before(getattr(os, call), die_if_last))


def _before(function: Callable[..., Any], act: Callable[..., Any]) -> Callable[..., Any]:
    def patched(*arguments: Any, **options: Any) -> Any:
        act(*arguments)
        return function(*arguments, **options)

    return patched


def _after(function: Callable[..., Any], act: Callable[..., Any]) -> Callable[..., Any]:
    def patched(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        act(*arguments)
        return result

    return patched


def _write_half(file: BinaryIO) -> None:
    file.write(b"\x93NUMPY half of an array")
    os.kill(os.getpid(), signal.SIGKILL)


def _act(act: Act, call: str, n: int, arguments: tuple[Any, ...]) -> None:
    die_at(call, n)
    act(*arguments)
