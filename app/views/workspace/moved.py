"""The part of the Workspace page that finds images which were moved."""

import streamlit as st

from app import services, state
from app.wording import counted, plain
from pul.errors import PulError

_N_SHOWN = 20


def show() -> None:
    is_gone = services.moved.is_any_gone(state.location())
    if is_gone:
        st.warning("Files of images are missing. If they were moved, find them below.")
    with st.expander("Find moved images", expanded=is_gone):
        with st.form("find_moved", border=False):
            folder = st.text_input(
                "Folder that the images are in now, or any above it", placeholder="/path/to/images"
            )
            if st.form_submit_button("Find images"):
                find(folder)
        found = state.moved()
        if found is not None:
            _found(found)


def find(folder: str, *, everything: bool = False) -> None:
    """Look for moved images below a folder, and remember what was found."""
    st.session_state[state.MOVED] = None
    try:
        with st.spinner("Reading files"):
            found = services.moved.find(state.location(), folder, everything=everything)
        st.session_state[state.MOVED] = found
    except PulError as error:
        st.error(plain(str(error)))


def use(found: services.moved.Relocation) -> None:
    """Take the images from where they were found."""
    try:
        n_moved = services.moved.relocate(state.location(), found)
        st.toast(f"{counted(n_moved, 'image')} found again")
    except PulError as error:
        st.error(plain(str(error)))
    st.session_state[state.MOVED] = None


def _found(found: services.moved.Relocation) -> None:
    if not found.n_wanted:
        st.info("No file of an image is missing.")
        return
    st.markdown(f"**{len(found.moves):,} of {counted(found.n_wanted, 'image')} found**")
    folders = [f"{n:,}: {old} → {new}" for old, new, n in found.folders()]
    _list("Moved", folders)
    several = [f"{old}: {', '.join(files)}" for old, files in found.ambiguous]
    _list("Could be any of several files; give a smaller folder", several)
    _list(
        "A file of this name has another content", [f"{old}: {new}" for old, new in found.changed]
    )
    _list("May not be read", found.closed)
    missing = [f"{n:,}: {folder}" for folder, n in found.missing_by_folder()]
    _list("Not found, by their old folders", missing)
    if found.doubled:
        st.warning(
            f"{counted(len(found.doubled), 'image')} of these are in this workspace twice, as "
            "versions before this one added images that were moved anew. To go on with each once: "
            "export the labels as CSV, import the folder into a new workspace, and import the "
            "labels there."
        )
    if found.moves and st.button(f"Use the new place of {counted(len(found.moves), 'image')}"):
        use(found)
        st.rerun()


def _list(title: str, lines: list[str] | tuple[str, ...]) -> None:
    if lines:
        more = [f"and {len(lines) - _N_SHOWN:,} more"] if len(lines) > _N_SHOWN else []
        st.caption(title)
        shown = "\n".join([*map(services.moved.printable, lines[:_N_SHOWN]), *more])
        st.code(shown, language=None, wrap_lines=True)
