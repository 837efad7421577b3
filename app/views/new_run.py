"""The part of page 5 that starts a run with all its settings."""

import streamlit as st

from app import services, services_runs, state
from app.components.quick_start import choose_model
from app.components.settings_form import MAIN, MORE, flatten, settings_grid


def show(now: services.Standing) -> None:
    location = state.location()
    first, second, third = st.columns([1, 1, 2])
    presets = services_runs.preset_names()
    usual = presets.index(services_runs.usual_preset(location))
    preset = first.selectbox("Preset", presets, usual, key="new:preset")
    name = second.text_input("Name", placeholder=f"run {len(now.runs) + 1}", key="new:name")
    with third:
        model = choose_model(services_runs.start_models(location), key="new")
    config = services_runs.first_config(location, preset)
    values, paper = flatten(config.model_dump()), flatten(services_runs.RunConfig().model_dump())
    with st.form("new_run", border=False):
        entered = settings_grid(MAIN, values, paper, key=f"new:{preset}")
        with st.expander("More settings"):
            entered |= settings_grid(MORE, values, paper, key=f"new:{preset}")
        is_sent = st.form_submit_button("Start PUL", type="primary", disabled=not model)
    if is_sent:
        with st.spinner("Starting"):
            services_runs.start_run(location, config.replace(**entered), model, name.strip())
        state.look_at(None)
        st.rerun()
