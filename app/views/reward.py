"""The line over the cards: who else labels, what waits for training, and what it gave."""

import streamlit as st

from app import services, state
from app.services.rewards import Reward
from app.services.workspace import WorkspaceStatus
from app.views.fragments import fragment
from app.views.rounds import labels as training
from app.wording import counted, place, plain

POLL_S = 4.0


def show(run_id: int, iteration: int) -> None:
    """Show the line; it is drawn anew every few seconds and takes no focus.

    Args:
        run_id: The run whose cards are shown.
        iteration: Its iteration.
    """
    fragment(POLL_S)(_line)(run_id, iteration)


def _line(run_id: int, _iteration: int) -> None:
    location = state.location()
    now = services.workspace.workspace_status(location, None)  # the newest run: it trains
    with st.container(horizontal=True, vertical_alignment="center", key="reward"):
        last = services.rewards.last_reward(location)
        _training(now)
        if text := " · ".join(filter(None, [_others(run_id), _reward(last, now)])):
            st.caption(text, help=last.words.text if last else None)


def _others(run_id: int) -> str:
    """Tell who else labels now: "Ann is on 4 cards"."""
    leases = services.leases.leases_of(state.location(), run_id)
    others = leases.others(state.session_id(), state.is_open)
    events = services.labels.read_annotations(state.location()).events
    signed = [*(event.author for event in events), *others]
    names = services.authors.shown_names(state.location(), signed) if others else {}
    return ", ".join(
        f"**{plain(names[author])}** is on {counted(n, 'card')}" for author, n in others.items()
    )


def _training(now: WorkspaceStatus) -> None:
    """Tell what waits for training, with the button that starts it, or what trains now."""
    if now.run is None:
        return
    if now.is_active and now.job is not None:
        st.caption(f"**Training now**: {place(now.job.progress)}")
        return
    waiting = services.runs.untrained(state.location(), now.run.run_id, now.iterations)
    if waiting is None:
        return
    people = f"{counted(waiting.n_identities, 'person')}, {counted(waiting.n_images, 'image')}"
    if now.run.status == "finished":
        st.button(
            f"Train with {counted(waiting.n_identities, 'person')}",
            help=f"{people}. {training.HINT}",
            on_click=training.train,
            args=(now.run,),
            key="train-here",
        )
        if trouble := state.trouble(now.run.run_id):
            st.error(plain(trouble))
    else:
        st.caption(f"{people} wait: *Resume* on the page of the run trains with them.")


def _reward(last: Reward | None, now: WorkspaceStatus) -> str:
    """Tell what the last training with labels gave; "" if none was."""
    if last is None:
        return ""
    who = counted(last.n_identities, "person")
    is_on = now.is_active and now.run is not None and now.run.run_id == last.run.run_id
    state_of = f"iteration {last.iteration}" if is_on else "trained"
    unknown = "; what the labels gave of it is not measured" if last.words.can_measure else ""
    return f"{who} → {state_of}: **{last.words.headline}**{unknown}"
