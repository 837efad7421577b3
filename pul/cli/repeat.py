"""The command that repeats a run."""

import json
from collections.abc import Sequence
from typing import Any

from pul.cli.options import SETTING_OPTIONS
from pul.config import RunConfig, load_preset, preset_names
from pul.config.base import NO_VALUE, flatten
from pul.jobs.steps import Step


def repeat_command(
    config: RunConfig, *, workspace: str, model: str, steps: Sequence[Step] = ()
) -> list[str]:
    """Return the words of the command that starts a run with these settings.

    It uses the preset that differs least, and names every setting that differs from it. No
    selection is written as λ 0, which means the same.

    Args:
        config: Settings of the run.
        workspace: Where its images are.
        model: The original model's file.
        steps: What was steered on the way.
    """
    changed = {name: _changed(config, load_preset(name)) for name in preset_names()}
    preset = min(changed, key=lambda name: len(changed[name]))
    words = ["python", "-m", "pul", "run", "--workspace", workspace, "--model", model]
    words += ["--preset", preset]
    for name, value in changed[preset].items():
        if name in SETTING_OPTIONS and value is not None:
            words += [SETTING_OPTIONS[name], _text(value)]
        else:
            words += ["--set", f"{name}={_text(value)}"]
    return words + [word for step in steps for word in ("--steer", step.to_text())]


def _text(value: Any) -> str:
    if value is None:
        return NO_VALUE
    return value if isinstance(value, str) else json.dumps(value)


def _changed(config: RunConfig, preset: RunConfig) -> dict[str, Any]:
    """Return the settings that differ from a preset's, by their dotted name."""
    ours, theirs = (flatten(each.model_dump(mode="json")) for each in (config, preset))
    if ours["lambda_"] is None:
        ours["lambda_"] = 0.0
    return {name: value for name, value in ours.items() if value != theirs[name]}
