"""A page that has nothing to show yet says what to do next."""

import streamlit as st


def nothing_yet(what: str, next_step: str, page: st.Page) -> None:
    """Say what is missing and lead to where it is made.

    Args:
        what: What is missing, as a sentence.
        next_step: What to do, as a sentence.
        page: The page to go to.
    """
    st.subheader(what)
    st.write(next_step)
    st.page_link(page, label=f"Go to {page.title}")
