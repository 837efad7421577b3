"""The pages on commands and settings name all of them, with their defaults and bounds."""

from typing import Any

import pytest
import typer.main

from pul.cli.main import app
from pul.cli.reference import cli_page, settings_page
from pul.config import NetworkConfig, RunConfig, Settings, describe, load_preset, preset_names
from pul.config.base import flatten
from pul.config.methods import LOSSES

COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def section(command: str) -> str:
    """Return the part of the page on one command."""
    page = cli_page()
    start = page.index(f"\n## pul {command}\n")
    end = page.find("\n## ", start + 1)
    return page[start:end] if end > 0 else page[start:]


def row(page: str, name: str) -> list[str]:
    """Return the cells of the one row that begins with a name."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("name", COMMANDS)
def test_cli_page__names_every_option_with_its_help(name: str) -> None:
    text = section(name)
    for parameter in COMMANDS[name].params:
        assert parameter.help, f"{name}: {parameter.name} has no help"
        assert " ".join(parameter.help.split()) in text
        for option in [*parameter.opts, *parameter.secondary_opts]:
            assert not option.startswith("--") or f"`{option}`" in text


def test_cli_page__has_the_default_and_what_is_required() -> None:
    assert row(section("train-source"), "--epochs")[1] == "`40`"
    assert row(section("run"), "--model")[1] == "required"
    assert row(section("run"), "--name")[1] == ""
    assert "    pul run --workspace WORKSPACE --model MODEL [OPTIONS]\n" in section("run")
    assert "    pul restore BACKUP [WORKSPACE] [OPTIONS]\n" in section("restore")


def test_cli_page__an_option_has_the_words_of_its_setting() -> None:
    (lambda_,) = [setting for setting in describe(RunConfig) if setting.path == "lambda_"]
    for command in ("run", "fork", "steer"):
        assert row(section(command), "--lambda")[2].startswith(lambda_.description)
        assert row(section(command), "--lambda")[2].endswith("Allowed: -1 to 1.")


@pytest.mark.parametrize("config", [RunConfig, NetworkConfig])
def test_settings_page__names_every_setting(config: type[Settings]) -> None:
    page, paths = settings_page(), flatten(config().model_dump())
    assert all(row(page.partition("## Presets")[0], path) for path in paths)
    assert sorted(paths) == sorted(setting.path for setting in describe(config))


def test_settings_page__has_defaults_the_papers_values_and_bounds() -> None:
    page = settings_page().partition("## Presets")[0]
    assert row(page, "kmeans_n_init")[1:4] == ["`1`", "`10`", "1 to 100"]
    assert row(page, "dbscan.eps")[1:4] == ["`0.6`", "", "above 0 to below 1"]
    assert row(page, "n_threads")[1] == "none"
    assert row(page, "finetune.loss")[3] == ", ".join(LOSSES)


def test_settings_page__has_every_preset() -> None:
    table = settings_page().partition("## Presets")[2]
    assert all(f"`{name}`" in table for name in preset_names())
    place = preset_names().index("quick") + 1
    assert row(table, "lambda_")[place] == f"`{load_preset('quick').lambda_}`"
