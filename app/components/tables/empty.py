"""The empty state of a page: what is missing, and what to do next."""

import streamlit as st


def nothing_yet(what: str, next_step: str, page: st.Page) -> None:
    """Show what is missing, with a link to the page that creates it.

    Args:
        what: What is missing, as a sentence.
        next_step: What to do, as a sentence.
        page: The page to go to.
    """
    st.subheader(what)
    st.write(next_step)
    st.page_link(page, label=f"Go to {page.title}")
