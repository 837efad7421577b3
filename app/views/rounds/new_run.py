"""The part of the Train page that starts a run: a new one, a fork, or a failed one put right."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from app import services, state
from app.components.forms.quick_start import choose_model
from app.components.forms.settings_form import problem_list, settings_grid
from app.components.forms.settings_list import MORE, is_used, main_settings
from app.services.runs import RunConfig, flatten, setting_text
from app.views.fragments import fragment
from app.wording import plain
from pul.errors import PulError
from pul.records import RunRecord


def show(now: services.workspace.WorkspaceStatus) -> None:
    runs = {run.run_id: run for run in now.runs}
    place, again = state.fork(), state.again()
    if again in runs:
        fragment()(_again)(runs[again])
    elif place is not None and place[0] in runs:
        fragment()(_fork)(runs[place[0]], place[1])
    else:
        # Once opened, it is drawn until a run is started, so that typed values are kept. Before
        # that it is not: its fields cost as much as the rest of the page.
        first = now.run is None
        form = st.expander("New run", first, key=f"new_run:{first}", on_change="rerun")
        if form.open:
            state.remember_form(True)
        if state.is_form_remembered():
            with form:
                fragment()(_new)(len(now.runs) + 1)


def _fork(run: RunRecord, iteration: int) -> None:
    with st.expander(f"Fork {plain(run.name)} at iteration {iteration}", expanded=True):
        text, back = st.columns([4, 1], vertical_alignment="center")
        text.markdown(
            f"A new run that starts from the model of **{plain(run.name)}, iteration {iteration}**"
            ", with that run's settings unless you change them."
        )
        if back.button("Cancel", width="stretch"):
            state.fork_from(None)
            st.rerun()
        start = partial(services.runs.fork_run, state.location(), run.run_id, iteration)
        _form(RunConfig(**run.config), start, key=f"fork:{run.run_id}", label="Start the fork")


def _again(run: RunRecord) -> None:
    """Show the form with the settings of a run that failed, to be put right."""
    location = state.location()
    with st.expander(f"Fix {plain(run.name)} and start again", expanded=True):
        text, back = st.columns([4, 1], vertical_alignment="center")
        text.markdown(
            f"A new run with the settings of **{plain(run.name)}**: change what was wrong. "
            "That run stays as it is."
        )
        if back.button("Cancel", width="stretch"):
            state.fix(None)
            st.rerun()
        models = services.runs.start_models(location)
        model = choose_model(
            models, key=f"again:{run.run_id}", chosen=services.runs.start_model(location, run)
        )
        config = RunConfig(**run.config)
        start = _starter(location, model, run.name)
        _form(config, start, key=f"again:{run.run_id}", label="Start again", model=model)


def _new(number: int) -> None:
    location = state.location()
    first, second, third = st.columns([1, 1, 2])
    presets = services.runs.preset_names()
    usual = presets.index(services.runs.usual_preset(location))
    preset = first.selectbox("Preset", presets, usual, key="new:preset")
    name = second.text_input("Name", placeholder=f"run {number}", key="new:name")
    with third:
        model = choose_model(services.runs.start_models(location), key="new")
    config = services.runs.first_config(location, preset)
    start = _starter(location, model, name.strip())
    _form(config, start, key=f"new:{preset}", label="Start training", model=model)


def _starter(location: str, model: str, name: str) -> Callable[[RunConfig], None]:
    return lambda config: services.runs.start_run(location, config, model, name)


def _form(
    config: RunConfig,
    start: Callable[[RunConfig], None],
    *,
    key: str,
    label: str,
    model: str | None = None,
) -> None:
    """Show the settings, and start a run with them when the button is pressed.

    Args:
        config: The initial settings.
        start: Starts it.
        key: Key of the widgets.
        label: Label of the button.
        model: The start model that was chosen; "" for none, None if it need not be.
    """
    entered = _settings(flatten(config.model_dump()), key)
    is_pressed = st.button(label, type="primary", key=f"start:{key}")
    is_tried = st.session_state.setdefault(f"tried:{key}", False) or is_pressed
    problems = (
        services.checks.problems(state.location(), config, entered, model) if is_tried else []
    )
    st.session_state[f"tried:{key}"] = bool(problems)
    problem_list(problems)
    if is_pressed and not problems:
        _start(partial(start, services.settings.with_entered(config, entered)))


def _settings(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Show the ten settings that matter, and the others on demand; return those that are used."""
    paper = {path: setting_text(value) for path, value in services.settings.paper_values().items()}
    clustering = st.session_state.get(f"{key}:clustering", values["clustering"])
    entered = settings_grid(main_settings(clustering), values, paper, key=key, n_columns=5)
    everything = st.expander("All settings", key=f"all:{key}", on_change="rerun")
    was_open = st.session_state.get(f"all:{key}:drawn", False)
    st.session_state[f"all:{key}:drawn"] = is_open = was_open or bool(everything.open)
    if is_open:  # from then on it is drawn, so that what was typed counts though it is closed
        with everything:
            for title, group in MORE.items():
                used = [
                    setting for setting in group if is_used(setting.path, {**values, **entered})
                ]
                if used:
                    st.markdown(f"**{title}**")
                    entered |= settings_grid(used, values, paper, key=key)
    return entered


def _start(make: Callable[[], None]) -> None:
    """Start a run and select it; if that fails, the form keeps its values and says why.

    The form is reset first: as soon as the run exists, the header may trigger a rerun, and code
    after that might never run.
    """
    before = state.fork(), state.again(), state.is_form_remembered(), state.run_id()
    state.fork_from(None)
    state.remember_form(False)
    state.show_run(None)
    try:
        with st.spinner("Starting"):
            make()
    except PulError as error:
        place, again, is_remembered, shown_run = before
        state.fork_from(place)
        state.fix(again)
        state.remember_form(is_remembered)
        state.show_run(shown_run)
        problem_list([str(error)])
        return
    st.rerun()
