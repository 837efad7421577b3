"""The workspace switcher in the sidebar: the one that is open, the recent ones, another."""

import streamlit as st

from app import demo, services, state
from app.views.workspace import opening
from app.wording import counted, plain


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    """Show which workspace is open, and let people open another.

    Args:
        now: Its status; None if none is open.
    """
    if now is None and not services.places.recent():
        return
    with st.container(key="switcher"):
        label = plain(now.name) if now is not None else "No workspace"
        box = st.popover(label, width="stretch", help="Open another workspace")
        if now is not None:
            st.caption(counted(now.n_images, "image"))
    with box:
        recent(now)
        if now is not None:  # the welcome has the rest
            _another()


def _another() -> None:
    st.markdown("**Another one**")
    names = {place.name for place in services.places.recent()}
    is_known = services.places.name_of(services.workspace.demo_location()) in names
    if not is_known and st.button("Try the demo", key="switcher:demo", width="stretch"):
        demo.start()
        state.open_location(services.workspace.demo_location())
        st.rerun()
    opening.another("switcher")


def recent(now: services.workspace.WorkspaceStatus | None) -> None:
    """Show a button for each workspace that was opened on this server, the last one first."""
    open_name = services.places.name_of(state.location()) if now is not None else ""
    known = [place for place in services.places.recent() if place.name != open_name]
    if known:
        st.markdown("**Recent**")
    for place in known:
        st.button(
            plain(place.name),
            key=f"recent:{place.name}",
            on_click=_open,
            args=(place.name,),
            help=plain(services.places.shown(place)),
            width="stretch",
        )


def _open(name: str) -> None:
    place = services.places.location_of(name)
    if place is not None:
        state.open_location(place)
