"""Files of tracks: each format by its content, box by box."""

import json
from pathlib import Path

import motmetrics
import pytest

from pul.data.tracks import TRACK_FORMATS, detect_track_format, read_tracks
from pul.errors import DatasetError

MOT17_GT = """\
1,1,912,484,97,109,0,7,1
1,2,1338,418,167,379,1,1,1
2,2,1342,417,168,380,1,1,0.25
2,3,590,447,116,287,1,2,0.5
"""
CVAT = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><name>gate &amp; yard</name><original_size><width>1920</width><height>1080</height>
  </original_size></task></meta>
  <track id="7" label="person" source="manual">
    <box frame="0" keyframe="1" outside="0" occluded="0" xtl="10.0" ytl="20.0" xbr="30.0" ybr="80.0" z_order="0">
      <attribute name="identity">Ann</attribute></box>
    <box frame="4" keyframe="1" outside="0" occluded="1" xtl="18.0" ytl="24.0" xbr="42.0" ybr="84.0" z_order="0"/>
    <box frame="6" keyframe="1" outside="1" occluded="0" xtl="18.0" ytl="24.0" xbr="42.0" ybr="84.0" z_order="0"/>
  </track>
  <track id="8" label="car"><polygon frame="1" keyframe="1" outside="0" occluded="0" points="1,2;3,4;5,6"/></track>
</annotations>
"""  # noqa: E501


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def coco(**track: object) -> dict[str, object]:
    box = {"id": 1, "image_id": 5, "category_id": 1, "bbox": [10, 20, 30, 60], **track}
    return {
        "images": [
            {"id": 4, "file_name": "frame_000000.jpg", "width": 640, "height": 480},
            {"id": 5, "file_name": "frame_000001.jpg", "width": 640, "height": 480},
        ],
        "annotations": [box],
        "categories": [{"id": 1, "name": "person"}],
    }


def test_read_tracks__mot_ground_truth(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path, "anything.dat", MOT17_GT))
    assert (tracks.format, tracks.first_frame) == ("mot", 1)
    first, second, third = tracks.boxes
    # The first pixel is 1 there and 0 here.
    assert (first.track, first.frame, first.corners) == ("2", 1, (1337, 417, 1504, 796))
    assert (second.visibility, third.label) == (0.25, "person on vehicle")
    assert tracks.labels() == {"pedestrian": 2, "person on vehicle": 1}
    (skipped,) = tracks.skipped
    assert skipped.place == "anything.dat, line 1"
    assert "not to be considered" in skipped.reason


def test_read_tracks__mot_boxes_are_those_of_motmetrics(tmp_path: Path) -> None:
    rows = "1,4,5.5,7,10,20,-1,-1,-1,-1\n3,4,6.5,8,10,20,-1,-1,-1,-1\n3,9,1,1,4,9,-1,-1,-1,-1\n"
    path = write(tmp_path, "result.txt", rows)
    theirs = motmetrics.io.loadtxt(str(path), fmt="mot15-2D")
    ours = {
        (b.frame, int(b.track)): [b.left, b.top, b.width, b.height] for b in read_tracks(path).boxes
    }
    assert ours == {
        index: row[["X", "Y", "Width", "Height"]].tolist() for index, row in theirs.iterrows()
    }


@pytest.mark.parametrize(
    "text",
    [
        "0 1 5 6 7 8 0.9 0 -1 -1\n2 1 5 6 7 8 0.8 0 -1 -1\n",
        "frame;id;x;y;w;h;conf;class\n0;1;5;6;7;8;0.9;0\n2;1;5;6;7;8;0.8;0\n",
        "0.0\t1.0\t5\t6\t7\t8\t.9\t0\n2\t1\t5\t6\t7\t8\t.8\t0\n",
        "\ufeff0, 1, 5, 6, 7, 8, .9, 0\r\n\r\n2, 1, 5, 6, 7, 8, .8, 0\r\n",
    ],
)
def test_read_tracks__mot_of_trackers(tmp_path: Path, text: str) -> None:
    tracks = read_tracks(write(tmp_path, "track.txt", text))
    assert [(b.frame, b.track, b.left, b.confidence, b.label) for b in tracks.boxes] == [
        (0, "1", 4, 0.9, "person"),
        (2, "1", 4, 0.8, "person"),
    ]
    assert tracks.first_frame == 0
    assert "frame 0" in tracks.notes[0]


def test_read_tracks__mot_classes_by_labels_txt_of_cvat(tmp_path: Path) -> None:
    write(tmp_path, "labels.txt", "forklift\nworker\n")
    tracks = read_tracks(write(tmp_path, "gt.txt", "1,1,1,1,9,9,1,2,0.7\n1,2,1,1,9,9,1,1,1.0\n"))
    assert [box.label for box in tracks.boxes] == ["worker", "forklift"]


@pytest.mark.parametrize(
    "track",
    [
        {"track_id": 12},
        {"instance_id": 12.0},
        {"attributes": {"track_id": "12", "occluded": False}},
        {"track_id": None, "attributes": {"track_id": 12}},
    ],
)
def test_read_tracks__coco(tmp_path: Path, track: dict[str, object]) -> None:
    tracks = read_tracks(write(tmp_path, "instances.json", coco(**track)))
    (box,) = tracks.boxes
    assert (tracks.format, tracks.first_frame, tracks.size) == ("coco", 0, (640, 480))
    assert (box.track, box.frame, box.corners) == ("12", 1, (10, 20, 40, 80))
    assert (box.label, box.image, box.is_occluded) == ("person", "frame_000001.jpg", False)


def test_read_tracks__coco_of_several_videos_with_frame_ids(tmp_path: Path) -> None:
    content = coco(track_id=3)
    content["videos"] = [{"id": 1, "name": "yard"}, {"id": 2, "file_name": "gate.mp4"}]
    for image, video, frame in zip(content["images"], (1, 2), (17, 18), strict=True):
        image.update(video_id=video, frame_id=frame)
    (box,) = read_tracks(write(tmp_path, "val.json", content)).boxes
    assert (box.video, box.frame) == ("gate.mp4", 18)


def test_read_tracks__coco_says_what_it_left_out(tmp_path: Path) -> None:
    content = coco(track_id=3)
    content["annotations"] += [
        {"image_id": 5, "bbox": [1, 1, 2, 2]},
        {"image_id": 99, "bbox": [1, 1, 2, 2], "track_id": 3},
        {"image_id": 5, "bbox": [1, 1, 2, 2], "track_id": 3, "iscrowd": 1},
    ]
    tracks = read_tracks(write(tmp_path, "x.json", content))
    assert [(item.place, item.reason) for item in tracks.skipped] == [
        ("x.json, annotation 2", "has no track_id"),
        ("x.json, annotation 3", "there is no image 99 in this file"),
        ("x.json, annotation 4", "marked as a crowd"),
    ]


def test_read_tracks__cvat_for_video(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path, "annotations.xml", CVAT))
    assert (tracks.format, tracks.first_frame, tracks.size) == ("cvat", 0, (1920, 1080))
    # Frames 1 to 3 lie between the keyframes 0 and 4; 5 before the one where the person is gone.
    assert [(box.frame, box.corners) for box in tracks.boxes] == [
        (0, (10, 20, 30, 80)),
        (1, (12, 21, 33, 81)),
        (2, (14, 22, 36, 82)),
        (3, (16, 23, 39, 83)),
        (4, (18, 24, 42, 84)),
        (5, (18, 24, 42, 84)),
    ]
    assert {box.track for box in tracks.boxes} == {"7"}
    assert tracks.boxes[0].attributes == {"identity": "Ann"}
    assert [box.is_occluded for box in tracks.boxes] == [False] * 4 + [True] * 2
    assert tracks.notes == ("4 boxes between keyframes were interpolated.",)
    assert [item.reason for item in tracks.skipped] == ["a polygon, not a box"]


def test_read_tracks__cvat_that_writes_every_frame_needs_no_interpolation(tmp_path: Path) -> None:
    boxes = "".join(
        f'<box frame="{n}" keyframe="{int(n == 0)}" outside="{int(n == 3)}" occluded="0" '
        f'xtl="{n}" ytl="0" xbr="{n + 9}" ybr="20"/>'
        for n in range(4)
    )
    text = f'<annotations><track id="0" label="dog">{boxes}</track></annotations>'
    tracks = read_tracks(write(tmp_path, "dogs.xml", text))
    assert [(box.frame, box.left) for box in tracks.boxes] == [(0, 0), (1, 1), (2, 2)]
    assert tracks.notes == ()


def test_read_tracks__cvat_for_images(tmp_path: Path) -> None:
    text = """<annotations><image id="3" name="a/b.jpg" width="9" height="9">
    <box label="person" occluded="1" xtl="1" ytl="2" xbr="3" ybr="5"><attribute name="Track_ID">4
    </attribute></box><box label="person" xtl="1" ytl="2" xbr="3" ybr="5"/></image></annotations>"""
    tracks = read_tracks(write(tmp_path, "images.xml", text))
    (box,) = tracks.boxes
    assert (box.track, box.frame, box.image) == ("4", 3, "a/b.jpg")
    assert [item.reason for item in tracks.skipped] == ["names no track"]


ENTITIES = (
    '<!DOCTYPE annotations [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotations>&b;</annotations>'
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no file of tracks"),
        ("path,pid,camid\na.jpg,1,2\n", "no file of tracks"),
        ("<kml></kml>", "no file of tracks"),
        ("<annotations><track>", "cannot be read as XML"),
        ("<annotations></annotations>", "no box of a track"),
        (ENTITIES, "document type"),
        ("[1, 2]", "no file of tracks"),
        ('{"a": 1}', "images and annotations are missing"),
        ('{"a": ', "cannot be read as JSON"),
        ('{"images": [{}], "annotations": []}', "images.0.id: Field required"),
        ('{"images": [], "annotations": []}', "has no annotations"),
        (json.dumps(coco()), "annotation 1 has no track_id"),
        ("1,-1,2,3,4,5,0.9,-1,-1,-1\n", "detections, not tracks"),
        ("1,1,2,3,4,5\n1,1,x,3,4,5\n", "line 2 is no row of MOTChallenge"),
        ("1,1,2,3,4,5\n1,1,nan,3,4,5\n", "line 2: a number is infinite"),
        ("1,1,2,3,4,5\n1.5,1,2,3,4,5\n", "line 2: frame is 1.5"),
        ("1,1,2,3,4,5,0,1,1\n1,1,2,3,4,5,1,x,1\n", "line 2"),
    ],
)
def test_read_tracks__says_what_is_wrong_in_one_sentence(
    tmp_path: Path, text: str, words: str
) -> None:
    path = write(tmp_path, "tracks", text)
    with pytest.raises(DatasetError) as caught:
        read_tracks(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_read_tracks__a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"'.*gone.txt' cannot be read: No such file"):
        read_tracks(tmp_path / "gone.txt")


def test_detect_track_format__goes_by_content(tmp_path: Path) -> None:
    found = [
        detect_track_format(write(tmp_path, "x.txt", text))
        for text in (MOT17_GT, coco(track_id=1), CVAT, "hello\n", "1,2,3\n")
    ]
    assert found == [*TRACK_FORMATS, None, None]
