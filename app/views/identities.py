"""Page 4: who is who: merge, split, rename, hold out for validation."""

import streamlit as st

from app import (
    labelling,
    services,
    services_identities,
    services_labelling,
    services_oracle,
    services_runs,
    state,
)
from app.components.empty import nothing_yet
from app.components.identity_rows import identity_rows
from app.fragments import fragment
from app.waiting import iteration_to_label
from app.wording import counted, duration, percent


def show(now: services.Standing | None) -> None:
    place = services_runs.newest_look(state.location(), now) if now else None
    if place is None:
        nothing_yet("There are no identities yet.", "Start a run first.", state.page("workspace"))
    else:
        _identities(*place)


@fragment()
def _identities(run_id: int, newest: int) -> None:
    location, desk = state.location(), state.desk()
    key = f"identities:{services_labelling.log_name(location)}:{run_id}"

    def receive() -> None:
        outbox = st.session_state[key]["outbox"]
        desk.meet(outbox)
        desk.receive(location, outbox, state.annotator())

    if services_oracle.has_truth(location, run_id):
        _oracle(location, run_id, newest)
    if desk.notice:
        st.success(desk.notice)
        desk.notice = ""
    iteration = newest
    if services_labelling.said(location).identities:  # nobody waits to see that there are none
        iteration = iteration_to_label(location, run_id, newest)
    rows = services_identities.identity_rows(location, run_id, iteration)
    if not rows:
        nothing_yet("Nobody is labelled yet.", "Press Enter on a few cards.", state.page("label"))
    opened = st.session_state.get(key, {}).get("opened")
    identity_rows(labelling.rows_payload(location, desk, rows, opened), on_outbox=receive, key=key)
    acts = services_labelling.history(location)
    if acts:
        with st.expander("History: who said what"):
            st.dataframe(acts, hide_index=True)


def _oracle(location: str, run_id: int, iteration: int) -> None:
    n_identities = len(services_labelling.said(location).identities)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("These images came with ground truth: an oracle can label them for you.")
        wanted = [
            limit
            for limit in labelling.LIMITS
            if st.button(
                f"Label L = {limit} by oracle",
                key=f"oracle:{limit}",
                disabled=n_identities >= limit,
            )
        ]
        if services_oracle.n_acts(location) and st.button("Take back the oracle's labels"):
            services_oracle.take_back(location)
            st.rerun(scope="fragment")
    if wanted:
        _label(location, run_id, iteration, wanted[0])


def _label(location: str, run_id: int, iteration: int, limit: int) -> None:
    bar = st.progress(0.0, "The oracle looks at cards …")
    report = services_oracle.label_by_oracle(
        location, run_id, iteration, limit,
        on_progress=lambda done, total: bar.progress(done / total, f"{done} of {total} people"),
    )  # fmt: skip
    state.desk().notice = (
        f"{counted(len(report.identities), 'identity')}, {counted(report.n_images, 'image')}: "
        f"precision {percent(report.precision)} %, recall {percent(report.recall)} %. A person "
        f"would need about {duration(report.effort.seconds)}, "
        f"{report.actions_per_identity:.1f} actions an identity."
        if report.identities
        else f"There are {limit} identities or more already."
    )
    st.rerun(scope="fragment")
