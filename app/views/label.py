"""The Label page: one card after another, by keys."""

import streamlit as st

from app import payloads, services, state
from app.components.card.card import card
from app.components.tables.empty import nothing_yet
from app.views import annotator
from app.views.fragments import fragment
from app.views.waiting import for_first_iteration, iteration_to_label
from app.wording import fit

N_CARDS = 4  # the one on the screen, and the next three
N_PAIRS = 4


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or now.run is None:
        nothing_yet(
            "There is nobody to label yet.",
            "Start with “Group without training”.",
            state.page("workspace"),
        )
        return
    place = services.runs.newest_iteration(state.location(), now)
    if place is None:
        for_first_iteration(now, fit("People are being grouped for the first time."))
    else:
        _label(*place)


@fragment()
def _label(run_id: int, newest: int) -> None:
    location, desk = state.location(), state.desk()
    desk.name = annotator.given_name()
    key = f"card:{services.labels.log_name(location)}:{run_id}"

    def receive() -> None:
        outbox = st.session_state[key]["outbox"]
        annotator.remember_name(outbox)
        answered = desk.receive(location, outbox, annotator.sign())
        if services.cards.name_of_images(state.card_images()) in answered:
            state.open_card([])

    if st.session_state.get(key, {}).get("rounds"):
        st.switch_page(state.page("rounds"))
    wanted = st.session_state.get(key, {}).get("wanted")
    iteration = iteration_to_label(location, run_id, newest)
    place = (location, run_id, iteration)
    board = services.cards.board(*place)
    payload = payloads.card_payload(
        location,
        desk,
        desk.next_cards(board, N_CARDS, state.card_images(), state.is_open),
        services.pairs.next_pairs(board, n=N_PAIRS),
        services.identities.identity_rows(*place),
        services.map.map_arrays(*place).camera_names,
        services.cards.more(board, **wanted) if wanted else None,
    )
    card(payload, on_outbox=receive, key=key)
    annotator.ask_after_first_act()
