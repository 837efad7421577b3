"""The Workspace page: its images, adding more, and the first clustering or run."""

import streamlit as st

from app import demo, services, state
from app.components.charts.contents import SplitRow, camera_bars, skipped_files, split_table
from app.components.forms.quick_start import QuickStart, choose_model, quick_start
from app.components.forms.settings_form import problem_list
from app.components.tables.findings import findings
from app.components.tables.grid import strip
from app.routes import thumbnails
from app.views.workspace import counting, importing, moved, opening
from app.wording import counted, fit, plain
from pul.errors import PulError

N_SAMPLE = 16


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None:
        opening.show()
        return
    if demo.state().message and state.location() == services.workspace.demo_location():
        st.warning(plain(demo.state().message))
    _missing()
    if now.n_images:
        contents, start = st.columns([1.3, 1], gap="large")
        with contents:
            _images()
        with start:
            _start(now)
        moved.show()
        with st.expander("Add images", expanded=now.is_importing):
            importing.show(now)
    else:
        st.subheader("Add images")
        importing.show(now)


def _missing() -> None:
    since = services.workspace.missing_since(state.location())
    if since:
        st.error(plain(f"{since} `python -m pul doctor` says what to do."))


def _images() -> None:
    location = state.location()
    contents = services.workspace.contents(location)
    split_table([SplitRow(*row) for row in contents.splits])
    findings(services.diagnosis.of_images(location))
    sample = services.workspace.sample_images(location, N_SAMPLE)
    strip(thumbnails.urls(location, sample), alt="One of the images")
    camera_bars(contents.cameras, height=190)
    skipped_files(services.workspace.skipped(location) if contents.n_skipped else ())


def _start(now: services.workspace.WorkspaceStatus) -> None:
    location = state.location()
    st.subheader("Group or train")
    model = choose_model(services.runs.start_models(location), key="quick")
    presets = services.runs.preset_names()
    preset = st.selectbox(
        "Preset",
        presets,
        presets.index(services.runs.usual_preset(location)),
        help="paper: as in the paper, for a GPU. quick: for CPUs. modern: methods published since.",
    )
    config = services.runs.first_config(location, preset)
    n_train = counted(services.workspace.n_train_images(location), "training image")
    asked = quick_start(
        n_clusters=state.wanted_k() or config.n_clusters,
        lambda_=config.lambda_ or 0.0,
        sentence=fit("About the number of people.")
        + f" You have {n_train}; Market-1501 has 17 per person.",
    )
    counting.offer(now)
    if asked is not None:
        _start_run(config, model, asked)


def _start_run(config: services.runs.RunConfig, model: str, asked: QuickStart) -> None:
    """Start what was asked for, or say in the form why it cannot work."""
    location = state.location()
    entered = {"n_clusters": asked.n_clusters, "lambda_": asked.lambda_}
    problems = services.checks.problems(location, config, entered, model)
    if not problems:
        if asked.act == "group":
            entered["n_iterations"] = 0
        shown_run = state.run_id()
        state.show_run(None)  # before the run exists: then the header may trigger a rerun
        try:
            with st.spinner("Starting"):
                services.runs.start_run(location, config.replace(**entered), model)
        except PulError as error:
            state.show_run(shown_run)
            problems = [str(error)]
        else:
            if asked.act == "group":
                st.switch_page(state.page("clusters"))
            st.rerun()
    problem_list(problems)
