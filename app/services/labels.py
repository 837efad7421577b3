"""Labels as they are now: who is who in a workspace, and how far the labelling is.

`app.services.acts` stores what people do, `app.services.history` tells it. No Streamlit here.
"""

from dataclasses import dataclass
from threading import Lock
from uuid import uuid4
from weakref import WeakKeyDictionary

from app.services.workspace import n_relocations, open_workspace
from pul.labelling import annotations
from pul.labelling.annotations import Annotations
from pul.store.workspace import Workspace

_LOG_NAME = "annotation_log"
_LATE_EVENTS = 200  # how far back to read for events that another writer stored out of order
_MAX_COUNTED_S = 60.0
_GOALS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000)  # 25 and 50 are the paper's L


@dataclass(frozen=True, slots=True)
class Pace:
    """Progress of the labelling.

    Attributes:
        n_identities: Identities so far, L.
        goal: Identities to reach next; 0 where there are as many as clusters.
        is_enough: Whether a first training with them is worth its time.
        n_images: Images in them.
        next_number: Number that the next identity gets.
        seconds: Mean labelling time per identity; None before the first.
    """

    n_identities: int
    goal: int
    is_enough: bool
    n_images: int
    next_number: int
    seconds: float | None


class _Log:
    """The annotations of one workspace, updated incrementally with new events."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state = Annotations()
        self._version = ""
        self._n_relocations = 0

    def read(self, workspace: Workspace) -> Annotations:
        with self._lock:
            version = workspace.version()
            if version == self._version:
                return self._state
            n_moves = workspace.n_relocations()
            if n_moves != self._n_relocations:  # acts name other images, if some were merged
                self._state, self._n_relocations = Annotations(), n_moves
            events = self._state.events
            known = events[-min(len(events), _LATE_EVENTS)].event_id - 1 if events else 0
            new_events = workspace.annotation_events(after=known)
            self._state = annotations.fold(new_events, self._state)
            self._version = version
            return self._state


_logs: WeakKeyDictionary[Workspace, _Log] = WeakKeyDictionary()


def read_annotations(location: str) -> Annotations:
    """Return the annotations so far: identities, links, refused images."""
    workspace = open_workspace(location)
    return _logs.setdefault(workspace, _Log()).read(workspace)


def version(location: str) -> int:
    """Return a number that grows with every label, and when images are merged."""
    return len(read_annotations(location).events) + n_relocations(location)


def name_of(location: str, image_id: int) -> str:
    """Return the name of the person whom people see in an image; "" if nobody said so."""
    state = read_annotations(location)
    owner = state.owners.get(image_id, 0)
    return next((known.name for known in state.identities if known.identity == owner), "")


def log_name(location: str) -> str:
    """Return the browsers' key for unsent acts; a recreated workspace has a new one."""
    workspace = open_workspace(location)
    name = workspace.get_setting(_LOG_NAME)
    return str(name or workspace.init_setting(_LOG_NAME, uuid4().hex))


def pace(state: Annotations, n_clusters: int) -> Pace:
    """Return the progress and the speed of the labelling.

    Args:
        state: The annotations.
        n_clusters: Clusters of the iteration: about as many people as there are to label.
    """
    seconds = [
        min(_MAX_COUNTED_S, float(event.payload.get("seconds", 0.0)))
        for event in state.events
        if event.event_id not in state.undone
    ]
    identities = state.identities
    n_made = sum(1 for event in state.events if _is_made_by_hand(state, event))
    return Pace(
        n_identities=len(identities),
        goal=next_goal(len(identities), n_clusters),
        is_enough=0 < min(_GOALS[0], n_clusters) <= len(identities),
        n_images=sum(len(identity.images) for identity in identities),
        next_number=max(state.numbers.values(), default=0) + 1,
        seconds=sum(seconds) / n_made if n_made else None,
    )


def next_goal(n_identities: int, n_clusters: int) -> int:
    """Return how many identities to reach next: never more than there are clusters; 0 for none."""
    beyond = n_clusters if n_identities < n_clusters else 0
    return next((goal for goal in _GOALS if n_identities < goal < n_clusters), beyond)


def _is_made_by_hand(state: Annotations, event: annotations.Event) -> bool:
    is_made = event.kind == "create" and event.event_id not in state.undone
    return is_made and bool(event.payload.get("seconds"))
