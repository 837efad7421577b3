"""The parts of the Workspace page that find images without typing: the server's folders, a drop."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import services, state
from app.wording import counted, plain
from pul.errors import PulError


def browse(check: Callable[[str], None]) -> None:
    """Show the server's folders, from the root that it was started with.

    Args:
        check: Called with the folder that was chosen.
    """
    here = _look()
    if here is None:
        return
    st.code(str(here.path), language=None, wrap_lines=True)
    up, into, choose = st.columns([1, 4, 2], vertical_alignment="bottom")
    if up.button("Up", disabled=not here.place, icon=":material/arrow_upward:"):
        state.browse(Path(here.place).parent.as_posix())
        st.rerun()
    picked = into.selectbox(
        "Open a folder",
        here.folders,
        index=None,
        placeholder=counted(here.n_folders, "folder"),
        key=f"browse:{here.path}",
    )
    if picked is not None:
        state.browse(f"{here.place}/{picked}".lstrip("/"))
        del st.session_state[f"browse:{here.path}"]  # nothing is picked when one comes back
        st.rerun()
    if choose.button("Check this folder"):
        check(str(here.path))
    hidden = here.n_folders - len(here.folders)
    st.caption(
        f"{counted(here.n_images, 'image')} directly here."
        + (f" {counted(hidden, 'folder')} more are not listed." if hidden else "")
    )


def _look() -> services.browsing.Folder | None:
    """Return the folder that is looked at, or the root if it is gone; None if that is gone too."""
    for place in dict.fromkeys((state.browsed(), "")):
        try:
            return services.browsing.look(place)
        except PulError as error:
            st.error(plain(str(error)))
            state.browse("")
            if not services.browsing.root().is_dir():
                return None
    return None


def drop(check: Callable[[str], None]) -> None:
    """Take images or a zip from the visitor's computer into the workspace.

    Args:
        check: Called with the folder that they became.
    """
    with st.form("drop", border=False, clear_on_submit=True):
        sent = st.file_uploader(
            "Images, or a zip of folders with images; at most "
            f"{services.uploads.max_mib()} MiB each",
            type=["zip", *services.uploads.IMAGE_TYPES],
            accept_multiple_files=True,
            max_upload_size=services.uploads.max_mib(),
        )
        is_sent = st.form_submit_button("Check these")
    st.caption(
        "They are copied into the workspace's folder; folders in a zip are kept. What is not "
        f"imported is removed after {services.uploads.KEPT_DAYS} days."
    )
    if not is_sent:
        return
    if not sent:
        st.error("Nothing was dropped; drop images or a zip first.")
        return
    try:
        files = [services.uploads.Sent(file.name, file) for file in sent]
        folder = services.uploads.keep(state.location(), files)
    except PulError as error:
        st.error(plain(str(error)))
        return
    check(str(folder))
    if not state.is_read():
        services.uploads.discard(folder)
