"""Page 7 and its door, without a browser; models are written in tests/exchange/test_models.py."""

import io
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import services
from pul.cli.main import app as command_line
from pul.cli.repeat import repeat_command
from pul.config import RunConfig, load_preset, preset_names
from pul.jobs.worker import work
from pul.records import JobRecord
from pul.store.workspace import Workspace
from tests.app.conftest import Open, labels, text_of, wait_until
from tests.app.fabricated import fabricate
from tests.support.checkpoints import HOLLOW_MODEL


@pytest.fixture
def labelled(location: Path, people: Path) -> str:
    """A workspace with a run and two identities."""
    fabricate(location, people, n_iterations=2, status="finished")
    with Workspace.open(location) as workspace:
        ids = workspace.run_images(1, "train").image_ids.tolist()
    for number in (0, 1):
        commit = {
            "token": f"t{number}",
            "kind": "create",
            "images": ids[4 * number : 4 * number + 4],
        }
        services.acts.store(str(location), "ann", commit)
    return str(location)


def export_job(location: str, format: str) -> JobRecord:
    with Workspace.open(location) as workspace:
        name = str(workspace.path / "exports" / f"labels.{format}")
        params = {"format": format, "path": name, "run_id": None, "iteration": None}
        return work(workspace, workspace.create_job("export", params=params).job_id)


def test_exports__are_files_that_the_page_lists(labelled: str) -> None:
    job = export_job(labelled, "csv")
    assert job.status == "finished"
    [export] = services.exports.exports(labelled)
    assert (export.text, export.is_open) == ("2 identities, 8 images", False)
    assert export.n_bytes == export.path.stat().st_size > 100
    assert len(export.path.read_text().splitlines()) == 1 + 8


def test_exports__of_unlabelled_images_go_by_clusters(labelled: str, open_studio: Open) -> None:
    studio = open_studio("export")
    (by_clusters,) = (box for box in studio.checkbox if "by their clusters" in box.label)
    by_clusters.check()
    next(button for button in studio.button if button.label == "Export labels").click().run()
    wait_until(lambda: not services.exports.exports(labelled)[0].is_open)
    [export] = services.exports.exports(labelled)
    with Workspace.open(labelled) as workspace:
        n_images = len(workspace.run_images(1, "train"))
        clusters = workspace.arrays(1, 2, "clusters")["clusters"]
    n_identities = int(export.text.split(" identities, ")[0])
    assert export.text == f"{n_identities} identities, {n_images} images"
    assert 2 <= n_identities <= 2 + len(set(clusters.tolist()))


def test_exports__say_why_they_failed(location: Path, people: Path) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    assert export_job(str(location), "csv").status == "failed"
    [export] = services.exports.exports(str(location))
    assert "Nothing is labelled" in export.text
    assert export.n_bytes is None


def test_import_labels__looks_first_and_adds_then(labelled: str, tmp_path: Path) -> None:
    export_job(labelled, "json")
    [export] = services.exports.exports(labelled)
    content = export.path.read_bytes()
    for token in ("u1", "u2"):
        services.acts.store(labelled, "ann", {"token": token, "kind": "undo"})
    assert services.labels.read_annotations(labelled).identities == ()
    sent = services.uploads.Sent("labels.json", io.BytesIO(content))
    report = services.exports.import_labels(labelled, sent, "bob", dry_run=True)
    assert (report.n_created, report.n_images) == (2, 8)
    assert services.labels.read_annotations(labelled).identities == ()
    again = services.exports.import_labels(labelled, str(export.path), "bob", dry_run=False)
    assert again == report
    state = services.labels.read_annotations(labelled)
    assert [len(known.images) for known in state.identities] == [4, 4]
    assert state.events[-1].author == "bob"


# The command line that repeats a run


CONFIGS = [load_preset(name) for name in preset_names()] + [
    RunConfig(),
    RunConfig(lambda_=0, n_clusters=7, seed=3, n_threads=1, device="cpu", projection=False),
    load_preset("quick").replace(
        selection="any",
        restart_from="previous",
        annotation_mode="constrained",
        convergence_tolerance=0.0,
        **{
            "finetune.learning_rate": 1e-05,
            "finetune.loss": "triplet",
            "finetune.augmentation.shift_fraction": 0.125,
            "evaluation.ap_method": "step",
        },
    ),
    load_preset("modern").replace(**{"head.gem_p": "none", "n_threads": 2}),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_repeat_command__is_read_as_the_same_settings(
    config: RunConfig, location: Path, people: Path, tmp_path: Path
) -> None:
    fabricate(location, people, n_iterations=1, status="finished")
    model = tmp_path / "model of mine.safetensors"
    model.write_bytes(HOLLOW_MODEL)
    words = repeat_command(config, workspace=str(location), model=str(model))
    assert shlex.split(shlex.join(words))[:4] == ["python", "-m", "pul", "run"]
    CliRunner().invoke(command_line, words[3:])
    with Workspace.open(location) as workspace:
        run = workspace.runs()[-1]
    assert (run.run_id, run.model) == (2, str(model))
    assert run.config == config.model_dump(mode="json")


def test_repeat_command__no_selection_is_lambda_0() -> None:
    words = repeat_command(RunConfig(lambda_=None), workspace="w", model="m")
    assert "--lambda 0.0" in " ".join(words)


@pytest.mark.parametrize("name", preset_names())
def test_repeat_command__a_preset_says_all(name: str) -> None:
    words = repeat_command(load_preset(name), workspace="w", model="m")
    assert words[-2:] == ["--preset", name]


# The page


def test_export__nothing_there(open_studio: Open) -> None:
    assert "There is nothing to export yet." in text_of(open_studio("export"))


def test_export__writes_and_lists(labelled: str, open_studio: Open) -> None:
    studio = open_studio("export")
    assert not studio.exception
    assert "python -m pul run --workspace" in text_of(studio)
    pressed = next(b for b in studio.button if b.label == "Export labels")
    pressed.click().run()

    def is_written() -> bool:
        return [each.job.status for each in services.exports.exports(labelled)] == ["finished"]

    wait_until(is_written)
    studio.run()
    assert not studio.exception
    job_id = services.exports.exports(labelled)[0].job.job_id
    assert f"{job_id:03d}-identities-csv.csv" in text_of(studio)
    assert "2 identities, 8 images" in text_of(studio)


def test_export__looks_at_labels_before_it_adds_them(
    labelled: str, open_studio: Open, tmp_path: Path
) -> None:
    studio = open_studio("export")
    assert {"Check first", "Add labels"} <= set(labels(studio, "button"))
    field = next(f for f in studio.text_input if f.label.startswith("Or a file"))
    field.set_value(str(tmp_path / "nothing.csv")).run()
    next(b for b in studio.button if b.label == "Check first").click().run()
    assert "There is no file or folder" in studio.error[0].value


def test_finish__has_all_in_one_place(labelled: str, open_studio: Open) -> None:
    studio = open_studio("finish")
    text = text_of(studio)
    assert "## Your model: +4.0 mAP over the start model" in text
    offered = labels(studio, "download_button")
    assert offered[:2] == ["Download the model", "Report of the run (HTML)"]
    assert {"Export model", "Export labels"} <= set(labels(studio, "button"))
    assert "Repeat this run on the command line" in text


def test_finish__a_run_that_only_grouped_has_no_model_of_its_own(
    location: Path, people: Path, open_studio: Open
) -> None:
    fabricate(location, people, n_iterations=0, n_planned=0, status="finished")
    studio = open_studio("finish")
    assert not studio.exception
    assert "## Not trained yet" in text_of(studio)
