"""Who labels here: the account that is logged in, or else this browser; and the name shown."""

import streamlit as st

from app import services, state
from app.routes.doors import BROWSER_COOKIE
from app.wording import plain
from pul.errors import PulError

_FIELD = "annotator"
_PROMPT = "annotator:prompt"
_HELP = "Others see it beside your labels. Undo reverts only your own labels."


def author() -> str:
    """Return the author of what is done here; labels are signed with it, and undo goes by it.

    Raises:
        ConfigError: The login provider does not say whose account it is.
    """
    claims = st.user.to_dict()
    if claims.get("is_logged_in"):
        return services.authors.of_login(claims)
    # A browser that keeps no cookie is another author after each reload.
    key = dict(st.context.cookies).get(BROWSER_COOKIE, "")
    return services.authors.of_browser(key or state.session_id())


def sign() -> str:
    """Return the author, whose name the workspace knows from then on if there is a log-in."""
    claims = st.user.to_dict()
    if claims.get("is_logged_in"):
        name = services.authors.name_of_login(claims)
        services.authors.give_name(state.location(), author(), name)
    return author()


def given_name() -> str:
    """Return the name that was given in this browser; "" for none, and where people log in."""
    if st.user.to_dict().get("is_logged_in"):
        return ""
    return services.authors.given_name(state.location(), author())


def remember_name(outbox: object) -> None:
    """Use the name that this browser stored in another workspace, unless there is one here."""
    name = outbox.get("name") if isinstance(outbox, dict) else None
    if not isinstance(name, str) or st.user.to_dict().get("is_logged_in") or given_name():
        return
    try:
        services.authors.give_name(state.location(), author(), name)
    except PulError:
        return  # no name of ours; it is asked for


def show() -> None:
    """Show, in the sidebar, who labels here: a field for the name, or the account.

    Raises:
        ConfigError: The login provider does not say whose account it is.
    """
    claims, me = st.user.to_dict(), author()
    if claims.get("is_logged_in"):
        st.caption("Logged in as")
        st.text(services.authors.name_of_login(claims) or _shown_name(me))
    else:
        _ask("Your name", _FIELD)


def ask_after_first_act() -> None:
    """Ask for a name, below what is labelled, once an annotator without one has labelled here."""
    if st.user.to_dict().get("is_logged_in") or given_name():
        return
    events = services.labels.read_annotations(state.location()).events
    me = author()
    if any(event.author == me for event in reversed(events)):
        _ask("What is your name? Others see it beside your labels.", _PROMPT)


def _ask(label: str, key: str) -> None:
    location, me, name = state.location(), author(), given_name()
    # A field of its own for each name, so that it shows one that was given elsewhere.
    key = f"{key}:{location}:{name}"

    def store() -> None:
        try:
            services.authors.give_name(location, me, str(st.session_state[key]))
            st.session_state.pop(f"{key}:error", None)
        except PulError as problem:
            st.session_state[f"{key}:error"] = plain(str(problem))

    st.text_input(
        label,
        value=name,
        key=key,
        placeholder=_shown_name(me),
        max_chars=services.authors.MAX_NAME_LENGTH,
        help=_HELP,
        on_change=store,
    )
    if error := st.session_state.get(f"{key}:error", ""):
        st.error(error)


def _shown_name(me: str) -> str:
    events = services.labels.read_annotations(state.location()).events
    return services.authors.shown_names(
        state.location(), [*(event.author for event in events), me]
    )[me]
