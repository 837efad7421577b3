"""Labelling on a real workspace: acts are stored, suggestions read a run, runs read the acts."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import queue
from pul.cli.labelling import autopilot
from pul.cluster.links import Links
from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.errors import DataError, StoreError
from pul.jobs.run import read_live_settings
from pul.labelling.annotations import Side, create, junk, not_same, same, set_role
from pul.labelling.autopilot import run_autopilot
from pul.labelling.guidance import read_guidance
from pul.labelling.loading import load_index
from pul.labelling.log import append_act, read_annotations
from pul.records import IterationArrays
from pul.store.workspace import Workspace
from tests.support.checkpoints import HOLLOW_MODEL
from tests.support.fakes import iteration_record
from tests.support.people import People, make_people


@pytest.fixture(scope="module")
def people() -> People:
    return make_people(8, noise=0.3)


@pytest.fixture
def workspace(tmp_path: Path, people: People) -> Iterator[Workspace]:
    """A workspace with a run whose one iteration has the features of `people`."""
    with Workspace.create(tmp_path / "workspace") as workspace:
        workspace.add_dataset(_dataset(tmp_path, people, known=True))
        _add_run(workspace, people)
        yield workspace


def _dataset(root: Path, people: People, *, known: bool) -> Dataset:
    samples = []
    for row, pid in enumerate(people.pids.tolist()):
        path = root / f"{row:04}.png"
        path.write_bytes(b"image %d" % row)
        samples.append(
            Sample(
                path,
                pid=pid if known else None,
                camid=int(people.camids[row]),
                frame=int(people.frames[row]),
            )
        )
    return Dataset("people", "folder", root, tuple(samples), ())


def _add_run(workspace: Workspace, people: People) -> None:
    model = workspace.path / "start.safetensors"
    model.write_bytes(HOLLOW_MODEL)
    run = workspace.create_run(RunConfig(n_clusters=8), model=model)
    n_images = len(people.pids)
    arrays = IterationArrays(
        features=people.features,
        clusters=people.clusters,
        centroids=people.features[:8],
        centers=np.arange(8, dtype=np.int64),
        similarities=np.full(n_images, 0.9, dtype=np.float32),
        reliable=np.ones(n_images, dtype=np.bool_),
        pseudo_labels=people.clusters,
        points=np.zeros((0, 2), dtype=np.float32),
    )
    workspace.add_iteration(run.run_id, iteration_record(n_images=n_images), arrays, b"weights")


def test_read_live_settings__are_those_of_the_acts_so_far(workspace: Workspace) -> None:
    config = RunConfig(n_clusters=8)
    images = workspace.images("train").image_ids.tolist()
    before = read_live_settings(workspace, 1, config, 1)
    assert (before.annotations, before.annotations_hash) == ({}, "")
    state = append_act(
        workspace, create([images[3], images[5], 999_999]), read_annotations(workspace), author="a"
    )
    live = read_live_settings(workspace, 1, config, 2)
    assert live.annotations == {3: 1, 5: 1}
    assert live.annotations_hash == state.content_hash() != ""
    append_act(workspace, set_role(1, "validation"), state, author="a")
    assert read_live_settings(workspace, 1, config, 3).annotations == {}


def test_keep__returns_what_others_did_meanwhile(workspace: Workspace) -> None:
    start = read_annotations(workspace)
    append_act(workspace, create([1]), start, author="ann")
    state = append_act(workspace, create([2]), start, author="bob", token="x")
    assert [known.images for known in state.identities] == [(1,), (2,)]
    assert append_act(workspace, create([2]), state, author="bob", token="x") is state


def test_load_index__is_that_of_the_run(workspace: Workspace, people: People) -> None:
    index = load_index(workspace, 1, 0)
    assert index.image_ids.tolist() == workspace.images("train").image_ids.tolist()
    assert index.lambda_ == 0.85
    expected = people.index()
    assert np.array_equal(index.tracklets.groups.of, expected.tracklets.groups.of)


def test_run_autopilot__labels_through_the_store(workspace: Workspace) -> None:
    report = run_autopilot(workspace, n_identities=4, author="robot")
    events = workspace.annotation_events()
    assert {event.author for event in events} == {"robot"}
    assert (report.precision, report.recall, len(report.identities)) == (1.0, 1.0, 4)
    guidance = read_guidance(workspace, 1)
    assert len(guidance.annotations) == report.n_images == 48
    assert guidance.content_hash == read_annotations(workspace).content_hash()
    assert (guidance.validation, guidance.left_out) == ({}, frozenset())


def test_read_guidance__held_out_people_and_junk_do_not_train(
    workspace: Workspace, people: People
) -> None:
    run_autopilot(workspace, n_identities=2)
    first, second = read_annotations(workspace).identities
    known = {*first.images, *second.images}
    bad = next(i for i in workspace.images("train").image_ids.tolist() if i not in known)
    state = append_act(
        workspace,
        set_role(first.identity, "validation"),
        read_annotations(workspace),
        author="anna",
    )
    append_act(workspace, junk([bad]), state, author="anna")
    guidance = read_guidance(workspace, 1)
    rows = {int(image): row for row, image in enumerate(workspace.images("train").image_ids)}
    assert set(guidance.annotations) == {rows[image] for image in second.images}
    assert set(guidance.validation) == {rows[image] for image in first.images}
    assert guidance.left_out == {rows[image] for image in (*first.images, bad)}


def test_read_guidance__answers_about_pairs_by_hand(workspace: Workspace) -> None:
    images = workspace.images("train").image_ids.tolist()
    acts = (
        create([images[4], images[5]], refused=[images[9]]),
        same([images[0], images[1]]),
        same([images[1], images[2]]),
        same([images[5], images[6]]),  # of a person that has a name: image 6 is of that person
        not_same(Side(images=(images[0],)), Side(images=(images[7], images[8]))),
    )
    before = read_guidance(workspace, 1)
    assert (before.together, before.apart, before.content_hash) == ((), (), "")
    with pytest.raises(StoreError, match="no run 7"):
        read_guidance(workspace, 7)
    for act in acts:
        append_act(workspace, act, read_annotations(workspace), author="anna")
    guidance = read_guidance(workspace, 1)
    assert set(guidance.annotations) == {4, 5, 6}
    assert guidance.together == ((0, 1, 2),)
    assert guidance.apart == (((4, 5, 6), (9,)), ((0,), (7, 8)))
    links = Links.of(
        len(images),
        annotations=guidance.annotations,
        together=guidance.together,
        apart=guidance.apart,
    )
    group = links.groups
    assert group[0] == group[1] == group[2]
    assert sorted(map(sorted, links.apart.tolist())) == sorted(
        sorted((group[a], group[b])) for a, b in [(4, 9), (0, 7), (0, 8)]
    )


def test_run_autopilot__needs_truth_and_an_iteration(tmp_path: Path, people: People) -> None:
    with Workspace.create(tmp_path / "workspace") as workspace:
        workspace.add_dataset(_dataset(tmp_path, people, known=False))
        with pytest.raises(StoreError, match="No run"):
            run_autopilot(workspace)
        _add_run(workspace, people)
        with pytest.raises(StoreError, match="no whole iteration 7"):
            run_autopilot(workspace, iteration=7)
        with pytest.raises(DataError, match="ground truth"):
            run_autopilot(workspace)


def test_autopilot__command(workspace: Workspace) -> None:
    app = typer.Typer()
    app.command()(autopilot)
    place = ["--workspace", str(workspace.path)]
    printed = CliRunner().invoke(app, [*place, "--identities", "2"])
    assert printed.exit_code == 0, printed.output
    assert "2 identities, 24 images: precision 100.0%, recall 100.0%" in printed.output
    result = CliRunner().invoke(app, [*place, "--identities", "2", "--json"])
    figures = json.loads(result.stdout)["figures"]
    assert figures["n_images"] == 24


def test_queue__labels_on_a_copy_once_and_makes_the_run_with_its_seed(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--workspace", str(workspace.path), "--into", str(tmp_path / "copies")]
    step = [*place, "--labels", "3", "--strategy", "largest", "--seed", "5", "--labels-only"]
    queue.main(step)
    first = json.loads(capsys.readouterr().out)
    queue.main(step)
    assert json.loads(capsys.readouterr().out) == first
    assert (first["identities"], first["strategy"], first["run"]) == (3, "largest-first", 1)
    assert not workspace.annotation_events()
    with Workspace.open(tmp_path / "copies/largest-first-3-5") as copy:
        state = read_annotations(copy)
        assert sum(len(known.images) for known in state.identities) == first["images"]
        job = queue._next_job(copy, 1, {"seed": 5, "n_iterations": 2})
        assert job is not None
        assert copy.run(2).config == copy.run(1).config | {"seed": 5, "n_iterations": 2}
        assert queue._next_job(copy, 1, {}) == job
        copy.set_run_status(2, "finished")
        assert queue._next_job(copy, 1, {}) is None


def test_queue__refuses_a_workspace_with_labels(workspace: Workspace, tmp_path: Path) -> None:
    append_act(workspace, create([1, 2]), read_annotations(workspace), author="ann")
    with pytest.raises(SystemExit, match="already has labels"):
        queue.main(
            ["--workspace", str(workspace.path), "--into", str(tmp_path / "c"), "--labels", "3"]
        )
