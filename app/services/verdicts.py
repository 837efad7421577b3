"""The verdict on a run, in words; and the run that measures what labels gave. No Streamlit here."""

from dataclasses import dataclass

from app.services.cache import cached
from app.services.workspace import open_workspace
from app.wording import counted, gain, percent, validation_note
from pul import jobs
from pul.config import RunConfig
from pul.evaluation.course import Settling
from pul.jobs.course import judge_settling
from pul.jobs.steps import Step, read_steps
from pul.records import RunRecord
from pul.reports.verdict import LabelVerdict, Verdict, judge
from pul.store.workspace import Workspace

WITHOUT = " without labels"


@dataclass(frozen=True, slots=True)
class Words:
    """The verdict as it is read.

    Attributes:
        headline: What the run gained.
        text: From what to what, what the labels gave, and whether to go on.
        can_measure: Whether a run without labels would tell what they gave.
        twin: The run without labels; None if there is none.
    """

    headline: str
    text: str
    can_measure: bool = False
    twin: int | None = None


def verdict(location: str, run: RunRecord) -> Words | None:
    """Return the verdict on a run; None if it trained nothing."""
    workspace = open_workspace(location)
    if not run.n_iterations_done:
        return None
    found = _judge(workspace, run.run_id, workspace.version())
    if found is None:
        return _unmeasured(_judge_settling(workspace, run.run_id, workspace.version()))
    labels = found.labels
    return Words(
        headline=_headline(found),
        text=" ".join([_course(found), *_on_labels(labels), *_outlook(found, run)]),
        can_measure=labels is not None and labels.twin is None,
        twin=labels.twin.run_id if labels is not None and labels.twin is not None else None,
    )


@cached(maxsize=16)
def _judge(workspace: Workspace, run_id: int, _version: str) -> Verdict | None:
    return judge(workspace, run_id)


@cached(maxsize=16)
def _judge_settling(workspace: Workspace, run_id: int, _version: str) -> Settling | None:
    return judge_settling(workspace, run_id)


def _unmeasured(settling: Settling | None) -> Words:
    why = (
        "What it gained is not known: these images have no query and gallery with known people. "
        "Hold out some people for validation on the page Identities, or add such images."
    )
    if settling is None:
        return Words("Trained, but not measured", why)
    course = f"{settling.first:.2f} → {settling.last:.2f}"
    if settling.is_falling:
        return Words(
            "Trained, not measured, perhaps worse",
            "From one iteration to the next its clusters agree less than at first, twice in a row "
            f"(adjusted Rand index {course}). This is no accuracy, but a sign that training does "
            f"harm; look at the clusters before you use the model. {why}",
        )
    return Words(
        "Trained, but not measured",
        f"{why} From one iteration to the next its clusters agree as well as at first or better "
        f"(adjusted Rand index {course}); this is no accuracy, as clusters may settle on wrong "
        "people.",
    )


def _headline(found: Verdict) -> str:
    if found.is_worse:
        return f"{percent(-found.gain)} mAP worse than the start model"
    return f"{gain(found.gain)} mAP over the start model"


def _course(found: Verdict) -> str:
    course = (
        f"{percent(found.start)} → {percent(found.end)} after "
        f"{counted(found.iteration, 'iteration')}"
    )
    if found.source == "test":
        return f"{course}."
    return f"{course}, {validation_note(found.n_validation)}."


def _on_labels(labels: LabelVerdict | None) -> list[str]:
    if labels is None:
        return []
    people = f"the {counted(labels.n_identities, 'person')} you labelled"
    if labels.gain is not None and labels.without is not None:
        at = counted(labels.iteration or 0, "iteration")
        return [
            f"{people.capitalize()} gave **{gain(labels.gain)}** of it (the same run without "
            f"labels: {percent(labels.without)} after {at})."
        ]
    if labels.twin is not None:
        return [f"How much of it came from {people} is being measured: “{labels.twin.name}”."]
    return [f"How much of it came from {people} is not known."]


def _outlook(found: Verdict, run: RunRecord) -> list[str]:
    if found.is_worse and not found.best:
        return ["No iteration was better than the start model: keep that one."]
    if found.has_fallen:
        return [f"Iteration {found.best} was better: {percent(found.best_level)}."]
    if found.is_rising and run.status == "finished":
        return ["Still rising: more iterations may help."]
    return []


def train_without_labels(location: str, run_id: int) -> int:
    """Create the same run without labels, start it, and return its number.

    Raises:
        ModelError: The start model is missing or was changed.
        JobError: The worker cannot be started.
    """
    workspace = open_workspace(location)
    run = workspace.run(run_id)
    steps = [step for step in read_steps(workspace, run_id) if step.name != "labels"]
    job = jobs.create_run(
        workspace,
        RunConfig(**run.config),
        workspace.start_model(run_id),
        run.name + WITHOUT,
        steps=[Step(0, "labels", 0), *steps],
    )
    jobs.start_job(workspace, job.job_id)
    return job.run_id or 0
