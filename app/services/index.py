"""The suggestion index of an iteration: built once, in the background if possible."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from app.services.cache import cached
from app.services.workspace import open_workspace, run_images
from pul.arrays import FloatArray
from pul.errors import PulError
from pul.labelling.loading import load_index, read_colours
from pul.labelling.suggestions import SuggestionIndex
from pul.store.workspace import Workspace

_Run = tuple[Workspace, int]

_background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
_lock = Lock()
_prepared: dict[_Run, int] = {}  # the newest iteration with an index
_requested: dict[_Run, int] = {}  # the newest one whose index was requested


def suggestion_index(location: str, run_id: int, iteration: int) -> SuggestionIndex:
    """Return the suggestion index of an iteration; the first call takes seconds.

    Raises:
        StoreError: There is no such iteration.
    """
    return _index(location, open_workspace(location), run_id, iteration)


def prepared(location: str, run_id: int, newest: int) -> int:
    """Return the iteration to label on: the newest with an index.

    Training never blocks labelling: the index of a new iteration is built in the background, and
    the previous one is used until then. Only the first of a run is waited for.

    Args:
        location: The workspace.
        run_id: The run.
        newest: Its newest finished iteration.

    Raises:
        StoreError: There is no such iteration.
    """
    run = (open_workspace(location), run_id)
    with _lock:
        known = _prepared.get(run)
        if known is not None and known != newest and _requested.get(run) != newest:
            _requested[run] = newest
            _background.submit(_prepare_in_background, location, run, newest)
    if known is None:
        _prepare(location, run, newest)
        known = newest
    return min(known, newest)  # `doctor --repair` may have dropped iterations


def _prepare(location: str, run: _Run, iteration: int) -> None:
    suggestion_index(location, run[1], iteration)
    with _lock:
        _prepared[run] = iteration


def _prepare_in_background(location: str, run: _Run, iteration: int) -> None:
    try:
        _prepare(location, run, iteration)
    except PulError:  # the next request fails in the foreground and shows the error
        with _lock:
            _prepared.pop(run, None)
            _requested.pop(run, None)


@cached(maxsize=2)
def _index(location: str, workspace: Workspace, run_id: int, iteration: int) -> SuggestionIndex:
    return load_index(workspace, run_id, iteration, colours=_colours(location, workspace, run_id))


@cached(maxsize=1)
def _colours(location: str, workspace: Workspace, run_id: int) -> FloatArray | None:
    return read_colours(workspace, run_images(location, run_id))
