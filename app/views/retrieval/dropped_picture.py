"""The part of page 6 that takes a picture from outside; and what any query is."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app import services, state
from app.services.retrieval import Found, Place

N_FOUND = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom someone looks up.

    Attributes:
        url: Where the query's picture is.
        find: What an iteration finds for it.
        average_precision: Its AP in an iteration; None where no truth is known.
    """

    url: str
    find: Callable[[Place], list[Found]]
    average_precision: Callable[[Place], float | None]


def choose(place: Place) -> Asked | None:
    """Take a picture and return it as a query; None while there is none."""
    dropped = st.file_uploader(
        "A picture of one person, cut out", type=["jpg", "jpeg", "png", "webp", "bmp"],
        max_upload_size=services.retrieval.MAX_PICTURE_BYTES // 2**20, key="retrieval:picture",
    )  # fmt: skip
    if dropped is None:
        st.caption("It is compared with the training images, and kept nowhere.")
        return None
    location, content = state.location(), dropped.getvalue()
    with st.spinner("Reading the picture"):
        first = services.retrieval.read_picture(location, place, content)

    def find(at: Place) -> list[Found]:
        picture = services.retrieval.read_picture(location, at, content)
        return services.retrieval.find_like_picture(location, at, picture, n=N_FOUND)

    return Asked(first.url, find, lambda _: None)
