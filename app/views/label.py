"""The Label page: one card after another, by keys."""

from functools import partial
from typing import Any

import streamlit as st

from app import payloads, services, state
from app.components.card.card import card
from app.services.cards import Board
from app.views import annotator, leading, reward
from app.views.fragments import fragment
from app.views.waiting import for_a_run, for_first_iteration, iteration_to_label
from app.wording import fit

N_CARDS = 4  # the one on the screen, and the next three
N_PAIRS = 4


def show(now: services.workspace.WorkspaceStatus | None) -> None:
    if now is None or now.run is None:
        for_a_run(now, "There is nobody to label yet.")
        return
    place = services.runs.newest_iteration(state.location(), now)
    if place is None:
        for_first_iteration(now, fit("People are being grouped for the first time."))
    else:
        reward.show(*place)
        _label(*place)


@fragment()
def _label(run_id: int, newest: int) -> None:
    location, desk = state.location(), state.desk()
    desk.name = annotator.given_name()
    key = f"card:{services.labels.log_name(location)}:{run_id}"
    iteration = iteration_to_label(location, run_id, newest)
    board = services.cards.board(location, run_id, iteration)
    author = annotator.author()
    cards = desk.next_cards(board, N_CARDS, state.card_images(), state.is_open, author)
    sent = st.session_state.get(key, {})
    leading.to_similar(sent, key)
    wanted = sent.get("wanted")
    payload = payloads.card_payload(
        location,
        desk,
        cards,
        services.pairs.next_pairs(board, n=N_PAIRS),
        services.identities.identity_rows(location, run_id, iteration),
        services.map.map_arrays(location, run_id, iteration).camera_names,
        services.cards.more(board, **wanted) if wanted else None,
        n_clusters=services.runs.iterations(location, run_id)[-1].n_clusters,
        author=author,
        pairs_in_a_row=desk.round_of_pairs(board, sent.get("review"), state.counting()),
        drafts=_drafts(board, sent.get("drafts")),
    )
    card(payload, on_outbox=partial(_receive, key), key=key)
    annotator.ask_after_first_act()


def _receive(key: str) -> None:
    outbox, desk = st.session_state[key]["outbox"], state.desk()
    annotator.remember_name(outbox)
    answered = desk.receive(state.location(), outbox, annotator.sign())
    if desk.finish_picks(answered):
        state.open_card([])


def _drafts(board: Board, kept: object) -> dict[str, Any] | None:
    if not isinstance(kept, dict):
        return None
    drafts, told = services.drafts.restore(board, kept.get("works"))
    return payloads.drafts_payload(board.place[0], str(kept.get("asked", ""))[:100], drafts, told)
