"""The Retrieval page: ranked lists of a query, in one or two iterations."""

import streamlit as st

from app import services, state
from app.components.charts.cmc import cmc_curves
from app.components.tables.ranked import Ranked, first_match, rank_strip, ranked_strip
from app.routes import thumbnails
from app.routes.signed import workspace_key
from app.services.retrieval import Place
from app.views import waiting
from app.views.retrieval import picked, places, queries, threshold
from app.views.retrieval.dropped_picture import Asked
from app.wording import fit, percent

N_SHOWN = 22


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or now.run is None:
        waiting.for_a_run(now, "There is nothing to search yet.")
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
            _found(query, place, places.name_of(now, place))
    with right:
        st.html(f'<img class="pul-query" src="{query.url}" alt="The query">')
        _cmc(now, chosen)
        threshold.show(chosen[0])


def _found(query: Asked, place: Place, name: str) -> None:
    found, level = query.find(place), query.average_precision(place)
    if not found:
        st.info(
            f"{name} has no ranked lists: it was not measured, is of an older version, or has no "
            "queries with known people. Choose another iteration, or search with a training image "
            "or an uploaded picture."
        )
        return
    urls = thumbnails.urls(state.location(), [image.image_id for image in found])
    images = [
        Ranked(image.image_id, url, image.camera, image.similarity, image.mark)
        for url, image in zip(urls, found, strict=True)
    ]
    words = [f"**{name}**"]
    if level is not None:
        first = first_match(images)
        rank = f"at rank {first}" if first else f"not among the first {len(images)}"
        words += [f"AP {percent(level)}", f"first true match {rank}"]
    st.markdown(" · ".join(words))
    # A component's key must not contain two underscores in a row, but a path may.
    workspace = workspace_key(state.location()).hex()
    key = f"ranked-{workspace}-{place.run_id}-{place.iteration}-{query.name}"
    threshold.tell_unknown(place, found)
    picks = [ranked_strip(images, n_shown=N_SHOWN, name=f"Found by {name}", key=key)]
    picks.append(_true_matches(query, place, f"{key}-true"))
    picked.show(place.run_id, next((pick for pick in picks if pick is not None), None), key=key)


def _true_matches(query: Asked, place: Place, key: str) -> int | None:
    """Show where the true matches of a query are that its first row does not show."""
    matches = query.true_matches(place)
    if not matches:
        return None
    beyond = [match for match in matches if match.rank is None]
    ranks = ", ".join(str(match.rank) for match in matches if match.rank is not None)
    where = [f"at rank {ranks}"] if ranks else []
    where += [f"{len(beyond)} beyond the first {services.retrieval.N_LIST}"] if beyond else []
    n = f"{len(matches)} true match" + ("es" if len(matches) > 1 else "")
    st.caption(f"{n}: {'; '.join(where)}.")
    urls = thumbnails.urls(state.location(), [match.image_id for match in matches])
    images = [
        Ranked(match.image_id, url, match.camera, match.similarity, "match", match.rank)
        for url, match in zip(urls, matches, strict=True)
    ]
    if all(match.rank is not None and match.rank <= N_SHOWN for match in matches):
        return None  # all are in sight above
    return rank_strip(images[:N_SHOWN], name=fit("True matches of this person"), key=key)


def _cmc(now: services.workspace.WorkspaceStatus, chosen: list[Place]) -> None:
    stored = [(place, services.retrieval.rankings(state.location(), place)) for place in chosen]
    curves = [
        (places.name_of(now, place), one.cmc.tolist()) for place, one in stored if one is not None
    ]
    if curves:
        cmc_curves(curves, height=260)
        st.caption("Share of queries with a true match at this rank or better.")
