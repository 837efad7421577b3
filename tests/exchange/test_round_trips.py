"""Labels out of a workspace and into another: each format, by hand and at random."""

import json
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import motmetrics
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from pul.data.samples import Sample
from pul.exchange import export_identities, import_annotations
from pul.labelling.annotations import create, junk
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace
from tests.exchange.conftest import IMAGE_FORMATS, N_IMAGES, held, open_workspace, partition, target


@pytest.mark.parametrize("format", IMAGE_FORMATS)
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
    names = {known.images: known.name for known in read_annotations(other).identities}
    assert names == {(1, 2, 5): "Anna", (3,): "ID_002"}
    if format != "folders":
        assert [known.role for known in read_annotations(other).identities] == [
            "training",
            "validation",
        ]
    if format in ("csv", "json", "market1501", "label-studio"):
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
@pytest.mark.parametrize("format", IMAGE_FORMATS)
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


# Other tools' own code; `python -m benchmarks.label_tools` has those that are large


def test_export_identities__coco_is_read_by_pycocotools(
    tmp_path: Path, workspace: Workspace, other: Workspace
) -> None:
    export_identities(workspace, tmp_path / "coco.json", format="coco")
    coco = COCO(str(tmp_path / "coco.json"))
    boxes = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(["person"])))
    names = {image["id"]: image["file_name"] for image in coco.loadImgs(coco.getImgIds())}
    people = {(names[box["image_id"]], box["track_id"], tuple(box["bbox"])) for box in boxes}
    assert people == {
        ("cam1/0000.png", 1, (0, 0, 5, 8)),
        ("cam1/0001.png", 1, (0, 0, 5, 8)),
        ("cam2/0000.png", 1, (0, 0, 6, 8)),
        ("cam1/0002.png", 2, (0, 0, 5, 8)),
    }
    assert len(names) == 5  # junk has no box
    found = [{**box, "score": 1.0} for box in boxes]
    written = tmp_path / "results.json"
    written.write_text(json.dumps(coco.loadRes(found).dataset), encoding="utf-8")
    assert import_annotations(other, written, author="bob").problems == ()
    assert partition(other) == {(1, 2, 5), (3,)}


def test_export_identities__mot_is_read_by_motmetrics(tmp_path: Path, workspace: Workspace) -> None:
    export_identities(workspace, tmp_path / "mot", format="mot")
    rows = []
    for camera in ("camera-1", "camera-2"):
        truth = tmp_path / "mot" / camera / "gt" / "gt.txt"
        if truth.stat().st_size:
            table = motmetrics.io.loadtxt(str(truth), fmt="mot16", min_confidence=1)
            rows += [
                (camera, *index, *row) for index, row in zip(table.index, table.values, strict=True)
            ]
    # Frame, identity, and a box that begins at the edge of the image and is as large as it.
    assert [tuple(row[:7]) for row in rows] == [
        ("camera-1", 1, 1, 0, 0, 5, 8),
        ("camera-1", 2, 1, 0, 0, 5, 8),
        ("camera-1", 3, 2, 0, 0, 5, 8),
        ("camera-2", 1, 1, 0, 0, 6, 8),
    ]
