"""Second opinions on the Identities page: how many, how far people agree, and what to decide."""

import streamlit as st

from app import services, state
from app.components.tables.grid import strip
from app.routes import thumbnails
from app.services.opinions import Comparison, Opinions
from app.views import annotator
from app.wording import counted, plain

_STEPS = (0, 5, 10, 20, 50, 100)  # per cent
_MOST_SHOWN = 5  # conflicts


def show() -> None:
    """Show them, folded where nothing is to be decided."""
    location = state.location()
    known = services.opinions.opinions(location)
    n_open = len(known.open_conflicts)
    title = "Second opinions" + (f": {counted(n_open, 'conflict')} to decide" if n_open else "")
    with st.expander(title, expanded=n_open > 0):
        _choose_share(location)
        if known.compared:
            _agreement(known)
        for compared in known.open_conflicts[:_MOST_SHOWN]:
            _conflict(location, known, compared)


def _choose_share(location: str) -> None:
    share = round(100 * services.opinions.share(location))
    chosen = st.select_slider(
        "Cards that another annotator answers too, without seeing the first answer",
        sorted({*_STEPS, share}),
        share,
        format_func=lambda value: f"{value} %",
        key=f"second:share:{location}",
    )
    if chosen != share:
        services.opinions.set_share(location, chosen / 100)


def _agreement(known: Opinions) -> None:
    st.dataframe(
        [
            {
                "annotator": name,
                "cards": each.n_cards,
                "agreement (adjusted Rand)": round(each.adjusted_rand, 3),
                "pairs in conflict": each.n_conflicts,
                "of": each.n_pairs,
            }
            for name, each in known.by_annotator.items()
        ],
        hide_index=True,
    )


def _conflict(location: str, known: Opinions, compared: Comparison) -> None:
    labels = services.labels.read_annotations(location)
    name = plain(labels.name(compared.identity))
    first, second = (plain(known.names[who]) for who in (compared.first, compared.second))
    rand = services.opinions.agree_on(compared)
    st.markdown(f"**{name}**: {first} and {second} differ (adjusted Rand {rand:.2f})")
    sides = (
        (f"Only {first}", compared.in_first - compared.in_second, "Keep the first", False),
        (f"Only {second}", compared.in_second - compared.in_first, "Take the second", True),
    )
    for column, (who, images, text, is_taken) in zip(st.columns(2), sides, strict=True):
        with column:
            st.caption(f"{who}: {counted(len(images), 'image')}")
            strip(thumbnails.urls(location, sorted(images)[:8]), alt=f"{name}, {who.lower()}")
            key = f"settle:{compared.event_id}:{is_taken}"
            if st.button(text, key=key, width="stretch"):
                _settle(location, compared, is_taken=is_taken)


def _settle(location: str, compared: Comparison, *, is_taken: bool) -> None:
    outcome = services.acts.settle(location, annotator.sign(), compared.event_id, is_taken=is_taken)
    state.desk().notice = outcome.text, services.labels.version(location)
    st.rerun(scope="fragment")
