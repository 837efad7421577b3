"""What a workspace keeps of an imported video: whose tracks, which boxes, which crops."""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pul.data.tracks import TrackBox
from pul.data.video.request import CameraVideo, Start
from pul.errors import ConfigError, DatasetError

FOLDER = "footage"  # within a workspace
CLOCK_FPS = 25  # the frame number of an image counts these, so that all cameras share one clock
_RECORD, _TRACKS, _CROPS = "recording.json", "tracks.csv", "crops.csv"
_END_BYTES = 1 << 20
_TRACK_COLUMNS = (
    *("track", "frame", "left", "top", "width", "height", "label"),
    *("confidence", "visibility", "occluded"),
)
_CROP_COLUMNS = (
    *("file", "track", "frame", "time_s", "left", "top", "right", "bottom"),
    *("hidden", "sharpness"),
)


class Recording(BaseModel):
    """One imported video.

    Attributes:
        key: Name of its folder within `FOLDER`, and what its tracklets begin with.
        camera: Name of the camera.
        camid: Its number in the workspace.
        video: Where the video was.
        video_digest: Tells this video from others, wherever it lies.
        tracks: Where the file of tracks was.
        tracks_digest: Tells these tracks from others.
        track_format: One of `pul.data.tracks.TRACK_FORMATS`.
        first_frame: What the tracks call the first frame.
        start: When it begins; None where that is not known.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 1
    key: str
    camera: str
    camid: int
    video: str
    video_digest: str
    tracks: str
    tracks_digest: str
    track_format: str
    first_frame: int
    start: Start | None = None

    def tracklet(self, track: str) -> str:
        """Return the name of a track among all tracklets of the workspace."""
        return f"{self.key}/{track}"


@dataclass(frozen=True, slots=True)
class CropRecord:
    """Where a crop comes from.

    Attributes:
        file: Name of the crop.
        track: Its track, as the file of tracks calls it.
        frame: Its frame, as the file of tracks calls it.
        time_s: Seconds since the video's first frame.
        region: Left, top, right and lower edge in pixels of the video.
        hidden: Share of the box that is hidden, in [0, 1].
        sharpness: As `pul.data.crops.measure_sharpness` gives it.
    """

    file: str
    track: str
    frame: int
    time_s: float
    region: tuple[int, int, int, int]
    hidden: float
    sharpness: float


def read_recordings(workspace: Path) -> list[Recording]:
    """Return what was imported from videos into a workspace, by key.

    Args:
        workspace: Its folder.

    Raises:
        DatasetError: A record is damaged.
    """
    found = []
    for path in sorted((workspace / FOLDER).glob(f"*/{_RECORD}")):
        try:
            found.append(Recording.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            raise DatasetError(
                f"{str(path)!r} is damaged: bring it back from a backup, or import the video into "
                "a new workspace."
            ) from error
    return found


def write_recording(
    workspace: Path,
    recording: Recording,
    boxes: Iterable[TrackBox],
    crops: Iterable[CropRecord],
) -> None:
    """Keep a recording with all boxes of its tracks, and add to its list of crops.

    Raises:
        OSError: The disk refuses.
    """
    folder = workspace / FOLDER / recording.key
    folder.mkdir(parents=True, exist_ok=True)
    _write_table(folder / _TRACKS, _TRACK_COLUMNS, map(_track_row, boxes))
    known = {row[0]: row for row in _read_table(folder / _CROPS)}
    known |= {crop.file: _crop_row(crop) for crop in crops}
    _write_table(folder / _CROPS, _CROP_COLUMNS, (known[name] for name in sorted(known)))
    # Last: a recording without its record is not there.
    _write_text(folder / _RECORD, recording.model_dump_json(indent=1) + "\n")


def read_boxes(workspace: Path, recording: Recording) -> Iterator[TrackBox]:
    """Yield every box of the tracks that a recording was imported with, in order.

    Raises:
        DatasetError: The table is missing or damaged.
    """
    path = workspace / FOLDER / recording.key / _TRACKS
    if not path.is_file():
        raise DatasetError(f"{str(path)!r} is gone: bring it back from a backup.")
    try:
        for row in _read_table(path):
            left, top, width, height = (float(value) for value in row[2:6])
            yield TrackBox(
                row[0], int(row[1]), left, top, width, height, row[6],
                confidence=float(row[7]) if row[7] else None,
                visibility=float(row[8]) if row[8] else None,
                is_occluded=row[9] == "1",
            )  # fmt: skip
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(f"{str(path)!r} is damaged: {error}.") from error


def crop_tracks(workspace: Path, recording: Recording) -> Iterator[tuple[Path, str]]:
    """Yield the path of each crop of a recording, and its track."""
    folder = crops_folder(workspace, recording)
    for row in _read_table(workspace / FOLDER / recording.key / _CROPS):
        yield folder / row[0], row[1]


def crops_folder(workspace: Path, recording: Recording) -> Path:
    """Return where the crops of a recording lie."""
    return workspace / FOLDER / recording.key / "crops"


def digest_film(path: Path) -> str:
    """Return what tells a video, or a folder of frames, from others: its size and its ends.

    Raises:
        DatasetError: It cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        if path.is_dir():
            for file in sorted(p for p in path.rglob("*") if p.is_file()):
                line = f"{file.relative_to(path)}\0{file.stat().st_size}\n"
                digest.update(line.encode(errors="surrogateescape"))
        else:
            size = path.stat().st_size
            digest.update(str(size).encode())
            with path.open("rb") as content:
                digest.update(content.read(_END_BYTES))
                content.seek(max(size - _END_BYTES, 0))
                digest.update(content.read())
    except OSError as error:
        raise DatasetError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def digest_tracks(boxes: Iterable[TrackBox]) -> str:
    """Return what tells the tracks of one video from others."""
    digest = hashlib.blake2b(digest_size=16)
    for box in boxes:
        digest.update("\t".join(_track_row(box)).encode(errors="replace") + b"\n")
    return digest.hexdigest()


def number_cameras(
    cameras: Sequence[CameraVideo], known: Sequence[Recording], taken: frozenset[int]
) -> dict[str, int]:
    """Give each camera a number: the one it has, the one in its name, or the next free one.

    Args:
        cameras: The cameras of an import.
        known: What was imported before.
        taken: Numbers of cameras of other images.

    Returns:
        Number by name.
    """
    numbers = {recording.camera: recording.camid for recording in known}
    names = [name for name in dict.fromkeys(c.name for c in cameras) if name not in numbers]
    used = taken | set(numbers.values())
    own = [re.findall(r"\d{1,9}", name, re.ASCII) for name in names]
    wanted = [int(found[-1]) for found in own if found]
    if len(set(wanted)) == len(names) and not set(wanted) & used:
        return numbers | dict(zip(names, wanted, strict=True))
    free = (number for number in range(1, len(used) + len(names) + 2) if number not in used)
    return numbers | dict(zip(names, free, strict=False))


def choose_key(name: str, used: Iterable[str]) -> str:
    """Return a name for a folder that no other recording has, in any case."""
    base = re.sub(r"[^\w-]+", "_", name).strip("_")[:60] or "camera"
    folded = {key.casefold() for key in used}
    key, number = base, 1
    while key.casefold() in folded:
        number += 1
        key = f"{base}-{number}"
    return key


def find_known(
    camera: CameraVideo, video_digest: str, tracks_digest: str, known: Sequence[Recording]
) -> Recording | None:
    """Return the recording that a video was imported as before; None if it is new.

    Raises:
        ConfigError: It was imported with other tracks or another start time.
    """
    for recording in known:
        if recording.video_digest != video_digest:
            continue
        if recording.tracks_digest != tracks_digest:
            raise ConfigError(
                f"{camera.video.name} is in this workspace already, with other tracks "
                f"({recording.tracks}): its people would be there twice. Give those tracks, or "
                "another workspace."
            )
        if camera.start is not None and camera.start != recording.start:
            raise ConfigError(
                f"{camera.video.name} is in this workspace already, with another start time. "
                "Leave --start-time off, or give another workspace."
            )
        return recording
    return None


def _track_row(box: TrackBox) -> tuple[str, ...]:
    numbers = (box.left, box.top, box.width, box.height)
    optional = ("" if x is None else repr(x) for x in (box.confidence, box.visibility))
    occluded = "1" if box.is_occluded else ""
    return (box.track, str(box.frame), *map(repr, numbers), box.label, *optional, occluded)


def _crop_row(crop: CropRecord) -> list[str]:
    return [
        crop.file, crop.track, str(crop.frame), f"{crop.time_s:.3f}", *map(str, crop.region),
        f"{crop.hidden:.3f}", f"{crop.sharpness:.1f}",
    ]  # fmt: skip


def _read_table(path: Path) -> Iterator[list[str]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        yield from rows


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    aside = path.with_name(f".{path.name}.part")
    with aside.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    aside.replace(path)


def _write_text(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
