"""The Workspace page: its images, adding more, and the first clustering or run."""

import streamlit as st

from app import demo, services, state
from app.components.charts.contents import SplitRow, camera_bars, skipped_files, split_table
from app.components.forms.quick_start import choose_model, quick_start
from app.components.tables.findings import findings
from app.components.tables.grid import strip
from app.routes import thumbnails
from app.views.workspace import importing, moved, opening
from app.wording import counted, fit, plain

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
    with st.expander("Another workspace"):
        opening.another()


def _missing() -> None:
    since = services.workspace.missing_since(state.location())
    if since:
        st.error(plain(f"{since} `python -m pul doctor` says what to do."))


def _images() -> None:
    location = state.location()
    contents = services.workspace.contents(location)
    st.subheader("Images")
    split_table([SplitRow(*row) for row in contents.splits])
    findings(services.diagnosis.of_images(location))
    strip(thumbnails.urls(location, services.workspace.sample_images(location, N_SAMPLE)))
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
        n_clusters=config.n_clusters,
        lambda_=config.lambda_ or 0.0,
        sentence=fit("About the number of people.")
        + f" You have {n_train}; Market-1501 has 17 per person.",
        is_ready=bool(model),
    )
    if asked is not None:
        n_iterations = 0 if asked.act == "group" else None
        config = config.replace(
            n_clusters=asked.n_clusters, lambda_=asked.lambda_, n_iterations=n_iterations
        )
        state.show_run(None)  # before the run exists: then the header may trigger a rerun
        with st.spinner("Starting"):
            services.runs.start_run(location, config, model)
        if asked.act == "group":
            st.switch_page(state.page("clusters"))
        st.rerun()
    if now.run is not None:
        links = {
            "clusters": "See the clusters",
            "map": "See the map",
            "label": fit("Label people"),
            "rounds": "See the rounds",
        }
        for column, (page, text) in zip(st.columns(4), links.items(), strict=True):
            column.page_link(state.page(page), label=text)
