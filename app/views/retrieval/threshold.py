"""The part of the Retrieval page that chooses from which cosine two pictures are one person."""

import streamlit as st

from app import services, state
from app.components.charts.verification import verification_histograms
from app.routes.signed import workspace_key
from app.services.retrieval import Found, Place
from app.wording import count, fit, percent

RATES = (0.0001, 0.001, 0.01, 0.05, 0.1)
HEIGHT = 240


def show(place: Place) -> None:
    """Show how alike known people are, and keep the threshold of a chosen false-accept rate.

    Args:
        place: The iteration.
    """
    with st.expander("Threshold: who is unknown?"):
        if not services.map.has_features(state.location(), place.run_id, place.iteration):
            st.caption(
                "The features of this iteration were removed to save room, as the run's setting "
                "*Features to store* says: choose a later iteration."
            )
        elif (measured := services.thresholds.measure(state.location(), place)) is None:
            st.caption(
                fit("Label two people first, one of them with two images: no people are known.")
            )
        else:
            _choose(place, measured)


def _choose(place: Place, measured: services.thresholds.Measured) -> None:
    key = f"threshold-{workspace_key(state.location()).hex()}-{place.run_id}-{place.iteration}"
    rate = st.select_slider(
        fit("Different people taken for one, at most"),
        RATES,
        0.01,
        format_func=lambda rate: f"{100 * rate:g} %",
        key=f"{key}-rate",
    )
    pairs = measured.pairs
    level = pairs.threshold(rate)
    verification_histograms(pairs.same, pairs.different, level, height=HEIGHT, key=key)
    st.markdown(
        f"Above cosine **{level:.3f}** two pictures are one person, else *unknown*: "
        f"{percent(pairs.false_accept_rate(level))} % of {count(len(pairs.different))} pairs "
        f"of different people are above it, and **{percent(pairs.true_accept_rate(level))} %** "
        f"of {count(len(pairs.same))} pairs of one person."
    )
    st.caption(_measured_on(pairs.n_people, measured.source, is_across=pairs.is_across_cameras))
    if rate * len(pairs.different) < 1:
        st.caption("There are too few pairs to tell a rate as low as that.")
    st.button(
        "Use this threshold",
        on_click=_keep,
        args=(place, f"{key}-rate"),
        help="Lists say “unknown” below it, and it is exported with the model.",
        key=f"{key}-keep",
    )
    if (kept := services.thresholds.kept(state.location(), place)) is not None:
        st.caption(f"In use: {kept.threshold:.3f}, measured on {kept.measured_on}.")


def _measured_on(n_people: int, source: str, *, is_across: bool) -> str:
    where = "across cameras" if is_across else "within one camera, as no other is known"
    few = "; too few to judge by" if n_people < 10 else ""
    return f"Measured on {count(n_people)} {source}, {where}{few}."


def _keep(place: Place, key: str) -> None:
    """Keep the threshold of the rate as it stands in the slider."""
    measured = services.thresholds.measure(state.location(), place)
    if measured is not None:
        services.thresholds.keep(state.location(), place, measured, st.session_state[key])


def tell_unknown(place: Place, found: list[Found]) -> None:
    """Say how many of a ranked list are above the threshold in use, or that nobody is."""
    kept = services.thresholds.kept(state.location(), place)
    if kept is None or not found:
        return
    n_above = sum(each.similarity > kept.threshold for each in found)
    if n_above:
        more = "or more " if n_above == len(found) else ""
        st.caption(f"{n_above} {more}above the threshold {kept.threshold:.3f}.")
    else:
        st.info(
            f"Unknown: nobody is above the threshold {kept.threshold:.3f}; "
            f"the likest has {found[0].similarity:.3f}."
        )
