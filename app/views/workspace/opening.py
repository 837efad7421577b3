"""The part of page 1 that opens a workspace: the demo, one that is there, or a new one."""

import streamlit as st

from app import demo, services, state
from app.views.fragments import fragment
from app.wording import plain
from pul.errors import PulError


def show() -> None:
    made = demo.state()
    if made.status == "making":
        st.subheader("The demo is being made")
        _progress()
        return
    st.subheader("Open a workspace")
    if made.status == "failed":
        st.error(f"The demo could not be made. {plain(made.message)}")
    st.write("The demo shows the whole way on synthetic people; it needs no download.")
    if state.location() != services.workspace.demo_location():
        _named()
    another()


def _named() -> None:
    """Offer to make the workspace that the studio was started on, or say why it does not open."""
    try:
        place = services.workspace.vacant(state.location())
    except PulError as error:
        st.error(plain(str(error)))
        return
    if not place:  # somebody has just made it, and the header will see it
        return
    st.write("The studio was started on a workspace that is not there yet:")
    st.code(place, language=None)
    if st.button("Make it", type="primary"):
        _open(services.workspace.create_workspace(state.location()))


@fragment(run_every=1.0)
def _progress() -> None:
    made = demo.state()
    st.progress(made.share, made.message or "starting")
    st.caption("When its people are drawn, a run starts by itself.")


def another() -> None:
    if st.button("Open the demo"):
        demo.begin()
        _open(services.workspace.demo_location())
    with st.form("another", border=False):
        typed = st.text_input("Folder", placeholder="/path/to/workspace, there already or new")
        is_sent = st.form_submit_button("Open or create")
    if is_sent:
        place = typed.strip()
        is_there = bool(place) and services.workspace.exists(place)
        _open(place if is_there else services.workspace.create_workspace(place))


def _open(location: str) -> None:
    state.open_location(location)
    st.rerun()
