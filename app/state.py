"""Every key of the session's state and of the address, with its type and its first value."""

from collections.abc import Sequence
from copy import copy
from typing import Any, cast

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import services
from app.services.desk import Desk
from pul.records import RunRecord

LOCATION = "location"
RUN_ID = "run_id"
ITERATIONS = "iterations"
FOUND = "found"
READINGS = "readings"
PAGES = "pages"
DESKS = "desks"
CARD_IMAGES = "card_images"
ANNOTATOR = "annotator"
COMPARED = "compared"
FORK = "fork"
FORM_REMEMBERED = "form_kept"
SHELVED = "shelved"
TROUBLE = "trouble"
PREVIEWED = "previewed"

_FIRST: dict[str, Any] = {
    LOCATION: None,  # the workspace that is open; the server's own where None
    RUN_ID: None,  # the run that is looked at; the newest where None
    ITERATIONS: {},  # the iteration on the map by run, where it is not the newest
    FOUND: None,  # the dataset that was looked at and is not yet imported
    READINGS: None,  # a folder that can be read in several ways, and these
    PAGES: {},  # the pages by name, for links
    DESKS: {},  # what this screen sent while payloads, by workspace
    PREVIEWED: {},  # K of the preview on the map, by workspace, run and iteration
    CARD_IMAGES: [],  # numbers of images that were chosen elsewhere: the Label page's next card
    ANNOTATOR: "",  # who labels here, as typed into the sidebar
    COMPARED: (),  # the runs that are laid over the one that is looked at
    FORK: None,  # run and iteration whose model the next run shall start from
    FORM_REMEMBERED: False,  # whether the form of a new run was opened and keeps what was typed
    TROUBLE: (0, ""),  # the run from which another could not be started, and why
    SHELVED: None,  # the run that was archived or deleted last, to take it back
}


def begin() -> None:
    """Set what is not set yet; the address says which run to look at and what to lay over it."""
    is_new = RUN_ID not in st.session_state
    for key, value in _FIRST.items():
        st.session_state.setdefault(key, copy(value))  # no two sessions share a dictionary
    named = st.query_params.get("run", "")
    if is_new and named.isdigit():
        st.session_state[RUN_ID] = int(named)
    if is_new:
        others = st.query_params.get("compare", "").split(",")
        st.session_state[COMPARED] = tuple(int(name) for name in others if name.isdigit())


def location() -> str:
    """Return the workspace that this session looks at."""
    return cast("str | None", st.session_state[LOCATION]) or services.workspace.default_location()


def open_location(place: str) -> None:
    """Look at another workspace from here on."""
    st.session_state[LOCATION] = place
    st.session_state[FOUND] = None
    st.session_state[CARD_IMAGES] = []
    st.session_state[COMPARED] = ()
    st.session_state[FORK] = st.session_state[SHELVED] = None
    remember_form(False)
    show_run(None)


def run_id() -> int | None:
    """Return the run that is looked at; None for the newest."""
    return cast("int | None", st.session_state[RUN_ID])


def show_run(run_id: int | None) -> None:
    """Look at another run, and say so in the address; None for the newest."""
    st.session_state[RUN_ID] = run_id
    if run_id is None:
        st.query_params.pop("run", None)
    else:
        st.query_params["run"] = str(run_id)


def compared() -> tuple[int, ...]:
    """Return the runs that are laid over the one that is looked at."""
    return cast("tuple[int, ...]", st.session_state[COMPARED])


def compare(run_ids: Sequence[int]) -> None:
    """Lay other runs over the one that is looked at."""
    st.session_state[COMPARED] = tuple(run_ids)


def write_address(run_id: int) -> None:
    """Say in the address what Rounds shows, so that a reload or another person sees the same."""
    told = {"run": str(run_id), "compare": ",".join(map(str, compared()))}
    for name, value in told.items():
        if not value:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def fork() -> tuple[int, int] | None:
    """Return run and iteration whose model the next run shall start from."""
    return cast("tuple[int, int] | None", st.session_state[FORK])


def fork_from(place: tuple[int, int] | None) -> None:
    """Let the next run start from the model of an iteration; None takes it back."""
    st.session_state[FORK] = place


def is_form_remembered() -> bool:
    """Whether the form of a new run was opened and nothing was started since."""
    return cast("bool", st.session_state[FORM_REMEMBERED])


def remember_form(is_kept: bool) -> None:
    """Keep what is typed into the form of a new run, or forget it."""
    st.session_state[FORM_REMEMBERED] = is_kept


def shelved() -> RunRecord | None:
    """Return the run that was archived or deleted last, while that can be taken back here."""
    return cast("RunRecord | None", st.session_state[SHELVED])


def remember_shelved(run: RunRecord | None) -> None:
    """Keep the run that has just been archived or deleted."""
    st.session_state[SHELVED] = run


def trouble(run_id: int) -> str:
    """Return why no other run could be started from one; "" where that was not tried, or went."""
    last, why = cast("tuple[int, str]", st.session_state[TROUBLE])
    return why if last == run_id else ""


def remember_trouble(run_id: int, why: str) -> None:
    """Keep why no other run could be started from one, until it is tried again; "" forgets it."""
    st.session_state[TROUBLE] = (run_id, why)


def shown_on_rounds() -> tuple[object, ...]:
    """Return what a press on Rounds may change, to see that it did."""
    return (run_id(), fork(), shelved(), compared())


def iteration(run_id: int, newest: int) -> int:
    """Return the iteration of a run that is on the map: the newest unless another was chosen."""
    chosen = cast("dict[tuple[str, int], int]", st.session_state[ITERATIONS])
    return min(newest, chosen.get((location(), run_id), newest))


def show_iteration(run_id: int, iteration: int, newest: int) -> None:
    """Put an iteration on the map; who looks at the newest will see the next one come."""
    chosen = cast("dict[tuple[str, int], int]", st.session_state[ITERATIONS])
    chosen.pop((location(), run_id), None)
    if iteration != newest:
        chosen[location(), run_id] = iteration


def found() -> services.imports.Found | None:
    """Return the dataset that was looked at and is not yet imported."""
    return cast("services.imports.Found | None", st.session_state[FOUND])


def page(name: str) -> st.Page:
    """Return a page to link to, by its name in small letters."""
    return cast("dict[str, st.Page]", st.session_state[PAGES])[name]


def desk() -> Desk:
    """Return what this session labelled in the workspace that it looks at."""
    desks = cast("dict[str, Desk]", st.session_state[DESKS])
    return desks.setdefault(location(), Desk(desk_id=_session_id()))


def is_open(desk_id: str) -> bool:
    """Whether the page of another session is still open."""
    return runtime.exists() and runtime.get_instance().is_active_session(desk_id)


def _session_id() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def card_images() -> list[int]:
    """Return the images, by number in the store, that shall be the Label page's next card."""
    return cast("list[int]", st.session_state[CARD_IMAGES])


def open_card(images: Sequence[int]) -> None:
    """Let images be the Label page's next card, such as those of a lasso; none takes it back."""
    st.session_state[CARD_IMAGES] = [int(image) for image in images]


def previewed(run_id: int, iteration: int) -> int:
    """Return K of the preview that the map shows of an iteration; 0 for its own clusters."""
    chosen = cast("dict[tuple[str, int, int], int]", st.session_state[PREVIEWED])
    return chosen.get((location(), run_id, iteration), 0)


def preview(run_id: int, iteration: int, n_clusters: int) -> None:
    """Show a preview of an iteration on the map; 0 goes back to its own clusters."""
    chosen = cast("dict[tuple[str, int, int], int]", st.session_state[PREVIEWED])
    chosen[location(), run_id, iteration] = n_clusters


def annotator() -> str:
    """Return who labels here: as typed, as logged in, as this browser knows, or the system's user.

    Acts are signed by it, and undo takes back one's own.
    """
    logged_in = str(st.user.get("name") or st.user.get("email") or "")
    return desk().name or logged_in or services.workspace.system_user()


def ask_annotator() -> None:
    """Ask once for the annotator's name; what is given stays as it is until it is changed."""
    typed = cast("str", st.session_state.get(ANNOTATOR, "")).strip()
    if typed:
        desk().name = typed
    st.text_input(
        "Your name",
        key=ANNOTATOR,
        placeholder=annotator(),
        max_chars=60,
        help="What you label is signed by it, and undo takes back your own acts.",
    )
