"""Labels of other tools: each format by its content, written by hand as the tool writes it."""

from pathlib import Path
from typing import Any

import pytest

from pul.data.samples import Sample
from pul.errors import DatasetError
from pul.exchange import export_identities, import_annotations
from pul.labelling.annotations import create
from pul.labelling.log import read_annotations
from pul.store.workspace import Workspace
from tests.exchange.conftest import EXPECTED, held, open_workspace, pairs, partition, target, write

# COCO


def coco(annotations: list[dict[str, Any]], folder: str = "", **more: Any) -> dict[str, Any]:
    images = [{"id": n, "file_name": folder + path} for n, (path, _) in enumerate(pairs(), 1)]
    boxes = [
        {"id": n, "image_id": n, "bbox": [0, 0, 5, 8], "category_id": 1, **said}
        for n, said in enumerate(annotations, 1)
    ]
    people = [{"id": 1, "name": "person"}]
    return {"images": images, "annotations": boxes, "categories": people, **more}


@pytest.mark.parametrize(
    "said",
    [
        lambda n: {"attributes": {"occluded": False, "keyframe": True, "track_id": n}},
        lambda n: {"attributes": {"id": n}},
        lambda n: {"attributes": {"Person ID": n, "track_id": 3}},
        lambda n: {"attributes": {"identity": f"p{n}"}, "track_id": 3},
        lambda n: {"track_id": n},
        lambda n: {"instance_id": float(n)},
        lambda n: {"pid": str(n)},
        lambda n: {"individual_id": n, "score": 0.5},
    ],
)
@pytest.mark.parametrize("folder", ["", "data/", "D:\\x\\", "/srv/x/"])
def test_coco__ids_of_other_tools(tmp_path: Path, other: Workspace, said: Any, folder: str) -> None:
    content = coco([said(number) for _, number in pairs(names=False)], folder)
    report = import_annotations(other, write(tmp_path, "c.json", content), author="bob")
    assert (report.problems, report.nobody, report.format) == ((), (), "COCO")
    assert partition(other) == EXPECTED


def test_coco__categories_are_the_people_where_nothing_else_is(
    tmp_path: Path, other: Workspace
) -> None:
    people = [{"id": 1, "name": "Anna"}, {"id": 2, "name": "Bo"}]
    content = coco([{"category_id": 1}] * 3 + [{"category_id": 2}], categories=people)
    report = import_annotations(other, write(tmp_path, "c.json", content), author="bob")
    assert "the categories are the people" in report.notes[0]
    assert partition(other) == EXPECTED
    classes = [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}]
    content = coco([{"category_id": 1}] * 3 + [{"category_id": 2}], categories=classes)
    report = import_annotations(other, write(tmp_path, "c.json", content), author="bob")
    assert [each.reason for each in report.nobody] == ["names nobody"] * 4


def test_boxes__of_several_people_label_nothing(tmp_path: Path, other: Workspace) -> None:
    content = coco([{"track_id": 7}, {"track_id": 7}, {"track_id": 7}, {"track_id": 12}])
    content["annotations"].append({"image_id": 1, "track_id": 8})
    content["annotations"].append({"image_id": 2, "track_id": -1})  # nobody is tracked there
    report = import_annotations(other, write(tmp_path, "c.json", content), author="bob")
    assert partition(other) == {(2, 5), (3,)}
    assert [each.reason[:28] for each in report.problems] == ["cam1/0000.png shows 7 and 8;"] * 2
    assert [each.place for each in report.nobody] == ["c.json, annotation 6"]


# CVAT


def cvat_images(said: Any) -> str:
    images = "".join(
        f'<image id="{n}" name="upload/{path}" width="5" height="8">{said(name)}</image>'
        for n, (path, name) in enumerate(pairs())
    )
    return f"<?xml version='1.0'?><annotations><version>1.1</version>{images}</annotations>"


BOX = '<box label="person" occluded="0" xtl="0" ytl="0" xbr="5" ybr="8">{}</box>'


@pytest.mark.parametrize(
    "said",
    [
        lambda n: BOX.format(f'<attribute name="Identity">{n}</attribute>'),
        lambda n: BOX.format(f'<attribute name="track_id"> {n}\n</attribute>'),
        lambda n: f'<tag label="{n}"/>',
        lambda n: f'<tag label="person"><attribute name="pid">{n}</attribute></tag>',
        lambda n: f'<polygon label="{n}" points="0,0;5,0;5,8"/>',
    ],
)
def test_cvat__images(tmp_path: Path, other: Workspace, said: Any) -> None:
    path = write(tmp_path, "annotations.xml", cvat_images(said))
    report = import_annotations(other, path, author="bob")
    assert (report.problems, report.nobody, report.format) == ((), (), "CVAT for images")
    assert {known.name: known.images for known in read_annotations(other).identities} == {
        "Anna": (1, 2, 5),
        "Bo": (3,),
    }


def test_cvat__video_of_crops(tmp_path: Path, samples: list[Sample]) -> None:
    crops = [tmp_path / f"images/crop_{n:03}.png" for n in (0, 1, 2, 3)]
    for sample, crop in zip(samples, crops, strict=False):
        sample.path.rename(crop)
    track = '<track id="{}" label="person">{}</track>'
    box = '<box frame="{}" outside="0" occluded="0" xtl="0" ytl="0" xbr="5" ybr="8"/>'
    tracks = [
        track.format(0, "".join(map(box.format, (0, 1)))),
        track.format(1, "".join(map(box.format, (3,)))),
    ]
    path = write(tmp_path, "a.xml", f"<annotations>{''.join(tracks)}</annotations>")
    with open_workspace(tmp_path / "v", [Sample(crop) for crop in crops]) as workspace:
        report = import_annotations(workspace, path, author="bob")
        assert (report.problems, report.format) == ((), "CVAT for video")
        assert partition(workspace) == {(1, 2), (4,)}


@pytest.mark.parametrize(
    "root", ["bounding_box_train", "x/bounding_box_train", "bounding_box_default", "images_x.txt"]
)
def test_cvat__market1501(tmp_path: Path, root: str) -> None:
    names = ["0007_c1s1_000001_00.jpg", "0007_c2s1_000002_00.jpg", "0012_c1s1_000003_00.jpg"]
    junk = "-1_c1s1_000004_00.jpg"
    mine = [Sample(tmp_path / "pics" / name) for name in (*names, junk)]
    for sample in mine:
        write(sample.path.parent, sample.path.name, "")
    listed = "".join(f"bounding_box_x/{name}\n" for name in (*names, junk))
    if root.endswith(".txt"):
        write(tmp_path / "cvat", root, listed)
    for name in (*names, junk) if not root.endswith(".txt") else ():
        write(tmp_path / "cvat" / root, name, "")
    with open_workspace(tmp_path / "v", mine) as workspace:
        report = import_annotations(workspace, tmp_path / "cvat", author="bob")
        paths = workspace.images().paths
        people = {
            known.name: sorted(Path(paths[x - 1]).name for x in known.images)
            for known in read_annotations(workspace).identities
        }
        assert people == {"7": names[:2], "12": names[2:]}
        assert (report.problems, report.n_junk) == ((), 1)


# Label Studio


def task(image: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"img": image}, "annotations": [{"result": list(results), **more}]}


def result(kind: str, value: object, name: str = "tag") -> dict[str, Any]:
    return {"from_name": name, "to_name": "img", "type": kind, "value": {kind: value}}


RECTANGLE = {"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "rotation": 0}


@pytest.mark.parametrize(
    "said",
    [
        lambda n: [result("choices", [n])],
        lambda n: [result("taxonomy", [["people", "staff", n]])],
        lambda n: [{"type": "rectanglelabels", "value": {**RECTANGLE, "rectanglelabels": [n]}}],
        lambda n: [{"type": "textarea", "from_name": "x", "value": {"text": [n]}}],
        lambda n: [result("number", {"Anna": 7, "Bo": 12.0}[n])],
        lambda n: [result("choices", ["left"], "side"), result("choices", [n], "identity")],
        lambda n: [
            {"type": "rectanglelabels", "value": {**RECTANGLE, "rectanglelabels": ["Person"]}},
            {"type": "textarea", "from_name": "Person ID", "value": {**RECTANGLE, "text": [n]}},
        ],
    ],
)
@pytest.mark.parametrize(
    "address",
    [
        "/data/local-files/?d=pics/{}",
        "/data/upload/3/{}",
        "s3://bucket/pics/{}",
        "http://host:8080/data/local-files/?d=a%20b/{}",
        "{}",
    ],
)
def test_label_studio__results(tmp_path: Path, other: Workspace, said: Any, address: str) -> None:
    tasks = [task(address.format(path), *said(name)) for path, name in pairs()]
    report = import_annotations(other, write(tmp_path, "l.json", tasks), author="bob")
    assert (report.problems, report.nobody, report.format) == ((), (), "Label Studio")
    assert partition(other) == EXPECTED


def test_label_studio__uploads_cancelled_and_predictions(tmp_path: Path, samples: Any) -> None:
    image = samples[0].path.rename(tmp_path / "images" / "deadbeef-x.png")
    plain = samples[1].path.rename(tmp_path / "images" / "y.png")
    other = samples[2].path.rename(tmp_path / "images" / "z.png")
    tasks = [
        task("/data/upload/1/0a1b2c3d-deadbeef-x.png", result("choices", ["Anna"])),
        task("/data/upload/1/0a1b2c3d-y.png", result("choices", ["Anna"])),
        task("/data/upload/1/0a1b2c3d-z.png", result("choices", ["Anna"]), was_cancelled=True),
        {"data": {"img": "z.png"}, "annotations": [], "predictions": [{"result": ["Anna"]}]},
    ]
    with open_workspace(tmp_path / "v", [Sample(x) for x in (image, plain, other)]) as workspace:
        report = import_annotations(workspace, write(tmp_path, "l.json", tasks), author="bob")
        assert partition(workspace) == {(1, 2)}
        assert [each.place for each in report.nobody] == ["l.json, task 3", "l.json, task 4"]
        assert report.problems == ()


def test_label_studio__short_form(tmp_path: Path, other: Workspace) -> None:
    rows = [
        {
            "id": n,
            "image": f"/data/upload/1/0a1b2c3d-{path[5:]}",
            "choice": name,
            "annotator": 1,
            "lead_time": 2,
        }
        for n, (path, name) in enumerate(pairs())
    ]
    rows[0]["image"] = "/data/local-files/?d=cam1/0000.png"
    del rows[1]["choice"]  # nobody, and not the task's number
    report = import_annotations(other, write(tmp_path, "l.json", rows), author="bob")
    assert partition(other) == {(1,)}
    assert [each.place for each in report.nobody] == ["l.json, task 2"]
    assert len(report.problems) == 2  # 0000.png and 0002.png are in both folders
    table = "id,image,identity\n1,/data/local-files/?d=cam2/0000.png,Anna\n"
    import_annotations(other, write(tmp_path, "l.csv", table), author="bob")
    assert partition(other) == {(1, 5)}


# FiftyOne


@pytest.mark.parametrize(
    "said",
    [
        lambda n: {"ground_truth": {"_cls": "Classification", "label": n}, "tags": ["x"]},
        lambda n: {
            "weather": {"_cls": "Classification", "label": "rain"},
            "person": {"_cls": "Classification", "label": n},
        },
        lambda n: {"identity": n, "id": "0123"},
        lambda n: {
            "detections": {
                "_cls": "Detections",
                "detections": [{"_cls": "Detection", "label": "person", "identity": n}],
            }
        },
        lambda n: {
            "boxes": {
                "_cls": "Detections",
                "detections": [{"label": "person", "index": {"Anna": 7, "Bo": 12}[n]}],
            }
        },
    ],
)
@pytest.mark.parametrize("form", ["data set", "folder", "list"])
def test_fiftyone__samples(tmp_path: Path, other: Workspace, said: Any, form: str) -> None:
    samples = [
        {"_id": {"$oid": "1"}, "filepath": f"data/{path}", "metadata": None, **said(name)}
        for path, name in pairs()
    ]
    content = samples if form == "list" else {"name": "x", "samples": samples}
    path = write(tmp_path / "export", "samples.json", content)
    source = path.parent if form == "folder" else path
    report = import_annotations(other, source, author="bob")
    assert (report.problems, report.nobody, report.format) == ((), (), "FiftyOne")
    assert partition(other) == EXPECTED


def test_fiftyone__labels_by_name(tmp_path: Path, other: Workspace) -> None:
    by_index = {path.removesuffix(".png"): ["Bo", "Anna"].index(name) for path, name in pairs()}
    content = {"classes": ["Bo", "Anna"], "labels": by_index}
    report = import_annotations(other, write(tmp_path, "labels.json", content), author="bob")
    assert report.problems == ()
    assert partition(other) == EXPECTED
    boxes = {
        path.removesuffix(".png"): [
            {"label": "person", "bounding_box": [0, 0, 1, 1], "attributes": {"pid": name}}
        ]
        for path, name in pairs()
    }
    content = {"classes": ["person"], "labels": boxes}
    report = import_annotations(other, write(tmp_path, "labels.json", content), author="bob")
    assert (report.n_known, report.problems) == (4, ())


def test_fiftyone__several_fields_are_not_guessed(tmp_path: Path, other: Workspace) -> None:
    label = {"_cls": "Classification", "label": "x"}
    samples = [{"filepath": "cam1/0000.png", "mine": label, "theirs": label}]
    path = write(tmp_path, "s.json", {"samples": samples})
    with pytest.raises(DatasetError, match=r"several fields.*mine, theirs.*rename_sample_field"):
        import_annotations(other, path, author="bob")
    samples[0]["identity"] = samples[0].pop("mine")  # as it says
    assert import_annotations(other, write(tmp_path, "s.json", {"samples": samples}), author="x")


# What means nobody


NOBODY = ("", "-2", "unknown", "Unbekannt", "inconnu", "未知", "неизвестно", "other", "N/A", "null")


@pytest.mark.parametrize("kind", ["csv", "coco", "cvat", "label studio", "fiftyone", "folders"])
def test_nobody__means_the_same_in_every_format(
    tmp_path: Path, other: Workspace, kind: str
) -> None:
    path = "cam1/0000.png"
    for word in NOBODY:
        content: object
        if kind == "csv":
            content = f"path,identity\n{path},{word}\ncam1/0001.png,Anna\n"
        elif kind == "coco":
            content = coco([{"identity": word}, {"identity": "Anna"}])
        elif kind == "cvat":
            box = BOX.format(f'<attribute name="identity">{word}</attribute>')
            content = f'<annotations><image id="1" name="{path}">{box}</image></annotations>'
        elif kind == "label studio":
            content = [task(path, result("choices", [word]))]
        elif kind == "fiftyone":
            content = {"samples": [{"filepath": path, "identity": word}]}
        else:
            if not word or "/" in word:
                continue
            write(tmp_path / "f" / word / "cam1", "0000.png", "")
            write(tmp_path / "f" / "Anna" / "cam1", "0001.png", "")
            content = None
        suffix = {"csv": "csv", "cvat": "xml"}.get(kind, "json")
        source = tmp_path / "f" if content is None else write(tmp_path, f"l.{suffix}", content)
        plan = import_annotations(other, source, author="bob", dry_run=True)
        n_words = len(list((tmp_path / "f").glob("*"))) - 1 if kind == "folders" else 1
        assert len(plan.nobody) == n_words, word
        assert plan.n_images == (kind in ("csv", "coco", "folders"))
    assert held(other, -1) == set()


@pytest.mark.parametrize(
    ("ids", "people", "junk", "n_nobody"),
    [
        ("0 1 1 2", {(1,), (2, 3), (4,)}, set(), 0),  # counted from 0
        ("0 1 1 -1", {(2, 3)}, {4}, 1),  # Market-1501's way
        ("0000 0001 0001 junk", {(2, 3)}, {4}, 1),
        ("-2 1 distractor 2", {(2,), (4,)}, set(), 2),
    ],
)
def test_nobody__zero_where_the_labels_say_so(
    tmp_path: Path,
    other: Workspace,
    ids: str,
    people: set[tuple[int, ...]],
    junk: set[int],
    n_nobody: int,
) -> None:
    rows = [f"cam1/{n:04}.png,{name}" for n, name in enumerate(ids.split())]
    path = write(tmp_path, "l.csv", "\n".join(["path,pid", *rows]))
    report = import_annotations(other, path, author="bob")
    assert partition(other) == people
    assert held(other, -1) == junk
    assert len(report.nobody) == n_nobody
    assert report.n_labels + n_nobody == 4


@pytest.mark.parametrize(
    "format", ["csv", "json", "folders", "coco", "cvat", "mot", "label-studio"]
)
def test_nobody__a_person_whom_somebody_called_so_comes_back(
    tmp_path: Path, samples: list[Sample], other: Workspace, format: str
) -> None:
    names = ("unknown", "-1", "0", "train", "other")
    acts = [create([n], name=name) for n, name in enumerate(names, 1)]
    with open_workspace(tmp_path / "a", samples, *acts) as workspace:
        source = target(tmp_path, format)
        export_identities(workspace, source, format=format)
    report = import_annotations(other, source, author="bob")
    assert (report.nobody, report.problems) == ((), ())
    assert partition(other) == {(1,), (2,), (3,), (4,), (5,)}
    assert {known.name for known in read_annotations(other).identities} == set(names)
