"""The part of the Workspace page that finds images which were moved."""

from functools import partial

import streamlit as st

from app import services, state
from app.components.tables.progress import progress_bar
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
    st.session_state[state.MOVED], st.session_state[state.DOUBLED] = None, ()
    try:
        with progress_bar() as show:
            found = services.moved.find(
                state.location(),
                folder,
                everything=everything,
                on_progress=partial(show, "reading files"),
            )
            st.session_state[state.DOUBLED] = services.moved.find_doubled(state.location(), found)
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
    if found.moves and st.button(f"Use the new place of {counted(len(found.moves), 'image')}"):
        use(found)
        st.rerun()
    for number, doubled in enumerate(st.session_state[state.DOUBLED]):
        _doubled(doubled, number)


def merge(doubled: services.moved.DoubledImages) -> None:
    """Make one image of each picture that is there twice."""
    try:
        n_merged = services.moved.merge_doubled(state.location(), doubled)
        st.toast(f"{counted(n_merged, 'image')} merged")
    except PulError as error:
        st.error(plain(str(error)))
    st.session_state[state.MOVED], st.session_state[state.DOUBLED] = None, ()


def _doubled(doubled: services.moved.DoubledImages, number: int) -> None:
    """Say what is in the workspace twice, and offer to make one image of each."""
    old, new = map(services.moved.printable, doubled.folders)
    st.warning(
        f"{counted(doubled.n_twice, 'picture')} are in this workspace twice, from `{old}` and from "
        f"`{new}`. {len(doubled.twins):,} can be merged: each then counts once, and labels and "
        "runs stay."
    )
    for line in services.moved.advise(doubled):
        st.info(plain(line))
    n_images = counted(len(doubled.twins), "doubled image")
    if doubled.twins and st.button(f"Merge {n_images}", key=f"merge_doubled_{number}"):
        merge(doubled)
        st.rerun()


def _list(title: str, lines: list[str] | tuple[str, ...]) -> None:
    if lines:
        more = [f"and {len(lines) - _N_SHOWN:,} more"] if len(lines) > _N_SHOWN else []
        st.caption(title)
        shown = "\n".join([*map(services.moved.printable, lines[:_N_SHOWN]), *more])
        st.code(shown, language=None, wrap_lines=True)
