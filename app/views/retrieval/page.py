"""The Retrieval page: ranked lists of a query, in one or two iterations."""

import streamlit as st

from app import services, state
from app.components.charts.cmc import cmc_curves
from app.components.tables.empty import nothing_yet
from app.components.tables.ranked import Ranked, first_match, ranked_strip
from app.routes import thumbnails
from app.services.retrieval import Found, Place
from app.views import waiting
from app.views.retrieval import places, queries
from app.wording import percent

N_SHOWN = 22


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or now.run is None:
        nothing_yet(
            "There is nothing to search yet.", "Start a run first.", state.page("workspace")
        )
    elif not now.iterations:
        waiting.for_first_iteration(now, "The first features are being extracted.")
    else:
        _retrieval(now)


@st.fragment
def _retrieval(now: services.workspace.WorkspaceStatus) -> None:
    left, right = st.columns([3, 1], gap="large")
    with right:
        chosen = places.choose_places(now)
    with left:
        query = queries.choose(chosen)
        if query is None:
            return
        for place in chosen:
            found = query.find(place)
            _found(found, query.average_precision(place), places.name_of(now, place))
    with right:
        st.html(f'<img class="pul-query" src="{query.url}" alt="the query">')
        _cmc(now, chosen)


def _found(found: list[Found], level: float | None, name: str) -> None:
    if not found:
        st.info(
            f"{name} has no ranked lists: it is of an older version, or has no queries with "
            "known people. Search with a training image or an uploaded picture."
        )
        return
    urls = thumbnails.urls(state.location(), [image.image_id for image in found])
    images = [
        Ranked(url, image.camera, image.similarity, image.mark)
        for url, image in zip(urls, found, strict=True)
    ]
    words = [f"**{name}**"]
    if level is not None:
        first = first_match(images)
        rank = f"at rank {first}" if first else f"not among the first {len(images)}"
        words += [f"AP {percent(level)}", f"first true match {rank}"]
    st.markdown(" · ".join(words))
    ranked_strip(images, n_shown=N_SHOWN)


def _cmc(now: services.workspace.WorkspaceStatus, chosen: list[Place]) -> None:
    stored = [(place, services.retrieval.rankings(state.location(), place)) for place in chosen]
    curves = [
        (places.name_of(now, place), one.cmc.tolist()) for place, one in stored if one is not None
    ]
    if curves:
        cmc_curves(curves, height=260)
        st.caption("Share of queries with a true match at this rank or better.")
