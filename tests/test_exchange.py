"""Labels out of a workspace and back: each format, by hand and at random."""

import csv
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from pul.annotations import create, junk, merge, not_same, rename, undo, unsure
from pul.annotations.acts import Act, Side
from pul.cli_exchange import export
from pul.cli_exchange import export_model as model_command
from pul.cli_exchange import import_annotations as import_command
from pul.data.datasets import Dataset, read_dataset
from pul.data.samples import Sample
from pul.errors import ConfigError, DataError, DatasetError, ModelError, StoreError
from pul.exchange import EXPORT_FORMATS, export_identities, import_annotations, take_snapshot
from pul.exchange.models import MODEL_FORMATS, export_model
from pul.features import extract_features
from pul.labelling import catch_up
from pul.model import load_network, save_network
from pul.store.workspace import Workspace
from tests.networks import coloured_images, tiny_network

N_IMAGES = 8
FILES = ("csv", "json", "coco")


def draw_images(root: Path) -> list[Sample]:
    """Draw images in two cameras; names repeat between them, as cameras count from 1."""
    samples = []
    for camid in (1, 2):
        folder = root / f"cam{camid}"
        folder.mkdir(parents=True)
        for frame in range(N_IMAGES // 2):
            path = folder / f"{frame:04}.png"
            Image.new("RGB", (4 + camid, 8), (frame * 40, 0, 0)).save(path)
            samples.append(Sample(path, camid=camid, frame=frame))
    return samples


@contextmanager
def open_workspace(location: Path, samples: list[Sample], *acts: Act) -> Iterator[Workspace]:
    with Workspace.create(location) as workspace:
        workspace.add_dataset(Dataset("people", "folder", location, tuple(samples)))
        for act in acts:
            workspace.append_annotation_event(act.kind, act.payload, "anna")
        yield workspace


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    return draw_images(tmp_path / "images")


@pytest.fixture
def workspace(tmp_path: Path, samples: list[Sample]) -> Iterator[Workspace]:
    """Anna {1, 2, 5}, ID_002 {3} held out, junk {8}, unsure {7}; 4 and 6 not judged."""
    acts = (create([1, 2, 5], name="Anna"), create([3], role="validation"), junk([8]), unsure([7]))
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        yield workspace


@pytest.fixture
def other(tmp_path: Path, samples: list[Sample]) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "b", samples) as workspace:
        yield workspace


def target(folder: Path, format: str) -> Path:
    suffix = {"csv": ".csv", "json": ".json", "coco": ".json"}.get(format, "")
    return folder / f"labels-{format}{suffix}"


def partition(workspace: Workspace) -> set[tuple[int, ...]]:
    return {known.images for known in catch_up(workspace).identities}


def held(workspace: Workspace, owner: int) -> set[int]:
    return {image for image, who in catch_up(workspace).owners.items() if who == owner}


def write_rows(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


# Round trips


@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_import_annotations__brings_back_what_was_exported(
    tmp_path: Path, workspace: Workspace, other: Workspace, format: str
) -> None:
    path = target(tmp_path, format)
    report = export_identities(workspace, path, format=format)
    assert (report.n_identities, report.n_images, report.n_junk, report.n_unsure) == (2, 4, 1, 1)
    result = import_annotations(other, path, author="bob")
    assert result.problems == ()
    assert partition(other) == {(1, 2, 5), (3,)}
    assert held(other, -1) == {8}
    names = {known.images: known.name for known in catch_up(other).identities}
    assert names == {(1, 2, 5): "Anna", (3,): "ID_002"}
    if format != "folders":
        assert [known.role for known in catch_up(other).identities] == ["training", "validation"]
    if format in ("csv", "json", "market1501"):
        assert held(other, -2) == {7}
    again = import_annotations(other, path, author="bob")
    assert (again.n_created, again.n_extended, again.n_images, again.problems) == (0, 0, 0, ())
    assert again.n_known == again.n_labels
    assert {event.author for event in other.annotation_events()} == {"bob"}


names = st.one_of(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12),
    st.sampled_from(
        ["=1+1", "'=1", "''", "-1", "..", "a/b", "x" * 200, "%2F", "ID_001", "anna", "Anna", "+1 "]
    ),
)
groups = st.lists(st.sampled_from(range(-2, 4)), min_size=N_IMAGES, max_size=N_IMAGES)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(owners=groups, called=st.lists(names, min_size=3, max_size=3))
@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_import_annotations__brings_back_any_partition(
    samples: list[Sample], format: str, owners: list[int], called: list[str]
) -> None:
    images = {owner: [i for i, who in enumerate(owners, 1) if who == owner] for owner in owners}
    acts = [create(images[n], name=called[n - 1]) for n in (1, 2, 3) if n in images]
    acts += [junk(images[-1])] if -1 in images else []
    if not acts:
        return
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        source = stack.enter_context(open_workspace(folder / "a", samples, *acts))
        empty = stack.enter_context(open_workspace(folder / "b", samples))
        export_identities(source, target(folder, format), format=format)
        report = import_annotations(empty, target(folder, format), author="bob")
        assert report.problems == ()
        assert partition(empty) == partition(source)
        assert held(empty, -1) == held(source, -1)


# Export


def test_export_identities__csv_holds_no_formula(
    tmp_path: Path, samples: list[Sample], other: Workspace
) -> None:
    spelled = ("=HYPERLINK(1)", "+1", "-1", "@x", "'=1", "Zoë, the 2nd")
    acts = [create([number], name=name) for number, name in enumerate(spelled, start=1)]
    path = tmp_path / "labels.csv"
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        export_identities(workspace, path, format="csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["identity"] for row in rows] == [
        *("'=HYPERLINK(1)", "'+1", "'-1", "'@x", "''=1", "Zoë, the 2nd")
    ]
    assert [row["camid"] for row in rows] == ["1", "1", "1", "1", "2", "2"]
    assert rows[0]["path"] == str(samples[0].path)
    import_annotations(other, path, author="bob")
    assert tuple(known.name for known in catch_up(other).identities) == spelled


def test_export_identities__json_says_where_it_comes_from(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = tmp_path / "labels.json"
    workspace.append_annotation_event(*_plain(rename(2, "Bo")), "bob")
    report = export_identities(workspace, path, format="json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert (content["format"], content["version"], content["workspace"]) == (
        *("pul-identities", 1, "a"),
    )
    origin = content["provenance"]
    assert (origin["n_events"], origin["events_hash"]) == (5, report.events_hash)
    assert origin["content_hash"] == catch_up(workspace).content_hash()
    events = workspace.annotation_events()
    assert origin["authors"] == [
        {
            "author": author,
            "n_events": len(at),
            "first_at": at[0],
            "last_at": at[-1],
        }
        for author, at in (
            ("anna", [event.created_at for event in events[:4]]),
            ("bob", [events[4].created_at]),
        )
    ]
    assert [known["name"] for known in content["identities"]] == ["Anna", "Bo"]
    assert len(content["junk"]) == len(content["unsure"]) == 1


def _plain(act: Act) -> tuple[str, dict[str, object]]:
    return act.kind, act.payload


def test_export_identities__market1501_is_read_as_such(tmp_path: Path) -> None:
    samples = draw_images(tmp_path / "images")
    samples[5] = Sample(samples[5].path, pid=0, camid=2, frame=151)
    samples[6] = Sample(samples[6].path, pid=-1, camid=2, frame=7)
    acts = (
        create([1, 2], name="Anna"),
        create([3, 4, 5], role="validation"),
        junk([8]),
    )
    path = tmp_path / "market"
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        export_identities(workspace, path, format="market1501")
    files = sorted(str(x.relative_to(path)) for x in path.rglob("*.png"))
    assert files == [
        "bounding_box_test/-1_c2s1_000003_01.png",
        "bounding_box_test/-1_c2s1_000007_01.png",
        "bounding_box_test/0000_c2s1_000151_01.png",
        "bounding_box_test/0002_c1s1_000003_01.png",
        "bounding_box_test/0002_c2s1_000000_01.png",
        "bounding_box_train/0001_c1s1_000000_01.png",
        "bounding_box_train/0001_c1s1_000001_01.png",
        "query/0002_c1s1_000002_01.png",
    ]
    dataset = read_dataset(path)
    assert dataset.format == "market1501"
    counts = {row.split: (row.n_images, row.n_junk, row.n_distractors) for row in dataset.summary()}
    assert counts == {"train": (2, 0, 0), "query": (1, 0, 0), "gallery": (5, 2, 1)}


def test_export_identities__market1501_names_are_unique(tmp_path: Path) -> None:
    drawn = draw_images(tmp_path / "images")
    alike = [Sample(sample.path) for sample in drawn]
    path = tmp_path / "market"
    with open_workspace(tmp_path / "a", alike, create([1, 2, 3])) as workspace:
        export_identities(workspace, path, format="market1501")
    assert sorted(x.name for x in path.rglob("*.png")) == [
        *("0001_c0s1_000000_01.png", "0001_c0s1_000000_02.png", "0001_c0s1_000000_03.png")
    ]


def test_export_identities__folders_keep_the_names_of_files(
    tmp_path: Path, workspace: Workspace, samples: list[Sample]
) -> None:
    path = tmp_path / "people"
    path.mkdir()  # an empty folder may be filled
    export_identities(workspace, path, format="folders")
    files = sorted(str(x.relative_to(path)) for x in path.rglob("*.png"))
    assert files == [
        "-1/cam2/0003.png",
        "Anna/cam1/0000.png",
        "Anna/cam1/0001.png",
        "Anna/cam2/0000.png",
        "ID_002/cam1/0002.png",
    ]
    assert (path / "Anna/cam2/0000.png").read_bytes() == samples[4].path.read_bytes()


def test_export_identities__coco_numbers_tracks(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "coco.json"
    export_identities(workspace, path, format="coco")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert [box["track_id"] for box in content["annotations"]] == [1, 1, 1, 2]
    assert content["annotations"][2]["bbox"] == [0, 0, 6, 8]
    assert {box["category_id"] for box in content["annotations"]} == {1}
    assert content["categories"][0]["name"] == "person"
    assert len(content["images"]) == 5  # the unsure one is left out, the junk has no box


def test_export_identities__tells_equal_names_apart(tmp_path: Path, samples: list[Sample]) -> None:
    acts = (create([1], name="Bo"), create([2], name="bo"), create([3], name="Bo"), merge([1, 3]))
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        people = take_snapshot(workspace).people
    assert [(known.name, len(known.shots)) for known in people] == [("Bo", 2), ("bo (2)", 1)]


@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_export_identities__writes_over_nothing(
    tmp_path: Path, workspace: Workspace, format: str
) -> None:
    path = target(tmp_path, format)
    if format in FILES:
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="another name, or delete"):
        export_identities(workspace, path, format=format)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("format", ["market1501", "folders", "coco"])
def test_export_identities__leaves_nothing_where_an_image_is_gone(
    tmp_path: Path, workspace: Workspace, samples: list[Sample], format: str
) -> None:
    samples[4].path.unlink()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"gone|does not exist"):
        export_identities(workspace, target(tmp_path, format), format=format)
    assert sorted(tmp_path.rglob("*")) == before


def test_export_identities__refuses_what_makes_no_sense(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    with pytest.raises(ConfigError, match=r"'voc'.*csv, json"):
        export_identities(workspace, tmp_path / "x", format="voc")
    with pytest.raises(DataError, match="Nothing is labelled"):
        export_identities(other, tmp_path / "x", format="csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        export_identities(workspace, tmp_path / "file" / "x.csv", format="csv")


# Import


def test_import_annotations__takes_names_ends_and_other_machines(
    tmp_path: Path, other: Workspace, samples: list[Sample]
) -> None:
    path = write_rows(
        tmp_path / "images" / "labels.csv",
        "file;pid",
        "cam1/0000.png;7",  # from the folder of the file
        r"cam2\0000.png;7",
        "/elsewhere/cam1/0001.png;8",
        "/elsewhere/cam2/0001.png;8",
        "cam1/0002.png;",
        "cam1/0003.png;-1",
    )
    report = import_annotations(other, path, author="bob")
    assert (report.problems, report.n_created, report.n_images) == ((), 2, 4)
    assert partition(other) == {(1, 5), (2, 6)}
    assert held(other, -1) == {4}


def test_import_annotations__lists_what_it_cannot_use(tmp_path: Path, workspace: Workspace) -> None:
    rows = (
        "path,identity,role",
        "cam1/0000.png,Anna,",  # known
        "cam2/0001.png,Anna,",  # new: image 6
        "cam9/0000.png,Anna,",  # no such image
        "0003.png,Anna,",  # in both cameras
        "cam1/0003.png,Carl,boss",
        "cam1/0003.png,Carl,,",
        "cam1/0002.png,Dora,",  # ID_002's one image: another name of the same
        "cam2/0002.png,Dora,",  # unsure gives way: image 7
        "cam2/0003.png,Dora,",  # junk here
        "cam2/0001.png,Dora,",  # Anna's, above
        "cam1/0001.png,,junk",  # Anna's
    )
    path = write_rows(tmp_path / "labels.csv", *rows)
    events = len(workspace.annotation_events())
    plan = import_annotations(workspace, path, author="bob", dry_run=True)
    assert len(workspace.annotation_events()) == events
    report = import_annotations(workspace, path, author="bob")
    assert plan == report
    assert partition(workspace) == {(1, 2, 5, 6), (3, 7)}
    assert (report.n_created, report.n_extended, report.n_images, report.n_known) == (0, 2, 2, 2)
    reasons = {problem.place.rpartition(" ")[2]: problem.reason for problem in report.problems}
    expected = {
        "4": "no image cam9",
        "5": "any of 2 images",
        "6": "role is 'boss'",
        "7": "more or fewer",
        "10": "junk",
        "11": "Anna in labels.csv, row 3",
        "12": "in Anna here",
    }
    assert reasons.keys() == expected.keys()
    assert [row for row, text in expected.items() if text not in reasons[row]] == []


def test_import_annotations__contradictions_stay_out(tmp_path: Path, workspace: Workspace) -> None:
    both = write_rows(
        tmp_path / "both.csv",
        "path,identity",
        *("cam1/0000.png,X", "cam1/0002.png,X", "cam1/0003.png,X"),
    )
    (problem,) = import_annotations(workspace, both, author="bob").problems
    assert "X is 2 identities here: Anna, ID_002" in problem.reason
    parted = write_rows(
        tmp_path / "parted.csv", "path,identity", "cam1/0000.png,X", "cam1/0001.png,Y"
    )
    (problem,) = import_annotations(workspace, parted, author="bob").problems
    assert "Y and X are one identity here: Anna" in problem.reason
    event = not_same(Side(identity=1), Side(images=(4,)))
    workspace.append_annotation_event(*_plain(event), "anna")
    refused = write_rows(tmp_path / "refused.csv", "path,identity", "cam1/0003.png,Anna")
    (problem,) = import_annotations(workspace, refused, author="bob").problems
    assert "not Anna" in problem.reason
    assert partition(workspace) == {(1, 2, 5), (3,)}


def test_import_annotations__given_names_mean_nothing(tmp_path: Path, workspace: Workspace) -> None:
    path = write_rows(tmp_path / "x.csv", "path,identity", "cam1/0003.png,ID_002")
    assert import_annotations(workspace, path, author="bob").n_created == 1
    assert partition(workspace) == {(1, 2, 5), (3,), (4,)}
    assert len({known.name for known in catch_up(workspace).identities}) == 3


def test_import_annotations__may_come_again_after_an_undo(
    tmp_path: Path, workspace: Workspace
) -> None:
    path = write_rows(tmp_path / "x.csv", "path,identity", "cam1/0003.png,Carl")
    import_annotations(workspace, path, author="bob")
    last = workspace.annotation_events()[-1].event_id
    workspace.append_annotation_event(*_plain(undo(last)), "bob")
    assert (4,) not in partition(workspace)
    import_annotations(workspace, path, author="bob")
    assert (4,) in partition(workspace)


def test_import_annotations__folders_moved_by_hand(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    path = tmp_path / "people"
    export_identities(workspace, path, format="folders")
    (path / "New").mkdir()
    (path / "Anna/cam2/0000.png").rename(path / "New/0000.png")
    report = import_annotations(other, path, author="bob")
    (problem,) = report.problems
    assert problem.place == str(Path("New", "0000.png"))
    assert "any of 2 images" in problem.reason
    assert partition(other) == {(1, 2), (3,)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "image,camid\nx,1\n", "0 columns of the kind 'identity'"),
        ("b.csv", b"path,identity\n\xff,1\n", "cannot be read as CSV"),
        ("c.json", "[]", "neither a JSON export"),
        ("d.json", "{", "cannot be read as JSON"),
        ("e.json", '{"format": "pul-identities", "version": 2, "identities": []}', "version"),
        ("f.xlsx", "", "is not read"),
        ("g", None, "no file or folder"),
    ],
)
def test_import_annotations__refuses_other_files(
    tmp_path: Path, other: Workspace, name: str, content: str | bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=message):
        import_annotations(other, tmp_path / name, author="bob")


def test_import_annotations__coco_of_others(tmp_path: Path, other: Workspace) -> None:
    content = {
        "images": [
            {"id": 1, "file_name": "cam1/0000.png"},
            {"id": 2, "file_name": "cam2/0000.png"},
        ],
        "annotations": [
            {"image_id": 1, "track_id": 4},
            {"image_id": 2, "track_id": 4},
            {"image_id": 3, "track_id": 4},
            {"image_id": 2},
        ],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    report = import_annotations(other, tmp_path / "coco.json", author="bob")
    assert partition(other) == {(1, 5)}
    assert [p.place[-1] for p in report.problems] == ["3", "4"]


# Models


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_network(tiny_network(), path)
    return path


def test_export_model__torchscript_takes_bytes_and_floats(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "model.pt"
    report = export_model(checkpoint, path, format="torchscript")
    assert (report.height, report.width, report.difference <= 1e-4) == (32, 16, True)
    pixels, _ = coloured_images(2, 3)
    expected = torch.from_numpy(extract_features(load_network(checkpoint), pixels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module = torch.jit.load(path)
    floats = torch.from_numpy(pixels.astype(np.float32))
    with torch.inference_mode():
        torch.testing.assert_close(module(torch.from_numpy(pixels)), expected, rtol=0, atol=1e-4)
        torch.testing.assert_close(module(floats), expected, rtol=0, atol=1e-4)
    assert np.array_equal(floats.numpy(), pixels)  # what it was given is not changed


@pytest.mark.parametrize("format", [f for f in MODEL_FORMATS if f != "onnx" or find_spec("onnx")])
def test_export_model__gives_the_same_features(
    tmp_path: Path, checkpoint: Path, format: str
) -> None:
    report = export_model(checkpoint, tmp_path / "model", format=format)
    assert 0.0 <= report.difference <= 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_export_model__safetensors_is_the_network(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "model.safetensors"
    assert export_model(checkpoint, path, format="safetensors").difference == 0.0
    assert load_network(path).config == load_network(checkpoint).config


def test_export_model__keeps_nothing_that_differs(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.pt"
    monkeypatch.setattr("pul.exchange.models.TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="was not written"):
        export_model(checkpoint, path, format="torchscript")
    assert list(tmp_path.iterdir()) == []


def test_export_model__refuses_what_makes_no_sense(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"'tflite'.*torchscript"):
        export_model(checkpoint, tmp_path / "x", format="tflite")
    with pytest.raises(ConfigError, match="another name, or delete"):
        export_model(checkpoint, checkpoint, format="safetensors")
    monkeypatch.setitem(sys.modules, "onnx", None)  # as where it is not installed
    with pytest.raises(ConfigError, match="needs the package onnx"):
        export_model(checkpoint, tmp_path / "x", format="onnx")


# Commands


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
    assert "30 left out" in done.stdout


def test_export_model__command(tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "model.pt"
    options = ["--format", "torchscript", "--out", str(path)]
    done = CliRunner().invoke(_app(), ["export-model", str(checkpoint), *options])
    assert done.exit_code == 0, done.output
    assert "mobilenet_v2, 32×16 images" in done.stdout
    path.unlink()
    done = CliRunner().invoke(_app(), ["export-model", str(checkpoint), *options, "--json"])
    assert json.loads(done.stdout)["format"] == "torchscript"
