"""The welcome, while no workspace is open: the demo, one's own images, or a workspace by folder."""

from pathlib import Path

import streamlit as st

from app import demo, services, state
from app.components.tables.grid import strip
from app.views.fragments import fragment
from app.wording import duration, fit, plain
from pul.errors import PulError

PICTURE = Path(__file__).parents[2] / "welcome.svg"
N_PICTURES = 20
SENTENCE = (
    "PUL Studio fits a model that recognises people to your own cameras: it groups your images by "
    "person, you say who is who where it is in doubt, and it learns from both."
)
_OWN = "own_images"


def show() -> None:
    """Show the welcome; or the demo being made; or that the address names no workspace."""
    progress = demo.state()
    if state.unknown():
        _unknown()
        another("unknown")
    elif progress.status == "making":
        _progress()
    else:
        _welcome(progress)


def _welcome(progress: demo.DemoState) -> None:
    if progress.status == "failed":
        st.error(f"The demo could not be created. {plain(progress.message)}")
    place = _vacant()
    text, picture = st.columns([1, 1], gap="large", vertical_alignment="center")
    with picture:
        st.image(PICTURE.read_text(encoding="utf-8"), width="stretch")
    with text:
        st.markdown(f"#### {fit(SENTENCE)}")
        with st.container(horizontal=True):
            is_demo = st.button("Try the demo", type="primary", icon=":material/play_arrow:")
            is_own = st.button("Add my images", icon=":material/add_photo_alternate:")
        st.caption(fit("The demo is of drawn people; it takes seconds and downloads nothing."))
        if is_demo:
            demo.start()
            _open(services.workspace.demo_location())
        if is_own:
            st.session_state[_OWN] = True
        if st.session_state.get(_OWN):
            _own(place)
        with st.expander("Open a workspace that exists"):
            another("welcome")


def _vacant() -> str:
    """Return where the studio was started, if a workspace can be made there, else ""."""
    location = state.location()
    try:
        place = services.workspace.vacant(location)
    except PulError as error:
        st.error(plain(str(error)))
        return ""
    return "" if location == services.workspace.demo_location() else place


def _own(place: str) -> None:
    """Ask where the new workspace will be: where the studio was started, or a free folder."""
    if "://" in place:
        st.write("The studio was started on a database that holds no workspace yet:")
        st.code(place, language=None, wrap_lines=True)
        if st.button("Create it", type="primary"):
            _create(state.location())
        return
    first = place or services.workspace.free_location()
    with st.form("own", border=False):
        typed = st.text_input(
            "Folder for the workspace",
            first,
            help="Labels and models are kept there. Your images stay where they are.",
        )
        if st.form_submit_button("Create it", type="primary"):
            _create(typed)


def _create(location: str) -> None:
    try:
        _open(services.workspace.create_workspace(location))
    except PulError as error:
        st.error(plain(str(error)))


def _unknown() -> None:
    """Say that the address names no workspace of this server, which opens no other instead."""
    st.error(
        plain(
            f"No workspace called “{state.unknown()}” was opened on this server, so none is open. "
            "An address opens only what was opened here before: give its folder below."
        )
    )


@fragment(run_every=1.0)
def _progress() -> None:
    """Say what the demo is, how far it is, and show its pictures as they come."""
    progress = demo.state()
    st.subheader("The demo is being made")
    st.write(
        fit(
            "People of two places are drawn, each seen by several cameras. Then they are grouped, "
            "and a model that knows one place learns the other by itself: you can watch, label "
            "some of them, and see what that gains."
        )
    )
    left = progress.remaining_s
    words = progress.message or "starting"
    st.progress(progress.share, f"{words} · about {duration(left)} left" if left else words)
    if pictures := demo.pictures(N_PICTURES):
        strip(pictures, alt="A drawn person")
    st.caption("The first pictures." if pictures else "")


def another(key: str) -> None:
    """Let people open or create a workspace by its folder.

    Args:
        key: Tells the forms of one page apart.
    """
    with st.form(f"another:{key}", border=False):
        typed = st.text_input("Folder", placeholder="/path/to/workspace, existing or new")
        is_sent = st.form_submit_button("Open or create")
    if is_sent:
        place = services.places.canonical(typed.strip()) if typed.strip() else ""
        if place and services.workspace.exists(place):
            _open(place)
        _create(place)


def _open(location: str) -> None:
    st.session_state.pop(_OWN, None)
    state.open_location(location)
    st.rerun()
