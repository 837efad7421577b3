"""The header above every page: the way through, the page's title, and how things stand."""

from collections.abc import Mapping
from html import escape

from app.components.mount import mount
from app.services.way import Way, WayStep
from app.wording import counted, definition, duration, gain, percent, place
from pul.records import IterationRecord, JobRecord, RunRecord, last_measured

_render = mount(
    "pul_header",
    script="header/header.js",
    values=("moved",),
    html='<div class="pul-line"></div>',
)


def header(html: str, *, moved: str, url: str, title: str, page: str) -> None:
    """Show the header; from then on it polls the status by itself.

    Args:
        html: Its current content.
        moved: Hash of what the page is drawn from; the page reruns when the polled hash differs.
        url: Address to poll: it returns `html`, `moved` and the next `url`; "" polls nothing.
        title: Title of the page.
        page: Key of the page, whose step is marked.
    """
    data = {"html": html, "moved": moved, "url": url, "title": title, "page": page}
    _render(key="line", data=data)


def way_html(shown: Way, addresses: Mapping[str, str]) -> str:
    """Return the steps, and what is next, as HTML.

    Args:
        shown: The way.
        addresses: Address of each page, relative to a page, by key.
    """
    steps = "".join(_step(number, each, addresses) for number, each in enumerate(shown.steps, 1))
    return (
        f'<div class="pul-way"><nav aria-label="Steps"><ol>{steps}</ol></nav>'
        f'<a class="pul-next" data-page="{shown.next_page}" '
        f'href="{escape(addresses[shown.next_page])}">{escape(shown.next_text)} →</a></div>'
    )


_SAID = {"done": "done", "open": "open", "blocked": "not yet"}


def _step(number: int, step: WayStep, addresses: Mapping[str, str]) -> str:
    text = f"{_SAID[step.state]}: {step.text}"
    mark = "✓" if step.state == "done" else str(number)
    return (
        f'<li class="{step.state}"><a data-page="{step.page}" '
        f'href="{escape(addresses[step.page])}" title="{escape(text)}">'
        f'<i aria-hidden="true">{mark}</i>{step.name}<span class="pul-said">, {escape(text)}</span>'
        "</a></li>"
    )


def header_html(
    name: str,
    n_images: int,
    run: RunRecord | None,
    iterations: tuple[IterationRecord, ...],
    job: JobRecord | None,
) -> str:
    """Return the header as HTML.

    How far the labelling is stands on the pages that label, once: they know of acts that are on
    their way, which the header does not.

    Args:
        name: Name of the workspace.
        n_images: Its images.
        run: The selected run.
        iterations: Its finished iterations, the baseline first.
        job: The last job on it.
    """
    parts = [f"<b>{escape(name)}</b>"]
    parts.append(f"<span>{counted(n_images, 'image')}</span>")
    if run is not None:
        parts += [f"<span>{escape(run.name)}</span>", _status(run, job)]
        parts += _figures(iterations)
    return f'<div class="pul-title"><h1></h1><div class="pul-header">{"".join(parts)}</div></div>'


def _status(run: RunRecord, job: JobRecord | None) -> str:
    total = run.config.get("n_iterations", 0)
    done = f"iteration {run.n_iterations_done}/{total}" if total else "grouping"
    if job is not None and job.status in ("queued", "running", "paused"):
        progress = job.progress
        if progress is not None and progress.iteration:
            done = f"iteration {progress.iteration}/{progress.n_iterations}"
        if progress is not None and progress.epoch:
            done += f" (epoch {progress.epoch}/{progress.n_epochs})"
        status = "paused" if job.status == "paused" else "running"
        return f'<span class="{status}" title="{escape(place(progress))}">{done}</span>'
    return f'<span class="{run.status}">{done}, {run.status}</span>'


def _figures(iterations: tuple[IterationRecord, ...]) -> list[str]:
    if not iterations:
        return []
    first, last, measured = iterations[0], iterations[-1], last_measured(iterations)
    figures = []
    if measured is not None and (metrics := measured.metrics) is not None:
        change = ""
        if first.metrics is not None and measured is not first:
            change = f" ({gain(metrics.mean_ap - first.metrics.mean_ap)})"
        hint = f"{definition(metrics)}; in brackets: points above the baseline"
        if measured is not last:
            hint += f"; measured at iteration {measured.iteration}"
        figures.append(
            f'<span title="{escape(hint)}">mAP <b>{percent(metrics.mean_ap)}</b>{change} '
            f"<small>{escape(metrics.ap_method)} AP</small></span>"
        )
    seconds = duration(sum(last.seconds.values()))
    hint = f"{last.n_reliable:,} of {last.n_images:,} images; the last iteration took {seconds}"
    figures.append(f'<span title="{hint}">reliable <b>{percent(last.reliable_share)} %</b></span>')
    return figures
