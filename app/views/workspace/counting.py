"""Counting people where K is asked for: an estimate by pair answers, and the way to give them."""

import streamlit as st

from app import services, state
from app.wording import counted, fit, plain


def offer(now: services.workspace.WorkspaceStatus) -> None:
    """Tell how many people there are as far as known, and offer to count them, or to use it as K.

    Args:
        now: Status of the workspace. Counting needs an iteration of a run.
    """
    location = state.location()
    place = services.runs.newest_iteration(location, now)
    known = services.population.count(location, *place) if place else None
    if known is None:
        return
    st.caption(plain(f"{fit('How many people are there?')} {services.population.told(known)}"))
    left, right = st.columns(2)
    if known.n_answered < known.n_questions:
        text = "Go on counting" if known.n_answered else "Count by answering pairs"
        if left.button(text, width="stretch", help="Your answers are labels as well."):
            state.begin_count()
            st.switch_page(state.page("label"))
    if known.population is not None:
        n_people = round(known.population.n_people)
        right.button(
            f"Use {counted(n_people, 'cluster')}",
            width="stretch",
            help=fit("Puts the estimated number of people into the form as K."),
            on_click=state.use_as_k,
            args=(n_people,),
        )
