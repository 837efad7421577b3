"""A run that was steered on its way is repeated by a command, to the last figure."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import services
from pul import jobs
from pul.algorithm.events import Event, IterationFinished
from pul.cli.main import app as command_line
from pul.data.datasets import read_dataset
from pul.errors import ConfigError
from pul.jobs.steps import Step, parse_steps, read_steps
from pul.jobs.worker import work
from pul.labelling.annotations import create, junk
from pul.labelling.guidance import fixed_guidance
from pul.models.network import save_network
from pul.records import IterationRecord
from pul.reports.changes import Difference, differences
from pul.store.workspace import Workspace
from tests.app.fabricated import draw_people
from tests.support.fakes import iteration_record
from tests.support.networks import TINY_RUN, tiny_network

CONFIG = TINY_RUN.replace(n_clusters=8, n_iterations=4, convergence_tolerance=0)


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run that was steered: λ, labels, K, and more labels."""
    folder = tmp_path_factory.mktemp("steered")
    with Workspace.create(folder / "w") as workspace:
        workspace.add_dataset(read_dataset(draw_people(folder / "people")))
        save_network(tiny_network(), workspace.path / "start.safetensors")
        job = jobs.create_run(workspace, CONFIG, workspace.path / "start.safetensors", "ours")
        ids = workspace.images("train").image_ids.tolist()

        def act(what: object) -> None:
            workspace.append_annotation_event(what.kind, what.payload, "Ann")  # type: ignore[attr-defined]

        def steer(event: Event) -> None:
            if not isinstance(event, IterationFinished):
                return
            if event.record.iteration == 0:
                workspace.set_control(1, "lambda_", 0.3, author="Ann")
            elif event.record.iteration == 1:
                act(create(ids[:6]))
                act(create(ids[6:12]))
            elif event.record.iteration == 2:
                workspace.set_control(1, "n_clusters", 7, author="Ann")
                act(junk(ids[20:22]))
                act(create(ids[12:18]))

        assert work(workspace, job.job_id, on_event=steer).status == "finished"
        act(create(ids[30:36]))  # labelled since: the command must not train with it
    return folder / "w"


def figures(records: list[IterationRecord]) -> list[IterationRecord]:
    """Return iterations without what a clock or a machine says."""
    return [replace(r, seconds={}, peak_memory_bytes=0, finished_at="") for r in records]


def test_command__repeats_what_was_steered_to_the_last_figure(steered: Path) -> None:
    with Workspace.open(steered) as workspace:
        command = services.exports.command(str(steered), workspace.run(1))
        assert not command.lacks_labels
        assert command.is_steered
        words = shlex.split(command.text)
        told = [words[at + 1] for at, word in enumerate(words) if word == "--steer"]
        assert told == [
            "0:labels=none", "1:lambda=0.3", "2:labels=2", "3:labels=4", "3:k=7",
        ]  # fmt: skip
        outcome = CliRunner().invoke(command_line, words[3:])
        assert outcome.exit_code == 0, outcome.output
        first, again = (figures(workspace.iterations(run_id)) for run_id in (1, 2))
        assert [record.n_identities for record in first] == [0, 0, 2, 3, 3]
        assert [record.lambda_ for record in first] == [0.5, 0.3, 0.3, 0.3, 0.3]
        assert again == first
        assert first[-1].metrics is not None
        assert read_steps(workspace, 2) == read_steps(workspace, 1)  # and so on


def test_command__without_the_steps_gives_others(steered: Path) -> None:
    """What the test above could not tell from luck."""
    with Workspace.open(steered) as workspace:
        words = shlex.split(services.exports.command(str(steered), workspace.run(1)).text)
        plain = words[3 : words.index("--steer")]
        assert CliRunner().invoke(command_line, plain).exit_code == 0
        first, other = (
            figures(workspace.iterations(run_id)) for run_id in (1, workspace.runs()[-1].run_id)
        )
        assert [r.metrics for r in other] != [r.metrics for r in first]


def test_command__a_file_of_steps(steered: Path, tmp_path: Path) -> None:
    file = tmp_path / "steps.txt"
    file.write_text("# of our first run\n1:lambda=0.3\n\n3:k=7  # fewer\n0:labels=none\n")
    assert parse_steps([f"@{file}"]) == [
        Step(0, "labels", 0), Step(1, "lambda_", 0.3), Step(3, "n_clusters", 7),
    ]  # fmt: skip
    assert [step.to_text() for step in parse_steps([f"@{file}"])] == [
        "0:labels=none", "1:lambda=0.3", "3:k=7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lambda=0.9", "ITERATION:NAME=VALUE"),
        ("3:mu=0.9", "ITERATION:NAME=VALUE"),
        ("-1:k=3", "ITERATION:NAME=VALUE"),
        ("3:lambda=1.5", "at most 1"),
        ("3:lambda=all", "is no lambda"),
        ("3:k=0", "at least 1"),
        ("3:k=2.5", "is no k"),
        ("3:k=none", "is no k"),
        ("3:labels=-1", "is not negative"),
        ("@nowhere.txt", "cannot be read"),
    ],
)
def test_parse_steps__refuses_in_words(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_steps([text])


def test_create_run__labels_that_are_not_there_make_no_run(steered: Path) -> None:
    with Workspace.open(steered) as workspace:
        n_runs = len(workspace.runs())
        with pytest.raises(ConfigError, match=r"no act of labelling 99 .* the last one is 5"):
            jobs.create_run(
                workspace, CONFIG, workspace.path / "start.safetensors",
                steps=parse_steps(["0:labels=99"]),
            )  # fmt: skip
        assert len(workspace.runs()) == n_runs


def test_read_steps__of_an_experiment_s_run_name_no_labels(steered: Path) -> None:
    with Workspace.open(steered) as workspace:
        job = jobs.create_run(
            workspace,
            CONFIG,
            workspace.path / "start.safetensors",
            settings=lambda run_id: fixed_guidance(run_id, {1: 5, 2: 5}),
        )
        assert read_steps(workspace, job.run_id) == []  # type: ignore[arg-type]


# What differs


def test_differences__tell_what_was_steered_by_iteration(steered: Path) -> None:
    with Workspace.open(steered) as workspace:
        model = workspace.path / "start.safetensors"
        job = jobs.create_run(workspace, CONFIG, model, steps=parse_steps(["0:labels=none"]))
        work(workspace, job.job_id)
        runs = [workspace.run(1), workspace.run(job.run_id)]  # type: ignore[arg-type]
    rows = {row.setting: row.values for row in services.runs.differences(str(steered), runs)}
    assert set(rows) == {"Threshold λ", "Clusters K", "Labels"}
    assert rows["Threshold λ"] == ("0.30", "0.50")
    assert rows["Clusters K"] == ("8; 7 from iteration 3", "8")
    ours, theirs = rows["Labels"]
    assert theirs == "none"
    parts = [part.rpartition(" (")[0] if "(" in part else part for part in ours.split("; ")]
    assert parts == ["none", "2 identities, 12 images", "3 identities, 18 images"]
    assert ours.count("from iteration") == 2


def test_differences__of_labels_of_one_size_are_told() -> None:
    from tests.reports.test_changes import run

    records = [
        [replace(iteration_record(1), annotations_hash=sign * 16, n_identities=2,
                 n_annotated_images=9)]
        for sign in "ab"
    ]  # fmt: skip
    assert differences([run(CONFIG)] * 2, records) == [
        Difference("labels", ("2 identities, 9 images (aaaa)", "2 identities, 9 images (bbbb)"))
    ]
    assert differences([run(CONFIG)] * 2, records[:1] * 2) == []
