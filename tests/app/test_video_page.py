"""The Workspace page with videos, and with boxes in whole pictures."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.services.exports import label_formats
from pul.store.workspace import Workspace
from tests.app.conftest import Open, labels, text_of, wait_for
from tests.support.films import picture, write_video


def fill(studio: AppTest, label: str, value: object) -> None:
    kinds = (studio.text_input, studio.number_input, studio.selectbox)
    (field,) = (field for kind in kinds for field in kind if field.label == label)
    field.set_value(value)


def press(studio: AppTest, label: str) -> None:
    next(button for button in studio.button if button.label.startswith(label)).click().run()


def test_workspace__cuts_crops_out_of_a_video(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    video = write_video(tmp_path / "gate.mp4", 3)
    tracks = tmp_path / "gate.txt"
    tracks.write_text("1,1,11,6,20,40\n2,1,12,6,20,40\n3,1,12,6,20,40\n")
    Workspace.create(location).close()
    assert "mot-tracks" not in label_formats(str(location))
    studio = open_studio()
    fill(studio, "Folder, CSV or Parquet file", str(video))
    press(studio, "Check folder")
    assert "give the tracks of the people in it" in studio.error[0].value
    fill(studio, "Tracks of a video", str(tracks))
    fill(studio, "Start time", "08:00:00")
    fill(studio, "Every n-th frame", 2)
    press(studio, "Check folder")
    assert "read as `video`" in text_of(studio)
    assert "the first is 1 in the tracks (mot)" in text_of(studio)
    with Workspace.open(location) as workspace:
        assert len(workspace.images()) == 0
    press(studio, "Import 2 images")
    wait_for(location, "finished")
    with Workspace.open(location) as workspace:
        images = workspace.images()
        (job,) = workspace.jobs()
    assert images.tracklets == ("gate/1", "gate/1")
    assert images.frames.tolist() == [8 * 3600 * 25, 8 * 3600 * 25 + 2]
    assert job.progress is not None
    assert job.progress.message == "2 new images, 0 known already, 0 left out"
    assert "mot-tracks" in label_formats(str(location))


def test_workspace__takes_a_list_of_cameras(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    write_video(tmp_path / "gate.mp4", 3)
    (tmp_path / "gate.txt").write_text("1,1,11,6,20,40\n")
    listed = tmp_path / "cameras.csv"
    listed.write_text("video,tracks,name\ngate.mp4,gate.txt,Eingang\n")
    Workspace.create(location).close()
    studio = open_studio()
    fill(studio, "Folder, CSV or Parquet file", str(listed))
    press(studio, "Check folder")
    assert "Camera 1, Eingang" in text_of(studio)


def test_workspace__cuts_boxes_out_of_whole_pictures(
    location: Path, tmp_path: Path, open_studio: Open
) -> None:
    picture(0, (96, 64)).save(tmp_path / "a.png")
    table = tmp_path / "boxes.csv"
    table.write_text('path,bbox\na.png,"10,5,30,45"\na.png,"40,5,60,45"\n')
    Workspace.create(location).close()
    studio = open_studio()
    fill(studio, "Folder, CSV or Parquet file", str(table))
    fill(studio, "Boxes of a table", "xyxy")
    press(studio, "Check folder")
    assert "Import 2 images" in labels(studio, "button")
    press(studio, "Import 2 images")
    wait_for(location, "finished")
    with Workspace.open(location) as workspace:
        names = sorted(Path(path).name for path in workspace.images().paths)
        assert all(Path(p).is_relative_to(workspace.path) for p in workspace.images().paths)
    assert names == ["a_10-5-30-45.jpg", "a_40-5-60-45.jpg"]
