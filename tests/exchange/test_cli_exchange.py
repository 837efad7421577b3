"""The commands that carry labels and models out and in."""

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from pul.cli.exchange import export
from pul.cli.exchange import export_model as model_command
from pul.cli.exchange import import_annotations as import_command
from pul.store.workspace import Workspace
from tests.exchange.conftest import write_rows


def _app() -> typer.Typer:
    app = typer.Typer()
    for command in (export, import_command, model_command):
        app.command(command.__name__.replace("_", "-"))(command)
    return app


def test_commands__carry_labels_over(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    path = str(tmp_path / "labels.csv")
    arguments = ["--workspace", str(workspace.path), "--format", "csv", "--out", path]
    done = CliRunner().invoke(_app(), ["export", *arguments])
    assert (done.exit_code, done.stdout[:44]) == (0, "2 identities, 4 images, 1 junk: " + path[:12])
    place = [path, "--workspace", str(other.path)]
    done = CliRunner().invoke(_app(), ["import-annotations", *place, "--dry-run"])
    assert "Would add 2 identities and images to 0: 4 images, 1 junk, 1 unsure" in done.stdout
    done = CliRunner().invoke(_app(), ["import-annotations", *place, "--author", "bob", "--json"])
    assert json.loads(done.stdout)["n_created"] == 2
    assert {event.author for event in other.annotation_events()} == {"bob"}
    write_rows(Path(path), "path,identity", *(f"{n}.png,X" for n in range(30, 60)))
    done = CliRunner().invoke(_app(), ["import-annotations", *place])
    assert "no image 30.png" in done.stdout
    assert "... and 10 more" in done.stdout
    assert "30 skipped" in done.stdout


def test_export_model__command(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "model.pt"
    options = ["--format", "torchscript", "--out", str(path)]
    done = CliRunner().invoke(_app(), ["export-model", str(checkpoint), *options])
    assert done.exit_code == 0, done.output
    assert "mobilenet_v2, 32×16 images" in done.stdout
    path.unlink()
    done = CliRunner().invoke(_app(), ["export-model", str(checkpoint), *options, "--json"])
    assert json.loads(done.stdout)["format"] == "torchscript"
