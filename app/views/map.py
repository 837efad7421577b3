"""Page 3: the map of an iteration, and the people behind what is chosen on it."""

import streamlit as st

from app import maps, services, state, thumbnails
from app.components.empty import nothing_yet
from app.components.grid import Tile, grid
from app.components.scatter import Choice, choose_coloring, coloring, scatter
from app.wording import counted, percent
from pul.records import IterationRecord, RunRecord

HEIGHT = 640
N_TILES = 400


def show(now: services.Standing | None) -> None:
    if now is None or now.run is None:
        nothing_yet(
            "There is no map yet.", "Start with “Extract and cluster”.", state.page("workspace")
        )
    elif not now.iterations:
        nothing_yet(
            "The first map is being made.", "The run shows how far it is.", state.page("rounds")
        )
    elif not now.run.config["projection"]:
        nothing_yet("This run was made without maps.", "Choose another run.", state.page("rounds"))
    else:
        _map(now.run, now.iterations)


@st.fragment
def _map(run: RunRecord, iterations: tuple[IterationRecord, ...]) -> None:
    left, right = st.columns([2, 1], gap="large", vertical_alignment="bottom")
    with left:
        by = choose_coloring()
    with right:
        iteration = _choose_iteration(run.run_id, len(iterations) - 1)
    record, location = iterations[iteration], state.location()
    arrays = services.map_arrays(location, run.run_id, iteration)
    # A component's key may not hold two underscores in a row, as a path may.
    name = f"map-{thumbnails.workspace_key(location).hex()}-{run.run_id}"
    shown, chosen = st.columns([2.15, 1])
    with shown:
        choice = scatter(
            layout_url=maps.url(location, run.run_id, iteration),
            thumbs_url=thumbnails.PREFIX,
            revision=name,
            lambda_=record.lambda_,
            color=coloring(by, arrays.camera_names),
            camera_names=arrays.camera_names,
            height=HEIGHT,
            key=name,
        )
    with chosen:
        _people(arrays, choice)


def _choose_iteration(run_id: int, newest: int) -> int:
    if newest == 0:
        st.caption("Iteration 0: the start model, before any training")
        return 0
    before = state.iteration(run_id, newest)
    key = f"iteration:{state.location()}:{run_id}:{newest}"
    iteration = int(st.slider("Iteration", 0, newest, before, key=key))
    state.look_at_iteration(run_id, iteration, newest)
    return iteration


def _people(arrays: services.MapArrays, choice: Choice) -> None:
    reliable = arrays.reliable(choice.lambda_)
    is_chosen = choice.kind != "none"
    images = services.in_order(arrays, choice.images if is_chosen else arrays.centers.tolist())
    if is_chosen:
        n_clusters = len({int(arrays.clusters[image]) for image in images})
        share = percent(reliable[images].mean()) if images else "0"
        st.markdown(
            f"**{counted(len(images), 'image')}** · {counted(n_clusters, 'cluster')} · "
            f"{share} % reliable"
        )
    else:
        st.markdown(f"**{counted(len(images), 'center')}** · lasso points, or click one")
    shown = images[:N_TILES]
    links = thumbnails.urls(state.location(), arrays.image_ids[shown])
    centers = set(arrays.centers.tolist())
    tiles = [
        Tile(
            url=url,
            cluster=int(arrays.clusters[image]),
            camera=arrays.camera_of(image),
            similarity=float(arrays.similarities[image]),
            is_reliable=bool(reliable[image]),
            is_center=image in centers,
        )
        for url, image in zip(links, shown, strict=True)
    ]
    grid(tiles, height=HEIGHT, is_grouped=is_chosen)
    if len(images) > len(shown):
        st.caption(f"The first {len(shown)} are shown.")
