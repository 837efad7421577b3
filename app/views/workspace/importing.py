"""The part of the Workspace page that adds images: check a folder, review, import."""

from typing import Any

import streamlit as st

from app import services, state
from app.components.charts.contents import SplitRow, camera_bars, skipped_files, split_table
from app.components.tables.progress import progress_bar, progress_panel
from app.views.fragments import fragment
from app.views.workspace import browsing, moved
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
        with st.expander("Videos, and boxes in whole pictures"):
            video = _video_options()
            bbox = _box_option()
        is_sent = st.form_submit_button("Check folder")
    if is_sent:
        _check(root, format, video=video, bbox=bbox)
    with browsed:
        browsing.browse(_check)
    with dropped:
        browsing.drop(_check)
    _choose_reading()
    found = state.found()
    if found is None:
        st.caption(
            "Supported layouts: folders by person, by camera or by train, query and gallery, a "
            "table, and the published data sets. Files of the server stay as they are. A video "
            "with tracks may be given too: crops are cut out of it into the workspace."
        )
    else:
        _found(found, is_first=not now.n_images)


def _video_options() -> dict[str, Any]:
    """Ask for what a video needs besides; several cameras are listed in a file."""
    tracks = st.text_input(
        "Tracks of a video",
        placeholder="/path/to/tracks.txt",
        help="The tracks of the people in it: MOTChallenge, COCO or CVAT XML. For several "
        "cameras give a list of them above, as docs/data.md shows, and nothing here.",
    )
    start, every, most = st.columns(3)
    usual = services.imports.USUAL_EVERY, services.imports.USUAL_MOST
    return {
        "tracks": tracks,
        "start": start.text_input("Start time", placeholder="2024-05-03T08:15:30"),
        "every": every.number_input("Every n-th frame", 1, 10_000, usual[0]),
        "per_track": most.number_input("Crops per track", 1, 10_000, usual[1]),
    }


def _box_option() -> str:
    return st.selectbox(
        "Boxes of a table",
        services.imports.BOX_READINGS,
        help="xywh is left, top, width, height; xyxy two corners; none: the pictures are crops "
        "already. auto tells by their numbers, and says so.",
    )


def _check(
    root: str,
    format: str = "auto",
    levels: str = "",
    *,
    video: dict[str, Any] | None = None,
    bbox: str = "auto",
) -> None:
    st.session_state[state.FOUND] = st.session_state[state.READINGS] = None
    try:
        with st.spinner("Reading the list of images"):
            if video and (video["tracks"].strip() or services.imports.is_video(root)):
                found = services.imports.inspect_video(state.location(), root, **video)
            else:
                with progress_bar() as on_progress:
                    found = services.imports.inspect(
                        state.location(), root, format, levels, bbox, on_progress=on_progress
                    )
            st.session_state[state.FOUND] = found
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


def _read_otherwise(found: services.imports.Found) -> None:
    """Let people say what the folders mean, where they were understood in another way."""
    with st.expander("Read the folders another way"), st.form("levels", border=False):
        levels = st.text_input(
            "Levels, from the outermost",
            value=found.understood,
            placeholder="camera/person",
            help="split, person, camera, tracklet, side, recording, date, class or - for nothing, "
            "with / between. The last may be the parts of file names: split/person_camera_-.",
        )
        if st.form_submit_button("Check again"):
            _check(found.root, "auto", levels)
            if state.found() is not None:
                st.rerun()


def _found(found: services.imports.Found, *, is_first: bool) -> None:
    n_images = sum(row[1] for row in found.contents.splits)
    read_as = f"{found.format}, {found.understood}" if found.understood else found.format
    st.markdown(f"**{plain(found.name)}**, read as `{read_as}`")
    left, right = st.columns(2, gap="large")
    with left:
        split_table([SplitRow(*row) for row in found.contents.splits])
        for note in found.notes:
            st.info(plain(note))
        if found.format == "folders":
            _read_otherwise(found)
        skipped_files(found.skipped)
    with right:
        camera_bars(found.contents.cameras, height=170)
    is_same_place = not is_first and st.checkbox(
        fit("Same people and cameras as in the existing images"),
        help=fit("Leave it off for another place: its people and cameras get new numbers."),
    )
    if found.n_duplicates:
        _duplicates(found, n_images, is_same_place=is_same_place)
    elif st.button(f"Import {counted(n_images, 'image')}", type="primary"):
        _import(found, "refuse", is_same_place=is_same_place)


def _duplicates(found: services.imports.Found, n_images: int, *, is_same_place: bool) -> None:
    """Offer what can be done with pictures that are in the workspace already."""
    n_others = n_images - found.n_duplicates
    state_of_files = "their files are gone" if found.n_gone else "their files are still there"
    st.warning(
        f"{counted(found.n_duplicates, 'image')} of {n_images:,} are in this workspace already, "
        f"from other files, and {state_of_files}."
    )
    with st.container(horizontal=True):
        if st.button("They were moved: use the new place", type="primary"):
            moved.find(found.root, everything=found.n_gone < found.n_duplicates)
            result = state.moved()
            if result is not None and result.moves:
                moved.use(result)
            st.session_state[state.FOUND] = None
            st.rerun()
        if n_others and st.button(f"Import only the other {counted(n_others, 'image')}"):
            _import(found, "skip", is_same_place=is_same_place)
        if st.button(f"Import {counted(n_images, 'image')} as new"):
            _import(found, "add", is_same_place=is_same_place)


def _import(
    found: services.imports.Found, duplicates: services.imports.Duplicates, *, is_same_place: bool
) -> None:
    services.imports.start_import(
        state.location(), found, is_same_place=is_same_place, duplicates=duplicates
    )
    st.session_state[state.FOUND] = None
    st.rerun()


@fragment(run_every=1.0)
def _importing(job_id: int) -> None:
    job = services.workspace.job(state.location(), job_id)
    progress_panel(job)
    if job.progress is not None and job.progress.message:
        st.caption(plain(job.progress.message))
    st.button("Stop", on_click=services.runs.control_job, args=(state.location(), job_id, "stop"))
