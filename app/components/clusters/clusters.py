"""The grid of all clusters, the map beside it, and the opened cluster; drawn in the browser."""

from collections.abc import Callable
from typing import Any

from app.components.mount import mount

_render = mount(
    "pul_clusters",
    script="clusters/clusters.js",
    values=("outbox", "view", "iteration", "card"),
    html="clusters/clusters.html",
    css=("map/scatter.css", "clusters/clusters.css"),
)


def clusters(
    payload: dict[str, Any],
    *,
    on_outbox: Callable[[], None],
    on_view: Callable[[], None],
    on_iteration: Callable[[], None],
    key: str,
) -> None:
    """Show the clusters of an iteration.

    Args:
        payload: What to draw, as `app.payloads.clusters_payload` makes it.
        on_outbox: Called when the browser sent acts: they are `st.session_state[key]["outbox"]`.
        on_view: Called when sort, filters, λ or the opened cluster changed:
            `st.session_state[key]["view"]` are the parameters of the address.
        on_iteration: Called when another iteration was chosen.
        key: Key of the component; `st.session_state[key]["card"]` are the images for which a
            card on the Label page is wanted, and when.
    """
    _render(
        key=key,
        data=payload,
        on_outbox_change=on_outbox,
        on_view_change=on_view,
        on_iteration_change=on_iteration,
    )
