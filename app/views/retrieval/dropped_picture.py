"""The part of the Retrieval page that searches with an uploaded picture."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app import services, state
from app.services.retrieval import Found, Place, TrueMatch
from app.wording import fit

N_FOUND = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A query.

    Attributes:
        url: Address of its picture.
        find: Returns its ranked list in an iteration.
        average_precision: Its AP in an iteration; None without ground truth.
        true_matches: Where its true matches are in an iteration; empty without ground truth.
        name: What tells it from other queries.
    """

    url: str
    find: Callable[[Place], list[Found]]
    average_precision: Callable[[Place], float | None] = lambda _: None
    true_matches: Callable[[Place], list[TrueMatch]] = lambda _: []
    name: str = ""


def choose(place: Place) -> Asked | None:
    """Show an upload and return the picture as a query; None if there is none."""
    dropped = st.file_uploader(
        fit("A picture of one person, cut out"), type=["jpg", "jpeg", "png", "webp", "bmp"],
        max_upload_size=services.retrieval.MAX_PICTURE_BYTES // 2**20, key="retrieval:picture",
    )  # fmt: skip
    if dropped is None:
        st.caption("It is compared with the training images, and not stored.")
        return None
    location, content = state.location(), dropped.getvalue()
    with st.spinner("Reading the picture"):
        first = services.retrieval.read_picture(location, place, content)

    def find(at: Place) -> list[Found]:
        picture = services.retrieval.read_picture(location, at, content)
        return services.retrieval.find_like_picture(location, at, picture, n=N_FOUND)

    return Asked(first.url, find, name="picture")
