"""The line over the cards: who else labels, what waits for training, and what it gave."""

import streamlit as st

from app import services, state
from app.services.rewards import Reward
from app.services.workspace import WorkspaceStatus
from app.views.fragments import fragment
from app.views.rounds import labels as training
from app.wording import counted, gain, percent, place, plain, validation_note

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
        parts = [_others(run_id), _reward(services.rewards.last_reward(location), now)]
        _training(now)
        if text := " · ".join(filter(None, parts)):
            st.caption(text)


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
            type="primary",
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
    """Tell what the last training with labels gave."""
    if last is None or last.now is None:
        return ""
    who = counted(last.n_identities, "person")
    is_on = now.is_active and now.run is not None and now.run.run_id == last.run.run_id
    start = f"{who} → iteration {last.iteration}" if is_on else f"{who} → trained"
    level = f"mAP {percent(last.now)}"
    if last.before is not None:
        level = f"mAP {percent(last.before)} → **{percent(last.now)}**"
        level += f" ({gain(last.now - last.before)})"
    if last.n_validation:
        return f"{start}: {level} {validation_note(last.n_validation)}"
    if last.without is None:
        return f"{start}: {level}; how much of it the labels gave is not measured"
    return f"{start}: {level}, {gain(last.now - last.without)} over the same run without labels"
