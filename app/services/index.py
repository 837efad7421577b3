"""The suggestion index of an iteration: mapped from where a worker stored it, or made behind."""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from app.services.workspace import open_workspace
from pul import jobs
from pul.errors import JobError
from pul.labelling.loading import load_index, stored_index
from pul.labelling.suggestions import SuggestionIndex
from pul.records import JobProgress
from pul.store.workspace import Workspace

_Place = tuple[Workspace, int, int]  # workspace, run, iteration

_MOST_BYTES, _MOST_IMAGES = 16 << 20, 5_000  # features that take this process a second
_N_OPEN = 4

_background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
_lock = Lock()
_open: OrderedDict[_Place, SuggestionIndex] = OrderedDict()  # the last ones used
_making: dict[_Place, Future[SuggestionIndex] | int] = {}  # in a thread, or by a job


def suggestion_index(location: str, run_id: int, iteration: int) -> SuggestionIndex:
    """Return the suggestion index of an iteration; it is made if `prepared` was not asked before.

    Raises:
        StoreError: There is no such iteration.
    """
    place = (open_workspace(location), run_id, iteration)
    return _keep(place, _find(place) or load_index(*place))


def kept_index(workspace: Workspace, run_id: int, iteration: int) -> SuggestionIndex | None:
    """Return the suggestion index of an iteration if it is there; None where it must be made first.

    Raises:
        StoreError: There is no such iteration.
    """
    place = (workspace, run_id, iteration)
    index = _find(place)
    return None if index is None else _keep(place, index)


def prepared(location: str, run_id: int, newest: int) -> int | None:
    """Return the iteration to label on: the newest with an index.

    Training never blocks labelling: workers store an index with each iteration. If one is missing,
    it is made behind, and an earlier iteration is used until then.

    Args:
        location: The workspace.
        run_id: The run.
        newest: Its newest finished iteration.

    Returns:
        The iteration; None while its index is made and no earlier one has any.

    Raises:
        StoreError: There is no such iteration, or its index cannot be made.
        ArtifactError: Its arrays are missing or damaged.
        JobError: The worker that makes the index failed, or cannot be started.
    """
    workspace = open_workspace(location)
    place = (workspace, run_id, newest)
    if index := _find(place):
        _keep(place, index)
        return newest
    _make_behind(place)
    earlier = ((workspace, run_id, iteration) for iteration in range(newest - 1, -1, -1))
    return next((iteration for *_, iteration in filter(_find, earlier)), None)


def progress(location: str, run_id: int, newest: int) -> JobProgress | None:
    """Return how far the job is that makes an index; None if there is none."""
    workspace = open_workspace(location)
    making = _making.get((workspace, run_id, newest))
    return workspace.job(making).progress if isinstance(making, int) else None


def _find(place: _Place) -> SuggestionIndex | None:
    with _lock:
        known = _open.get(place)
    return known or stored_index(*place)


def _keep(place: _Place, index: SuggestionIndex) -> SuggestionIndex:
    """Keep an index, and return the one of this place that was kept first."""
    with _lock:
        index = _open.setdefault(place, index)
        _open.move_to_end(place)
        if len(_open) > _N_OPEN:
            _open.popitem(last=False)
    return index


def _make_behind(place: _Place) -> None:
    """Start making an index, unless that is being done; raise what went wrong, once."""
    with _lock:
        making = _making.get(place)
        if making is None:
            _making[place] = _start(place)
        elif _has_ended(place[0], making):
            del _making[place]
    if isinstance(making, Future) and making.done():
        _keep(place, making.result())
    elif isinstance(making, int) and place not in _making:
        job = place[0].job(making)
        if job.status != "finished":
            raise JobError(job.error or "Similar people were not found: somebody stopped the job.")


def _start(place: _Place) -> Future[SuggestionIndex] | int:
    workspace, run_id, iteration = place
    features = workspace.arrays(run_id, iteration, "features")["features"]
    is_small = features.nbytes <= _MOST_BYTES and len(features) <= _MOST_IMAGES
    if is_small or workspace.is_read_only:
        return _background.submit(load_index, *place)
    return jobs.start_suggest(*place).job_id


def _has_ended(workspace: Workspace, making: Future[SuggestionIndex] | int) -> bool:
    if isinstance(making, Future):
        return making.done()
    jobs.reap_lost_jobs(workspace)
    return workspace.job(making).status in ("finished", "stopped", "failed")
