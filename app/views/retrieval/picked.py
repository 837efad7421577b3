"""What can be done with a picture that was picked from a ranked list."""

import streamlit as st

from app import services, state
from app.routes import thumbnails
from app.wording import plain


def show(run_id: int, image_id: int | None, *, key: str) -> None:
    """Offer what to do with a picked picture: find similar ones, or label it.

    Args:
        run_id: The run whose list it is in.
        image_id: The picture; None for none.
        key: Names the list.
    """
    if image_id is None:
        st.caption("Pick a picture to find similar ones, or to label it.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        url = thumbnails.urls(state.location(), [image_id])[0]
        st.html(f'<img src="{url}" alt="The picked picture" width="32" height="64">', width=40)
        st.button(
            "Find similar", on_click=state.find_like, args=(image_id,), key=f"{key}:like:{image_id}"
        )
        if not services.retrieval.is_train_image(state.location(), run_id, image_id):
            st.caption("A test image: it measures, and is not labelled.")
        elif name := services.labels.name_of(state.location(), image_id):
            st.caption(f"Labelled: {plain(name)}.")
            st.page_link(state.page("identities"), label="See the identities")
        elif st.button(
            "Label it",
            on_click=state.open_card,
            args=([image_id],),
            help="A card of this picture; images that look alike are offered beside it.",
            key=f"{key}:label:{image_id}",
        ):
            st.switch_page(state.page("label"))
