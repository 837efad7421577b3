"""The part of the Retrieval page that chooses the query."""

from collections.abc import Callable
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import services, state
from app.components.query_strip.query_strip import Query, query_strip
from app.routes import thumbnails
from app.routes.signed import workspace_key
from app.services.retrieval import Found, Order, Place
from app.views.retrieval import dropped_picture
from app.views.retrieval.dropped_picture import N_FOUND, Asked
from app.wording import counted, fit, percent
from pul.records import ImageTable

N_PAGE = 11
N_COMPARING = 2  # orders that compare two iterations, the last ones
TEST, TRAIN, PICTURE = "Test queries", "Training images", "A picture"


def choose(places: list[Place]) -> Asked | None:
    """Show the choice of a query and return it; None if there is none."""
    if (image_id := state.like()) is not None:
        return _like(image_id)
    has_test = len(services.retrieval.queries(state.location(), places[0].run_id)) > 0
    kinds = [TEST, TRAIN, PICTURE] if has_test else [TRAIN, PICTURE]
    controls = st.container(horizontal=True, vertical_alignment="center")
    with controls:
        kind = st.segmented_control(
            "Search with", kinds, default=kinds[0], required=True,
            label_visibility="collapsed", key="retrieval:kind",
        )  # fmt: skip
    if kind == PICTURE:
        return dropped_picture.choose(places[0])
    choose_from = _choose_test if kind == TEST else _choose_train
    return choose_from(places, controls)


def order_by(order: Order) -> None:
    """Let the page show the test queries in an order that compares two iterations."""
    st.session_state["retrieval:kind"] = TEST
    st.session_state[f"retrieval:order:{len(get_args(Order))}"] = order


def _like(image_id: int) -> Asked:
    """Return an image of the workspace as a query: "find similar" of any picture led here."""
    location = state.location()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Training images most similar to the picture that you picked.")
        st.button("Back to the queries", on_click=state.find_like, args=(None,))

    def find(place: Place) -> list[Found]:
        return services.retrieval.find_like(location, place, image_id, n=N_FOUND)

    return Asked(thumbnails.urls(location, [image_id])[0], find, name=f"like-{image_id}")


def _choose_test(places: list[Place], controls: DeltaGenerator) -> Asked:
    location, run_id = state.location(), places[0].run_id
    table = services.retrieval.queries(location, run_id)
    orders: list[Order] = list(get_args(Order))
    if len(places) == 1:
        orders = orders[:-N_COMPARING]
    with controls:
        order = st.selectbox(
            "Order", orders, orders.index("worst first"), label_visibility="collapsed",
            width=150, key=f"retrieval:order:{len(orders)}",
        )  # fmt: skip
    rows = services.retrieval.order_queries(location, places, order)
    key = f"test-{run_id}-{order}"
    chosen = _choose_image(table, rows, lambda i: _ap_text(places[0], i), controls, key=key)
    return Asked(
        thumbnails.urls(location, [chosen])[0],
        lambda place: services.retrieval.find(location, place, chosen, n=N_FOUND),
        lambda place: services.retrieval.average_precision(location, place, chosen),
        lambda place: services.retrieval.true_matches(location, place, chosen),
        name=f"test-{chosen}",
    )


def _ap_text(place: Place, image_id: int) -> str:
    level = services.retrieval.average_precision(state.location(), place, image_id)
    return "–" if level is None else f"AP {percent(level)}"


def _choose_train(places: list[Place], controls: DeltaGenerator) -> Asked:
    location, run_id = state.location(), places[0].run_id
    table = services.retrieval.train_images(location, run_id)
    rows = list(range(len(table)))
    chosen = _choose_image(table, rows, lambda _: "", controls, key=f"train-{run_id}")
    return Asked(
        thumbnails.urls(location, [chosen])[0],
        lambda at: services.retrieval.find_like_image(location, at, chosen, n=N_FOUND),
        name=f"train-{chosen}",
    )


def _choose_image(
    table: ImageTable,
    rows: list[int],
    label: Callable[[int], str],
    controls: DeltaGenerator,
    *,
    key: str,
) -> int:
    """Show images page by page, and return the id of the chosen one."""
    n_pages = -(-len(rows) // N_PAGE)
    page = 1
    if n_pages > 1:
        with controls:
            page = int(
                st.number_input(
                    "Page", 1, n_pages, 1, label_visibility="collapsed", width=120,
                    key=f"retrieval:page:{key}",
                )
            )  # fmt: skip
            st.caption(f"page {page} of {n_pages}, {counted(len(rows), 'image')}")
    image_ids = table.image_ids[rows[(page - 1) * N_PAGE : page * N_PAGE]].tolist()
    cameras = dict(zip(table.image_ids.tolist(), table.camids.tolist(), strict=True))
    tiles = [
        Query(image_id, url, label(image_id), _hint(cameras[image_id]))
        for image_id, url in zip(
            image_ids, thumbnails.urls(state.location(), image_ids), strict=True
        )
    ]
    name = workspace_key(state.location()).hex()
    return query_strip(tiles, key=f"queries-{name}-{key}-{page}".replace(" ", "-"))


def _hint(camera: int) -> str:
    return fit("a person") + (f" on camera {camera}" if camera >= 0 else ", camera unknown")
