"""The part of the Rounds page that starts a run with all settings, from a model or as a fork."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import services, state
from app.components.forms.quick_start import choose_model
from app.components.forms.settings_form import settings_grid
from app.components.forms.settings_list import MAIN, MORE
from app.services.runs import RunConfig, flatten, setting_text
from app.wording import plain
from pul.errors import PulError


def show(now: services.workspace.WorkspaceStatus) -> None:
    place = state.fork()
    runs = {run.run_id: run for run in now.runs}
    if place is None or place[0] not in runs:
        # Once opened, it is drawn until a run is started, so that typed values are kept. Before
        # that it is not: its fifty fields cost as much as the rest of the page.
        first = now.run is None
        form = st.expander("New run", first, key=f"new_run:{first}", on_change="rerun")
        if form.open:
            state.remember_form(True)
        if state.is_form_remembered():
            with form:
                _new(now)
        return
    run, iteration = runs[place[0]], place[1]
    with st.expander(f"Fork {plain(run.name)} at iteration {iteration}", expanded=True):
        text, back = st.columns([4, 1], vertical_alignment="center")
        text.markdown(
            f"A new run that starts from the model of **{plain(run.name)}, iteration {iteration}**"
            ", with that run's settings unless you change them."
        )
        back.button("Cancel", on_click=partial(state.fork_from, None), width="stretch")
        asked = _form(RunConfig(**run.config), key=f"fork:{run.run_id}", label="Start the fork")
        if asked is not None:
            _start(partial(services.runs.fork_run, state.location(), run.run_id, iteration, asked))


def _new(now: services.workspace.WorkspaceStatus) -> None:
    location = state.location()
    first, second, third = st.columns([1, 1, 2])
    presets = services.runs.preset_names()
    usual = presets.index(services.runs.usual_preset(location))
    preset = first.selectbox("Preset", presets, usual, key="new:preset")
    name = second.text_input("Name", placeholder=f"run {len(now.runs) + 1}", key="new:name")
    with third:
        model = choose_model(services.runs.start_models(location), key="new")
    config = services.runs.first_config(location, preset)
    asked = _form(config, key=f"new:{preset}", label="Start PUL", is_ready=bool(model))
    if asked is not None:
        _start(partial(services.runs.start_run, location, asked, model, name.strip()))


def _form(config: RunConfig, *, key: str, label: str, is_ready: bool = True) -> RunConfig | None:
    """Show all settings and return them once, when the button is pressed."""
    values = flatten(config.model_dump())
    paper = {path: setting_text(value) for path, value in services.settings.paper_values().items()}
    with st.form(f"form:{key}", border=False):
        entered = settings_grid(MAIN, values, paper, key=key)
        with st.expander("More settings"):
            for title, settings in MORE.items():
                st.markdown(f"**{title}**")
                entered |= settings_grid(settings, values, paper, key=key)
        is_sent = st.form_submit_button(label, type="primary", disabled=not is_ready)
    return config.replace(**entered) if is_sent else None


def _start(make: Callable[[], None]) -> None:
    """Start a run and select it; if that fails, the form keeps its values.

    The form is reset first: as soon as the run exists, the header may trigger a rerun, and code
    after that might never run.
    """
    place, shown_run = state.fork(), state.run_id()
    state.fork_from(None)
    state.remember_form(False)
    state.show_run(None)
    try:
        with st.spinner("Starting"):
            make()
    except PulError:
        state.fork_from(place)
        state.remember_form(place is None)
        state.show_run(shown_run)
        raise
    st.rerun()
