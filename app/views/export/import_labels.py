"""The part of page 7 that adds labels made elsewhere: look first, then add."""

import streamlit as st

from app import services, state
from app.wording import counted
from pul.errors import PulError

_N_PROBLEMS = 20


def show() -> None:
    st.caption(
        "A CSV or JSON file, or a folder with a folder per identity. What contradicts the labels "
        "that are here is listed and left out; the same labels twice add nothing."
    )
    left, right = st.columns(2)
    sent = left.file_uploader("A file of yours", type=["csv", "tsv", "txt", "json"])
    place = right.text_input("Or a file or folder on the server", placeholder="/path/to/labels")
    source = (sent.name, sent.getvalue()) if sent else place
    look, add = st.columns([1, 5])
    is_look, is_add = look.button("Look first"), add.button("Add them")
    if not source or not (is_look or is_add):
        return
    try:
        report = services.exports.import_labels(
            state.location(), source, state.annotator(), dry_run=not is_add
        )
    except PulError as error:
        st.error(str(error))
        return
    _report(report, is_done=is_add)


def _report(report: services.exports.ImportReport, *, is_done: bool) -> None:
    tell = st.success if is_done else st.info
    tell(
        f"{'Added' if is_done else 'Would add'} {counted(report.n_images, 'image')} to "
        f"{report.n_created:,} new and {report.n_extended:,} known identities, "
        f"{report.n_junk:,} as junk, {report.n_unsure:,} as unsure. "
        f"{report.n_known:,} known already, {len(report.problems):,} left out."
    )
    shown = report.problems[:_N_PROBLEMS]
    if shown:
        rows = [{"where": each.place, "left out because": each.reason} for each in shown]
        st.dataframe(rows, hide_index=True)
