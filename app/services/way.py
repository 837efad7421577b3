"""The way through: its six steps, where each stands and what it needs, and what is next.

No Streamlit here.
"""

from dataclasses import dataclass
from typing import Literal

from app import services
from app.paths import TITLES
from app.services.labels import Pace
from app.services.workspace import WorkspaceStatus, open_workspace
from app.wording import counted, gain, percent
from pul.evaluation.course import course_of

State = Literal["done", "open", "blocked"]


@dataclass(frozen=True, slots=True)
class WayStep:
    """One step.

    Attributes:
        page: Key of the page on which it is done.
        state: `done`, `open`, or `blocked` while another step must come first.
        text: What is there, or what it needs.
    """

    page: str
    state: State
    text: str

    @property
    def name(self) -> str:
        """Its name: that of the page."""
        return TITLES[self.page]


@dataclass(frozen=True, slots=True)
class Way:
    """The steps, and what to do next.

    Attributes:
        steps: In order.
        next_text: What is next, as a button says it.
        next_page: Key of the page on which it is done.
    """

    steps: tuple[WayStep, ...]
    next_text: str
    next_page: str


def way(location: str, now: WorkspaceStatus, pace: Pace) -> Way:
    """Return where a workspace stands on the way.

    Args:
        location: The workspace.
        now: Its status.
        pace: Progress of its labelling.
    """
    has_clusters = bool(now.iterations) or (
        services.runs.newest_iteration(location, now) is not None
    )
    n_exports = _n_exports(location)
    steps = (
        _images(now),
        _clusters(now, has_clusters=has_clusters),
        _label(pace, has_clusters=has_clusters),
        _train(now),
        _compare(now),
        _export(now, pace, n_exports),
    )
    text, page = _next(location, now, pace, has_clusters=has_clusters, n_exports=n_exports)
    return Way(steps, text, page)


def _images(now: WorkspaceStatus) -> WayStep:
    if now.is_importing:
        return WayStep("workspace", "open", "being imported")
    if now.n_images:
        return WayStep("workspace", "done", counted(now.n_images, "image"))
    return WayStep("workspace", "open", "add a folder, a zip or a video")


def _clusters(now: WorkspaceStatus, *, has_clusters: bool) -> WayStep:
    if has_clusters:
        last = now.iterations[-1].n_clusters if now.iterations else 0
        return WayStep("clusters", "done", counted(last, "cluster") if last else "made")
    if not now.n_images:
        return WayStep("clusters", "blocked", "needs images")
    text = "being made" if now.is_active else "group the images"
    return WayStep("clusters", "open", text)


def _label(pace: Pace, *, has_clusters: bool) -> WayStep:
    text = counted(pace.n_identities, "person")
    if pace.goal:
        text = f"{pace.n_identities:,} of {counted(pace.goal, 'person')}"
    if pace.is_enough:
        return WayStep("label", "done", text)
    if not has_clusters:
        return WayStep("label", "blocked", "needs clusters")
    return WayStep("label", "open", text)


def _train(now: WorkspaceStatus) -> WayStep:
    run = now.run
    if run is not None and run.n_iterations_done and not now.is_active:
        text = f"{counted(run.n_iterations_done, 'iteration')}, {run.status}"
        return WayStep("rounds", "done" if run.status != "failed" else "open", text)
    if run is not None and now.is_active and run.config["n_iterations"]:
        done = f"iteration {run.n_iterations_done} of {run.config['n_iterations']} is done"
        return WayStep("rounds", "open", done)
    if not now.n_images:
        return WayStep("rounds", "blocked", "needs images")
    return WayStep("rounds", "open", "no model is trained yet")


def _compare(now: WorkspaceStatus) -> WayStep:
    if not now.iterations or not now.iterations[-1].iteration:
        return WayStep("retrieval", "blocked", "needs a trained model")
    if (course := course_of(now.iterations)) is not None:
        points = gain(course.end - course.start)
        text = f"mAP {percent(course.end)}, {points} over the start model"
        return WayStep("retrieval", "done", text)
    return WayStep("retrieval", "open", "needs test images, or validation identities, to measure")


def _export(now: WorkspaceStatus, pace: Pace, n_exports: int) -> WayStep:
    if n_exports:
        return WayStep("export", "done", f"{counted(n_exports, 'export')} written")
    if pace.n_identities or (now.run is not None and now.run.n_iterations_done):
        return WayStep("export", "open", "nothing is written yet")
    return WayStep("export", "blocked", "needs a trained model or labels")


def _next(
    location: str, now: WorkspaceStatus, pace: Pace, *, has_clusters: bool, n_exports: int
) -> tuple[str, str]:
    """Return what is next, and on which page."""
    run = now.run
    if now.is_importing:
        return "See the import", "workspace"
    if not now.n_images:
        return "Add images", "workspace"
    if run is not None and run.status == "failed":
        return "See what failed", "rounds"
    if not has_clusters:
        return ("See the grouping", "rounds") if now.is_active else ("Group images", "workspace")
    is_waiting = run is not None and now.is_active and pace.n_identities == 0
    if not pace.is_enough and pace.goal and not is_waiting:
        left = counted(pace.goal - pace.n_identities, "person")
        return f"Label {left}", "label"
    if now.is_active:
        return "See the training", "rounds"
    if run is not None and services.runs.untrained(location, run.run_id, now.iterations):
        return f"Train with {counted(pace.n_identities, 'person')}", "rounds"
    if run is not None and not run.n_iterations_done:
        return "Train a model", "rounds"
    return ("Compare models", "retrieval") if n_exports else ("Export the model", "export")


def _n_exports(location: str) -> int:
    jobs = open_workspace(location).jobs()
    return sum(job.kind == "export" and job.status == "finished" for job in jobs)
