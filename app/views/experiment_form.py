"""The part of the Experiments page that chooses, plans and starts a table or figure."""

from pathlib import Path

import streamlit as st

from app import services, state
from app.components.forms.quick_start import choose_model
from app.components.forms.settings_form import problem_list
from app.services.reproduction import PlannedRow, Request
from app.views.waiting import wait_in_background
from app.views.workspace import browsing
from app.wording import duration, plain
from pul.errors import PulError

_SOURCES, _PLAN = "experiment:sources", "experiment:plan"
_ON_SOURCES = "Train one on the labelled datasets"


def show() -> None:
    request = _choose()
    plan, start, _ = st.columns([1, 1, 3])
    is_plan = plan.button("Plan", width="stretch", help="List the rows and what each takes.")
    is_start = start.button("Start", type="primary", width="stretch")
    if is_plan or is_start:
        st.session_state[_PLAN] = None
        problems = services.reproduction.problems(request)
        if not problems:
            problems = _start(request) if is_start else _plan(request)
        problem_list(problems)
    known = st.session_state.get(_PLAN)
    if known is not None and known[0] == request:
        _show_plan(known[1])


def _choose() -> Request:
    location = state.location()
    which, model, preset = st.columns([2, 2, 1])
    names = services.experiments.EXPERIMENTS
    name = which.selectbox(
        "Table or figure to run",
        list(names),
        format_func=lambda key: f"{services.experiments.TITLES[key]}: {names[key]}",
    )
    with model:
        models = {_ON_SOURCES: ""} | services.runs.start_models(location)
        chosen = choose_model(models, key="experiment")
    presets = services.runs.preset_names()
    settings = preset.selectbox("Settings", presets, presets.index("quick"))
    target = st.text_input(
        "Dataset of this workspace",
        services.reproduction.likely_target(location),
        help="The folder that its images were imported from: people are read there.",
        key=f"experiment:target:{location}",
    )
    return Request(str(name), target.strip(), _sources(), chosen, settings)


def _sources() -> tuple[str, ...]:
    """Let people choose labelled datasets by browsing, and return their folders."""
    sources: list[str] = st.session_state.setdefault(_SOURCES, [])
    for source in sources:
        text, button = st.columns([5, 1], vertical_alignment="center")
        text.markdown(f"Labelled dataset: **{plain(Path(source).name)}** · `{plain(source)}`")
        button.button("Remove", key=f"remove:{source}", on_click=sources.remove, args=(source,))
    with st.popover("Add a labelled dataset", icon=":material/folder_open:"):
        browsing.browse(_add)
    return tuple(sources)


def _add(place: str) -> None:
    sources: list[str] = st.session_state[_SOURCES]
    if place not in sources:
        sources.append(place)
    st.rerun()


def _plan(request: Request) -> list[str]:
    location = state.location()
    try:
        rows = wait_in_background(
            lambda: services.reproduction.plan(location, request), "Reading the datasets"
        )
    except PulError as error:
        return [str(error)]
    st.session_state[_PLAN] = (request, rows)
    return []


def _start(request: Request) -> list[str]:
    try:
        services.reproduction.start(state.location(), request)
        st.rerun()
    except PulError as error:
        return [str(error)]


def _show_plan(rows: tuple[PlannedRow, ...]) -> None:
    st.dataframe(
        [
            {
                "Row": row.label,
                "State": row.status,
                "Missing": row.missing,
                "Takes": ("" if row.is_measured else "about ") + duration(row.seconds),
            }
            for row in rows
        ],
        hide_index=True,
    )
    total = duration(sum(row.seconds for row in rows))
    st.caption(f"About {total} in all, without training the start model.")
