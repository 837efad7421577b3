"""The part of the Workspace page that adds images: check a folder, review, import."""

import streamlit as st

from app import services, state
from app.components.charts.contents import SplitRow, camera_bars, skipped_files, split_table
from app.components.tables.progress import progress_panel
from app.views.fragments import fragment
from app.views.workspace import browsing
from app.wording import counted, fit, plain
from pul.errors import AmbiguousLayoutError, PulError


def show(now: services.workspace.WorkspaceStatus) -> None:
    if now.is_importing and now.import_job is not None:
        _importing(now.import_job.job_id)
        return
    if now.import_job is not None and now.import_job.status == "failed":
        st.error(f"The last import failed. {plain(now.import_job.error)}")
    typed, browsed, dropped = st.tabs(["Path", "Browse the server", "Drop images or a zip"])
    with typed, st.form("check", border=False):
        left, right = st.columns([3, 1])
        root = left.text_input("Folder, CSV or Parquet file", placeholder="/path/to/images")
        format = right.selectbox("Layout", ["auto", *services.imports.DATASET_FORMATS])
        is_sent = st.form_submit_button("Check folder")
    if is_sent:
        _check(root, format)
    with browsed:
        browsing.browse(_check)
    with dropped:
        browsing.drop(_check)
    _choose_reading()
    found = state.found()
    if found is None:
        st.caption(
            "Supported layouts: folders by person, by camera or by train, query and gallery, a "
            "table, and the published data sets. Nothing is copied or changed."
        )
    else:
        _found(found, is_first=not now.n_images)


def _check(root: str, format: str = "auto", levels: str = "") -> None:
    st.session_state[state.FOUND] = st.session_state[state.READINGS] = None
    try:
        with st.spinner("Reading the list of images"):
            st.session_state[state.FOUND] = services.imports.inspect(root, format, levels)
    except AmbiguousLayoutError as error:
        st.session_state[state.READINGS] = (root, dict(error.readings))
    except PulError as error:
        st.error(plain(str(error)))


def _choose_reading() -> None:
    """Ask what the folders mean where nothing in them decides it."""
    asked = st.session_state[state.READINGS]
    if asked is None:
        return
    root, readings = asked
    with st.container(border=True):
        levels = st.radio(
            "These folders can be read in several ways. Which is right?",
            list(readings),
            format_func=lambda levels: f"`{levels}`: {plain(readings[levels])}",
        )
        if st.button("Read them this way", type="primary"):
            _check(root, "auto", levels)
            st.rerun()


def _found(found: services.imports.Found, *, is_first: bool) -> None:
    n_images = sum(row[1] for row in found.contents.splits)
    read_as = f"{found.format}, {found.levels}" if found.levels else found.format
    st.markdown(f"**{plain(found.name)}**, read as `{read_as}`")
    left, right = st.columns(2, gap="large")
    with left:
        split_table([SplitRow(*row) for row in found.contents.splits])
        for note in found.notes:
            st.info(plain(note))
        skipped_files(found.skipped)
    with right:
        camera_bars(found.contents.cameras, height=170)
    is_same_place = not is_first and st.checkbox(
        fit("Same people and cameras as in the existing images"),
        help=fit("Leave it off for another place: its people and cameras get new numbers."),
    )
    if st.button(f"Import {counted(n_images, 'image')}", type="primary"):
        services.imports.start_import(state.location(), found, is_same_place=is_same_place)
        st.session_state[state.FOUND] = None
        st.rerun()


@fragment(run_every=1.0)
def _importing(job_id: int) -> None:
    job = services.workspace.job(state.location(), job_id)
    progress_panel(job)
    if job.progress is not None and job.progress.message:
        st.caption(plain(job.progress.message))
    st.button("Stop", on_click=services.runs.steer, args=(state.location(), job, "stop"))
