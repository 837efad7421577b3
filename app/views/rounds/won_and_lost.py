"""The part of the Train page with the pictures that were won and lost since the last iteration."""

import streamlit as st

from app import services, state
from app.components.tables.grid import strip
from app.routes import thumbnails
from app.views.retrieval import places, queries
from app.wording import counted
from pul.records import RunRecord


def show(run: RunRecord) -> None:
    """Show some of the pictures that train now and did not before, and the reverse.

    Args:
        run: A run with a finished iteration.
    """
    found = services.won_and_lost.won_and_lost(state.location(), run.run_id, run.n_iterations_done)
    if found is None:
        return
    st.markdown(f"**Since iteration {found.iteration - 1}**")
    won, lost = st.columns(2, gap="medium")
    with won:
        _pictures("won", found.won, found.n_won, "They train now, and did not before.")
    with lost:
        _pictures("lost", found.lost, found.n_lost, "They trained before, and no longer do.")
    if len(services.retrieval.queries(state.location(), run.run_id)) == 0:
        return
    before = services.retrieval.Place(run.run_id, found.iteration - 1)
    if st.button("See which queries won and lost", on_click=_order_queries, args=(run, before)):
        st.switch_page(state.page("retrieval"))


def _order_queries(run: RunRecord, before: services.retrieval.Place) -> None:
    """Let the Retrieval page order the queries by what they gained over an iteration."""
    state.find_like(None)
    places.compare_with(run, before)
    queries.order_by("most gained")


def _pictures(word: str, image_ids: tuple[int, ...], n: int, hint: str) -> None:
    st.caption(f"**{counted(n, 'picture')} {word}**. {hint}")
    if image_ids:
        strip(thumbnails.urls(state.location(), image_ids), alt=f"{word.capitalize()} picture")
