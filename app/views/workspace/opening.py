"""The part of the Workspace page that opens the demo, an existing or a new workspace."""

import streamlit as st

from app import demo, services, state
from app.views.fragments import fragment
from app.wording import plain
from pul.errors import PulError


def show() -> None:
    progress = demo.state()
    if progress.status == "making" and not state.unknown():
        st.subheader("Creating the demo")
        _progress()
        return
    st.subheader("Open a workspace")
    if state.unknown():
        _unknown()
        another()
        return
    if progress.status == "failed":
        st.error(f"The demo could not be created. {plain(progress.message)}")
    st.write("The demo shows every step with synthetic people; it needs no download.")
    if state.location() != services.workspace.demo_location():
        _named()
    another()


def _unknown() -> None:
    """Say that the address names no workspace of this server, which opens no other instead."""
    st.error(
        plain(
            f"No workspace called “{state.unknown()}” was opened on this server, so none is open. "
            "An address opens only what was opened here before: give its folder below."
        )
    )


def _named() -> None:
    """Offer to create the workspace that is named, or show why it does not open."""
    try:
        place = services.workspace.vacant(state.location())
    except PulError as error:
        st.error(plain(str(error)))
        return
    if not place:  # somebody has just created it; the next poll of the header shows it
        return
    is_first = state.location() == services.workspace.default_location()
    st.write(
        "The studio was started on a workspace that does not exist yet:"
        if is_first
        else "This workspace was opened here before, and is gone:"
    )
    st.code(place, language=None)
    if st.button("Create it", type="primary"):
        _open(services.workspace.create_workspace(state.location()))


@fragment(run_every=1.0)
def _progress() -> None:
    progress = demo.state()
    st.progress(progress.share, progress.message or "starting")
    st.caption("When it is ready, a run starts automatically.")


def another() -> None:
    if st.button("Open the demo"):
        demo.start()
        _open(services.workspace.demo_location())
    with st.form("another", border=False):
        typed = st.text_input("Folder", placeholder="/path/to/workspace, existing or new")
        is_sent = st.form_submit_button("Open or create")
    if is_sent:
        place = services.places.canonical(typed.strip()) if typed.strip() else ""
        is_existing = bool(place) and services.workspace.exists(place)
        _open(place if is_existing else services.workspace.create_workspace(place))


def _open(location: str) -> None:
    state.open_location(location)
    st.rerun()
