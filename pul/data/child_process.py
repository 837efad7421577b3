"""Reading in a process of its own: what libraries in C make of a damaged file ends that process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pul import errors
from pul.errors import DatasetError, PulError

_ROOT = Path(__file__).resolve().parents[2]  # the checkout, or site-packages


def call_in_child_process(
    module: str, file: Path, *arguments: str | Path, names: Sequence[str] = ()
) -> Any:
    """Let `python -m MODULE ARGUMENTS...` read a file, and return what it answers.

    Args:
        module: One of ours that ends in `answer`.
        file: What is read, for the message.
        arguments: Its arguments; relative paths are taken from here.
        names: Further text, of any length.

    Raises:
        DatasetError: The process crashed over the file.
        PulError: What the module raised.
    """
    given = [os.fspath(x.absolute() if isinstance(x, Path) else x) for x in arguments]
    done = subprocess.run(
        [sys.executable, "-m", module, *given],
        input=json.dumps(list(names)).encode(),
        capture_output=True,
        cwd=_ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise DatasetError(
            f"{str(file)!r} cannot be read: it is damaged in a way that stops the program that "
            f"reads it (status {done.returncode}). Copy it again."
        )
    kind, content = json.loads(done.stdout)
    if kind == "answer":
        return content
    raise getattr(errors, kind)(content)


def answer(act: Callable[[list[str], list[str]], Any]) -> None:
    """Answer `call_in_child_process`: print what comes of (arguments, names), or our error."""
    names = json.load(sys.stdin.buffer)
    try:
        said = "answer", act(sys.argv[1:], names)
    except PulError as error:
        said = type(error).__name__, str(error)
    sys.stdout.write(json.dumps(said))
