"""The Map page: the map of an iteration, what λ selects, and the selected images."""

import math

import streamlit as st

from app import services, state
from app.components.map.scatter import Choice, Lines, choose_coloring, coloring, scatter
from app.components.tables.empty import nothing_yet
from app.components.tables.findings import findings
from app.routes import maps, thumbnails
from app.routes.signed import workspace_key
from app.services.map import Quality
from app.services.workspace import WorkspaceStatus
from app.views import waiting
from app.views.map import clusters, people
from app.wording import counted, fit
from pul.records import RunRecord

HEIGHT = 560


def show(now: WorkspaceStatus | None) -> None:
    if now is None or now.run is None:
        waiting.for_a_run(now, "There is no map yet.")
    elif not now.iterations:
        waiting.for_first_iteration(now, "The first map is being made.")
    elif not now.run.config["projection"]:
        nothing_yet("This run was made without maps.", "Choose another run.", state.page("rounds"))
    else:
        _map(now, now.run)


@st.fragment
def _map(now: WorkspaceStatus, run: RunRecord) -> None:
    shown, chosen = st.columns([2.15, 1])
    with chosen:
        iteration = _choose_iteration(run.run_id, len(now.iterations) - 1)
    place = (state.location(), run.run_id, iteration)
    n_clusters = state.previewed(run.run_id, iteration)
    arrays = services.map.shown_arrays(*place, n_clusters)
    with shown:
        choice = _scatter(now, run, iteration, n_clusters, arrays)
        findings(services.diagnosis.of_iteration(*place))
    with chosen:
        people.show(arrays, choice)
        clusters.show(now, now.iterations[iteration], choice.lambda_, map_key=map_key(run.run_id))


def _scatter(
    now: WorkspaceStatus,
    run: RunRecord,
    iteration: int,
    n_clusters: int,
    arrays: services.map.MapArrays,
) -> Choice:
    location = state.location()
    by = choose_coloring()
    name = map_key(run.run_id)
    return scatter(
        layout_urls=maps.urls(location, run.run_id, iteration, n_clusters, by),
        thumbs_url=thumbnails.PREFIX,
        revision=name,
        lambda_=now.iterations[iteration].lambda_,
        color=coloring(by, arrays.camera_names),
        lines=_lines(services.map.quality(location, run.run_id, iteration, arrays)),
        camera_names=arrays.camera_names,
        height=HEIGHT,
        key=name,
    )


def map_key(run_id: int) -> str:
    # A component's key must not contain two underscores in a row, but a path may.
    return f"map-{workspace_key(state.location()).hex()}-{run_id}"


def _lines(known: Quality) -> Lines:
    curves = known.curves
    if curves.purities is None or curves.recalls is None:
        return Lines(None, None, fit("Label some people to see purity and recall here."))
    people = f"{counted(curves.n_known, 'image')} of {counted(known.n_people, 'person')}"
    note = f"Purity, recall: {people}, from ground truth, used for these two lines only."
    if known.source == "annotations":
        note = f"Purity, recall: {people}, as labelled."
        if known.is_optimistic:
            note += fit(
                " Labelled people were clusters of their own here, so these lines are optimistic."
            )
    purities = tuple(None if math.isnan(p) else round(p, 4) for p in curves.purities.tolist())
    return Lines(purities, tuple(round(r, 4) for r in curves.recalls.tolist()), note)


def _choose_iteration(run_id: int, newest: int) -> int:
    if newest == 0:
        st.caption("Iteration 0: the start model, before any training")
        return 0
    before = state.iteration(run_id, newest)
    key = f"iteration:{state.location()}:{run_id}:{newest}"
    iteration = int(st.slider("Iteration", 0, newest, before, key=key))
    state.show_iteration(run_id, iteration, newest)
    return iteration
