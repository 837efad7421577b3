"""The part of the Finish page that imports labels made elsewhere: check first, then add."""

import streamlit as st

from app import services, state
from app.views import annotator
from app.wording import counted, plain
from pul.errors import PulError


def show() -> None:
    st.caption(
        "A table (CSV, Parquet), COCO, CVAT XML, Label Studio or FiftyOne JSON, MOTChallenge text, "
        "or a folder per identity. Labels that contradict existing ones are listed and skipped; "
        "importing the same labels twice adds nothing."
    )
    left, right = st.columns(2)
    sent = left.file_uploader(
        "Upload a file, or a zip of one or of folders",
        type=["csv", "tsv", "txt", "json", "xml", "parquet", "zip"],
        max_upload_size=services.uploads.max_mib(),
    )
    place = right.text_input("Or a file or folder on the server", placeholder="/path/to/labels")
    source = services.uploads.Sent(sent.name, sent) if sent else place
    check, add = st.columns([1, 5])
    is_check, is_add = check.button("Check first"), add.button("Add labels")
    if not source or not (is_check or is_add):
        return
    try:
        report = services.exports.import_labels(
            state.location(), source, annotator.sign(), dry_run=not is_add
        )
    except PulError as error:
        st.error(plain(str(error)))
        return
    _report(report, is_done=is_add)


def _report(report: services.exports.ImportReport, *, is_done: bool) -> None:
    show_report = st.success if is_done else st.info
    show_report(
        f"{'Added' if is_done else 'Would add'} {counted(report.n_images, 'image')} to "
        f"{report.n_created:,} new and {report.n_extended:,} known identities, "
        f"{report.n_junk:,} as junk, {report.n_unsure:,} as unsure. "
        f"{report.n_known:,} already known, {len(report.nobody):,} name nobody, "
        f"{len(report.problems):,} skipped."
    )
    for note in report.notes:
        st.info(plain(note))
    for heading, listed in (("names nobody", report.nobody), ("skipped", report.problems)):
        rows = [{"where": each.place, f"{heading} because": each.reason} for each in listed]
        if rows:
            st.dataframe(rows, hide_index=True)
