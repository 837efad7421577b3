"""The images selected on the map, and a button to label them."""

from collections.abc import Sequence

import streamlit as st

from app import services, state
from app.components.map.scatter import Choice
from app.components.tables.grid import Tile, grid
from app.routes import thumbnails
from app.wording import counted, percent

HEIGHT = 330
N_TILES = 400


def show(arrays: services.map.MapArrays, choice: Choice) -> None:
    """Show the selected images, or all centers if none are selected.

    Args:
        arrays: Arrays of the map.
        choice: The selection.
    """
    is_chosen = choice.kind != "none"
    images = services.map.in_order(arrays, choice.images if is_chosen else arrays.centers.tolist())
    text, button = st.columns([2.6, 1], vertical_alignment="center")
    if is_chosen:
        n_clusters = len({int(arrays.clusters[image]) for image in images})
        share = percent(arrays.reliable(choice.lambda_)[images].mean()) if images else "0"
        text.markdown(
            f"**{counted(len(images), 'image')}** · {counted(n_clusters, 'cluster')} · "
            f"{share} % reliable"
        )
        with button:
            _label_these(arrays, images)
            if len(images) == 1:
                _find_similar(int(arrays.image_ids[images[0]]))
    else:
        text.markdown(f"**{counted(len(images), 'center')}** · lasso points, or click one")
    grid(_tiles(arrays, images[:N_TILES], choice.lambda_), height=HEIGHT, is_grouped=is_chosen)
    if len(images) > N_TILES:
        st.caption(f"The first {N_TILES} are shown.")


def _label_these(arrays: services.map.MapArrays, images: Sequence[int]) -> None:
    numbers = arrays.image_ids[list(images)].tolist()
    hint = (
        "Open a card for each cluster of these images on the Label page; labelled ones are skipped."
    )
    if st.button(
        "Label these", on_click=state.open_card, args=(numbers,), help=hint, width="stretch"
    ):
        st.switch_page(state.page("label"))


def _find_similar(image_id: int) -> None:
    if st.button("Find similar", on_click=state.find_like, args=(image_id,), width="stretch"):
        st.switch_page(state.page("retrieval"))


def _tiles(arrays: services.map.MapArrays, images: Sequence[int], lambda_: float) -> list[Tile]:
    links = thumbnails.urls(state.location(), arrays.image_ids[list(images)])
    centers, reliable = set(arrays.centers.tolist()), arrays.reliable(lambda_)
    return [
        Tile(
            url=url,
            cluster=int(arrays.clusters[image]),
            camera=arrays.camera_of(image),
            similarity=float(arrays.similarities[image]),
            is_reliable=bool(reliable[image]),
            is_center=image in centers,
        )
        for url, image in zip(links, images, strict=True)
    ]
