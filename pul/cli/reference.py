"""`python -m pul.cli.reference FOLDER`: write the pages on commands and settings."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer.main

from pul.cli.main import app
from pul.config import (
    NetworkConfig,
    RunConfig,
    Setting,
    describe,
    load_preset,
    preset_names,
)
from pul.reports.changes import flatten

_MADE_BY = (
    "<!-- Made by `python -m pul.cli.reference docs`: change the help texts, not this page. -->"
)

_CLI = """\
`pip install .` makes the commands `pul` and `pul-studio`; in a checkout,
`.venv/bin/python -m pul` and `.venv/bin/python -m app` are the same. `--help` after any command
shows what this page shows, and `pul-studio --help` the options of the studio.

`--json` prints JSON on standard output; progress and errors go to standard error. The exit status
is 0, 1 after an error, and 2 for options that do not exist. Ctrl-C stops a run; `pul resume`
continues it."""

_SETTINGS = """\
Every setting of a run, as the studio's form shows it and as `--set NAME=VALUE` takes it. The
defaults are the paper's where the paper has a value. Some have an option of their own in
[`pul run`](cli.md#pul-run). A running job reads λ and K again at the start of each iteration:
[`pul steer`](cli.md#pul-steer) changes them."""

_NETWORK = "Of the start model; options of [`pul train-source`](cli.md#pul-train-source)."
_PRESETS = """\
`--preset` chooses the settings to begin with: `paper` is the paper's run, for ResNet-50 at 224×224
and a GPU; `quick` trains fewer epochs with larger steps and a lower λ, for CPUs and small networks;
`demo` fits the people of the demo; `modern` is what came after 2017: DBSCAN, a cluster memory
instead of a classifier, each iteration from the previous one's model, mirroring, erasing and mixed
precision. Where they differ from the defaults:"""

_GROUPS = {
    "Clustering and selection": "",
    "DBSCAN": "dbscan.",
    "Fine-tuning": "finetune.",
    "Evaluation": "evaluation.",
}


def main() -> None:
    """Write both pages into the folder that the command line names."""
    (folder,) = map(Path, sys.argv[1:])
    for name, page in pages().items():
        (folder / name).write_text(page, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the pages by file name, as Markdown."""
    return {"cli.md": cli_page(), "settings.md": settings_page()}


def cli_page() -> str:
    """Return the page on every command: its arguments and options, with defaults and help."""
    commands: dict[str, Any] = dict(vars(typer.main.get_command(app))["commands"])
    summary = [
        (f"[`pul {name}`](#pul-{name})", command.help.partition("\n\n")[0])
        for name, command in commands.items()
    ]
    parts = ["# The command line", _MADE_BY, _CLI, _table(("Command", "What it does"), summary)]
    for name, command in commands.items():
        parts += _command(name, command)
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """Return the page on every setting and preset."""
    parts = ["# Settings", _MADE_BY, _SETTINGS]
    settings = {setting.path: setting for setting in describe(RunConfig)}
    for title, prefix in _GROUPS.items():
        of_group = [setting for path, setting in settings.items() if _prefix(path) == prefix]
        parts += [f"## {title}", _settings_table(of_group, _paper_values())]
    parts += ["## The network", _NETWORK]
    parts.append(_settings_table(describe(NetworkConfig), flatten(NetworkConfig().model_dump())))
    parts += ["## Presets", *_presets()]
    return "\n\n".join(parts) + "\n"


def _prefix(path: str) -> str:
    group, dot, _ = path.partition(".")
    return group + dot if dot else ""


def _paper_values() -> dict[str, Any]:
    return flatten(load_preset("paper").model_dump())


def _settings_table(settings: Iterable[Setting], paper: Mapping[str, Any]) -> str:
    columns = ("Setting", "Default", "Paper", "Allowed", "What it does")
    rows = [
        (
            f"`{setting.path}`",
            _value(setting.default),
            _value(paper[setting.path]) if setting.is_in_paper else "",
            setting.allowed,
            setting.description,
        )
        for setting in settings
    ]
    return _table(columns, rows)


def _presets() -> Iterator[str]:
    """Yield what the presets are for, and a table of where they differ from the defaults."""
    yield _PRESETS
    names = preset_names()
    default = flatten(RunConfig().model_dump())
    values = [flatten(load_preset(name).model_dump()) for name in names]
    rows = [
        (f"`{path}`", *("" if own[path] == usual else _value(own[path]) for own in values))
        for path, usual in default.items()
        if any(own[path] != usual for own in values)
    ]
    yield _table(("Setting", *(f"`{name}`" for name in names)), rows)


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## pul {name}"
    yield command.help
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    required = [f"{max(p.opts, key=len)} {_metavar(p)}" for p in options if p.required]
    words = ["pul", name, *(_metavar(argument) for argument in arguments), *required]
    yield f"    {' '.join(words)}{' [OPTIONS]' * (len(required) < len(options))}"
    rows = [(f"`{_metavar(p)}`", _default(p), p.help) for p in arguments]
    rows += [(_names(p), _default(p), p.help) for p in options]
    yield _table(("Argument or option", "Default", "What it is"), rows)


def _metavar(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).strip("_").upper()
    many = "..." if parameter.nargs == -1 else ""
    optional = parameter.param_type_name == "argument" and not parameter.required
    return f"[{name}]{many}" if optional else f"{name}{many}"


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default is None or parameter.default == "":
        return ""
    return _value(parameter.default)


def _value(value: Any) -> str:
    """Return a value as `--set` takes it; None is called none."""
    if value is None:
        return "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"`{value:.4g}`"
    return f"`{value}`" if isinstance(value, str | Path) else f"`{json.dumps(value)}`"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in line) + " |"
        for line in lines
    )


if __name__ == "__main__":
    main()
