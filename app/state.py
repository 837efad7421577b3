"""Every key of the session state and of the query parameters, with its type and default."""

import time
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
UNKNOWN = "unknown"
RUN_ID = "run_id"
NO_RUN = "no_run"
REMEMBERED = "remembered"
ITERATIONS = "iterations"
FOUND = "found"
READINGS = "readings"
MOVED = "moved"
DOUBLED = "doubled"
PAGES = "pages"
DESKS = "desks"
CARD_IMAGES = "card_images"
LIKE = "like"
COMPARED = "compared"
FORK = "fork"
AGAIN = "again"
FORM_REMEMBERED = "form_remembered"
SHELVED = "shelved"
COUNTING = "counting"
WANTED_K = "wanted_k"
TROUBLE = "trouble"
PREVIEWED = "previewed"
BROWSED = "browsed"

WORKSPACE = "w"  # in the address
_MAX_DIGITS = 9  # of the number of a run

_DEFAULTS: dict[str, Any] = {
    LOCATION: None,  # the open workspace; None for the server's default
    UNKNOWN: "",  # the workspace that the address names, if no such one is known; "" otherwise
    RUN_ID: None,  # the selected run; None for the newest
    NO_RUN: "",  # the run that the address names, if there is no such one; "" otherwise
    REMEMBERED: "",  # the workspace that the server was told to know by name
    ITERATIONS: {},  # the iteration on the map by run, if not the newest
    FOUND: None,  # the dataset that was checked and is not imported yet
    READINGS: None,  # a folder that can be read in several ways, and the ways
    MOVED: None,  # moved images that were found and are not taken from there yet
    DOUBLED: (),  # what of that is in the workspace twice, by the two folders it is from
    PAGES: {},  # the pages by name, for links
    DESKS: {},  # the labelling state of this session, by workspace
    BROWSED: "",  # the folder of the server that is looked at, below the root
    PREVIEWED: {},  # K of the preview on the map, by workspace, run and iteration
    CARD_IMAGES: [],  # image ids chosen on another page: the Label page's next card
    LIKE: None,  # the image whose like are looked for on the Retrieval page
    COMPARED: (),  # the runs compared with the selected one
    FORK: None,  # run and iteration whose model the next run starts from
    AGAIN: None,  # the failed run whose settings the form of the next run shows
    FORM_REMEMBERED: False,  # whether the form of a new run keeps its values
    TROUBLE: (0, ""),  # the run from which another could not be started, and why
    COUNTING: 0,  # when counting people by pairs was begun, in milliseconds; 0 where it was not
    WANTED_K: None,  # K that the form of a new run shows, if it was counted
    SHELVED: None,  # the run that was archived or deleted last, for Undo
}


def init_session() -> None:
    """Set missing keys to their defaults; read the workspace and the runs from the address.

    The address is read when a session begins: at a reload, in a second tab, by a shared link. From
    then on the session is what counts, and the address follows it.
    """
    is_new = RUN_ID not in st.session_state
    for key, value in _DEFAULTS.items():
        st.session_state.setdefault(key, copy(value))  # no two sessions share a dictionary
    if is_new:
        _read_address()


def _read_address() -> None:
    named = st.query_params.get(WORKSPACE, "")
    if named:
        st.session_state[LOCATION] = services.places.location_of(named)
        st.session_state[UNKNOWN] = "" if st.session_state[LOCATION] else named
    run = st.query_params.get("run", "")
    if run and not _is_number(run):
        st.session_state[NO_RUN] = run
    st.session_state[RUN_ID] = int(run) if _is_number(run) else None
    others = st.query_params.get("compare", "").split(",")
    st.session_state[COMPARED] = tuple(int(name) for name in others if _is_number(name))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS


def unknown() -> str:
    """Return the workspace that the address names if this server knows no such one, else ""."""
    return cast("str", st.session_state[UNKNOWN])


def location() -> str:
    """Return the workspace that is open in this session."""
    return cast("str | None", st.session_state[LOCATION]) or services.workspace.default_location()


def open_location(place: str) -> None:
    """Open another workspace in this session."""
    st.session_state[LOCATION] = services.places.canonical(place)
    st.session_state[UNKNOWN] = ""
    st.session_state[FOUND] = st.session_state[READINGS] = st.session_state[MOVED] = None
    st.session_state[DOUBLED] = ()
    st.session_state[CARD_IMAGES] = []
    st.session_state[LIKE] = None
    st.session_state[COUNTING], st.session_state[WANTED_K] = 0, None
    st.session_state[COMPARED] = ()
    st.session_state[FORK] = st.session_state[AGAIN] = st.session_state[SHELVED] = None
    remember_form(False)
    show_run(None)
    write_workspace()


def remember_workspace() -> None:
    """Let the server know the open workspace by name from now on, once a session."""
    if st.session_state[REMEMBERED] != location():
        st.session_state[REMEMBERED] = location()
        services.places.remember(location())


def write_workspace() -> None:
    """Write to the address which workspace is open, so that a reload opens the same one."""
    name = unknown() or services.places.name_of(location())
    if st.query_params.get(WORKSPACE) != name:
        st.query_params[WORKSPACE] = name


def no_run() -> str:
    """Return the run that was asked for if the workspace has no such one, else ""."""
    return cast("str", st.session_state[NO_RUN])


def note_no_run(name: str) -> None:
    """Note that there is no such run; the newest is shown instead."""
    show_run(None)
    st.session_state[NO_RUN] = name


def run_id() -> int | None:
    """Return the selected run; None for the newest."""
    return cast("int | None", st.session_state[RUN_ID])


def show_run(run_id: int | None) -> None:
    """Select a run, in the URL too; None for the newest."""
    st.session_state[RUN_ID] = run_id
    st.session_state[NO_RUN] = ""
    if run_id is None:
        st.query_params.pop("run", None)
    else:
        st.query_params["run"] = str(run_id)


def compared() -> tuple[int, ...]:
    """Return the runs compared with the selected one."""
    return cast("tuple[int, ...]", st.session_state[COMPARED])


def compare(run_ids: Sequence[int]) -> None:
    """Compare other runs with the selected one."""
    st.session_state[COMPARED] = tuple(run_ids)


def write_address(run_id: int) -> None:
    """Write what Train shows to the URL, so that a reload or a shared link shows the same."""
    shown = {"run": str(run_id), "compare": ",".join(map(str, compared()))}
    for name, value in shown.items():
        if not value:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def fork() -> tuple[int, int] | None:
    """Return run and iteration whose model the next run starts from."""
    return cast("tuple[int, int] | None", st.session_state[FORK])


def fork_from(place: tuple[int, int] | None) -> None:
    """Let the next run start from the model of an iteration; None cancels."""
    st.session_state[FORK], st.session_state[AGAIN] = place, None


def again() -> int | None:
    """Return the failed run whose settings the form of the next run shows."""
    return cast("int | None", st.session_state[AGAIN])


def fix(run_id: int | None) -> None:
    """Show the settings of a failed run in the form of the next one; None cancels."""
    st.session_state[AGAIN], st.session_state[FORK] = run_id, None


def is_form_remembered() -> bool:
    """Whether the form of a new run was opened and nothing was started since."""
    return cast("bool", st.session_state[FORM_REMEMBERED])


def remember_form(is_remembered: bool) -> None:
    """Set whether the form of a new run keeps its values."""
    st.session_state[FORM_REMEMBERED] = is_remembered


def shelved() -> RunRecord | None:
    """Return the run that was archived or deleted last, while Undo is offered."""
    return cast("RunRecord | None", st.session_state[SHELVED])


def remember_shelved(run: RunRecord | None) -> None:
    """Remember the run that has just been archived or deleted."""
    st.session_state[SHELVED] = run


def trouble(run_id: int) -> str:
    """Return why no other run could be started from this one; "" for no error."""
    last, why = cast("tuple[int, str]", st.session_state[TROUBLE])
    return why if last == run_id else ""


def remember_trouble(run_id: int, why: str) -> None:
    """Remember why no other run could be started from this one; "" clears it."""
    st.session_state[TROUBLE] = (run_id, why)


def shown_on_rounds() -> tuple[object, ...]:
    """Return what a click on Train may change, to compare before and after."""
    return (run_id(), fork(), again(), shelved(), compared())


def iteration(run_id: int, newest: int) -> int:
    """Return the iteration of a run that is on the map: the newest unless another was chosen."""
    chosen = cast("dict[tuple[str, int], int]", st.session_state[ITERATIONS])
    return min(newest, chosen.get((location(), run_id), newest))


def show_iteration(run_id: int, iteration: int, newest: int) -> None:
    """Show an iteration on the map; if it is the newest, the map follows newer ones."""
    chosen = cast("dict[tuple[str, int], int]", st.session_state[ITERATIONS])
    chosen.pop((location(), run_id), None)
    if iteration != newest:
        chosen[location(), run_id] = iteration


def found() -> services.imports.Found | None:
    """Return the dataset that was checked and is not imported yet."""
    return cast("services.imports.Found | None", st.session_state[FOUND])


def moved() -> services.moved.Relocation | None:
    """Return the moved images that were found and are not taken from there yet."""
    return cast("services.moved.Relocation | None", st.session_state[MOVED])


def is_read() -> bool:
    """Whether what was checked last can be imported, or asks how it is meant."""
    return st.session_state[FOUND] is not None or st.session_state[READINGS] is not None


def browsed() -> str:
    """Return the folder of the server that is looked at, relative to the root."""
    return cast("str", st.session_state[BROWSED])


def browse(place: str) -> None:
    """Look at another folder of the server."""
    st.session_state[BROWSED] = "" if place == "." else place


def page(name: str) -> st.Page:
    """Return a page to link to, by its name in small letters."""
    return cast("dict[str, st.Page]", st.session_state[PAGES])[name]


def desk() -> Desk:
    """Return the labelling state of this session in its workspace."""
    desks = cast("dict[str, Desk]", st.session_state[DESKS])
    return desks.setdefault(location(), Desk(desk_id=session_id()))


def is_open(desk_id: str) -> bool:
    """Whether the page of another session is still open."""
    return runtime.exists() and runtime.get_instance().is_active_session(desk_id)


def session_id() -> str:
    """Return the name of this browser session; "" without one."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def begin_count() -> None:
    """Let the Label page ask the questions that count people."""
    st.session_state[COUNTING] = time.time_ns() // 1_000_000


def counting() -> int:
    """Return when counting people was begun, in milliseconds; 0 where it was not."""
    return cast("int", st.session_state[COUNTING])


def use_as_k(n_people: int) -> None:
    """Let the form of a new run show the counted number of people as K."""
    st.session_state[WANTED_K] = n_people


def wanted_k() -> int | None:
    """Return K as it was counted; None where the form shows the usual one."""
    return cast("int | None", st.session_state[WANTED_K])


def card_images() -> list[int]:
    """Return the image ids of the Label page's next card, if some were chosen."""
    return cast("list[int]", st.session_state[CARD_IMAGES])


def open_card(images: Sequence[int]) -> None:
    """Make images the Label page's next card, such as those of a lasso; none cancels."""
    st.session_state[CARD_IMAGES] = [int(image) for image in images]


def previewed(run_id: int, iteration: int) -> int:
    """Return K of the preview that the map shows of an iteration; 0 for its own clusters."""
    chosen = cast("dict[tuple[str, int, int], int]", st.session_state[PREVIEWED])
    return chosen.get((location(), run_id, iteration), 0)


def preview(run_id: int, iteration: int, n_clusters: int) -> None:
    """Show a preview of an iteration on the map; 0 goes back to its own clusters."""
    chosen = cast("dict[tuple[str, int, int], int]", st.session_state[PREVIEWED])
    chosen[location(), run_id, iteration] = n_clusters


def like() -> int | None:
    """Return the image whose like are looked for on the Retrieval page; None for none."""
    return cast("int | None", st.session_state[LIKE])


def find_like(image_id: int | None) -> None:
    """Look for images like one, on the Retrieval page; None goes back to its queries."""
    st.session_state[LIKE] = image_id
