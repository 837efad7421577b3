"""What was steered on the way of a run, iteration by iteration: told, written down, repeated."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pul.config import RunConfig
from pul.errors import ConfigError
from pul.labelling.guidance import is_fixed, labels_used, pin_labels
from pul.store.workspace import Workspace

StepName = Literal["lambda_", "n_clusters", "labels"]
_WORDS: Mapping[str, StepName] = {"lambda": "lambda_", "k": "n_clusters", "labels": "labels"}
_STEP = re.compile(r"(?P<iteration>\d+):(?P<word>\w+)=(?P<value>\S+)")
_NO_LABELS = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a run uses from an iteration on.

    Attributes:
        iteration: The first iteration that uses it.
        name: `lambda_`, `n_clusters` or `labels`.
        value: λ, K, or the number of the last act of labelling that counts; 0 for no labels.
    """

    iteration: int
    name: StepName
    value: float

    def to_text(self) -> str:
        """Return the step as `--steer` takes it: 3:lambda=0.9."""
        (word,) = (word for word, name in _WORDS.items() if name == self.name)
        value = _NO_LABELS if (self.name, self.value) == ("labels", 0) else f"{self.value:.12g}"
        return f"{self.iteration}:{word}={value}"


def parse_steps(texts: Sequence[str]) -> list[Step]:
    """Return the steps that texts name, in the order of the iterations.

    Args:
        texts: Each `3:lambda=0.9`, `3:k=700`, `3:labels=120`, `3:labels=none`, or `@FILE` for a
            file with one on each line; what follows a # there is a remark.

    Raises:
        ConfigError: A text is not of this form, or a value is not allowed.
    """
    steps = [_parse(line) for text in texts for line in _lines(text)]
    return sorted(steps, key=lambda step: step.iteration)


def _lines(text: str) -> list[str]:
    if not text.startswith("@"):
        return [text]
    path = Path(text[1:]).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file of steps {path} cannot be read: {error}.") from error
    return [line for line in (line.partition("#")[0].strip() for line in lines) if line]


def _parse(text: str) -> Step:
    found = _STEP.fullmatch(text.strip())
    if found is None or found["word"] not in _WORDS:
        raise ConfigError(
            f"--steer takes ITERATION:NAME=VALUE with the name {', '.join(_WORDS)}, such as "
            f"3:lambda=0.9 or 0:labels=none, or @FILE; got {text!r}."
        )
    name = _WORDS[found["word"]]
    try:
        value = 0 if found["value"] == _NO_LABELS and name == "labels" else float(found["value"])
        is_whole = name == "lambda_" or value == int(value)
    except (ValueError, OverflowError):
        is_whole = False
    if not is_whole:
        raise ConfigError(f"{found['value']!r} of {text!r} is no {found['word']}.")
    if name == "labels":
        if value < 0:
            raise ConfigError(f"{text!r}: the number of an act of labelling is not negative.")
    else:
        RunConfig(**{name: value if name == "lambda_" else int(value)})
    return Step(int(found["iteration"]), name, value)


def check_steps(workspace: Workspace, steps: Sequence[Step]) -> None:
    """Refuse steps that cannot be gone in a workspace.

    Raises:
        ConfigError: A step names labels that the workspace does not have.
    """
    acts = [int(step.value) for step in steps if step.name == "labels"]
    if not any(acts):
        return
    events = workspace.annotation_events()
    last = events[-1].event_id if events else 0
    if max(acts) > last:
        raise ConfigError(
            f"There is no act of labelling {max(acts)} in this workspace; the last one is {last}."
        )


def apply_steps(workspace: Workspace, run_id: int, steps: Sequence[Step]) -> None:
    """Let a run that nothing has worked on yet go these steps.

    Raises:
        StoreError: The database refuses.
    """
    labels = {step.iteration: int(step.value) for step in steps if step.name == "labels"}
    if labels:
        pin_labels(workspace, run_id, labels)
    for step in steps:
        if step.name != "labels":
            workspace.set_control(
                run_id, step.name, step.value, author="--steer", iteration=step.iteration
            )


def read_steps(workspace: Workspace, run_id: int) -> list[Step]:
    """Return what a run used from which iteration on, beside its settings: λ, K and labels.

    The labels of a run that an experiment gave them to have no number, and are left out.

    Raises:
        StoreError: There is no such run.
    """
    used: dict[tuple[int, StepName], float] = {}
    for control in workspace.controls(run_id):
        if control.applied_at_iteration is not None:
            name: StepName = "lambda_" if control.name == "lambda_" else "n_clusters"
            used[control.applied_at_iteration, name] = control.value  # the last one counts
    if not is_fixed(workspace, run_id):
        before = None
        for iteration, act in sorted(labels_used(workspace, run_id).items()):
            if act != before:
                used[iteration, "labels"] = before = act
    return [Step(iteration, name, value) for (iteration, name), value in sorted(used.items())]


def has_unknown_labels(workspace: Workspace, run_id: int) -> bool:
    """Whether a run trained with labels that no step can name: those of an experiment."""
    is_labelled = any(record.n_annotated_images for record in workspace.iterations(run_id))
    return is_labelled and (is_fixed(workspace, run_id) or not labels_used(workspace, run_id))
