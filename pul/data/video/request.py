"""What is asked for when videos are imported: which cameras, and how their tracks are read."""

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pul.config import Settings
from pul.data.tracks import detect_track_format
from pul.data.video.sampling import USUAL_EVERY, USUAL_MOST, SamplingRule
from pul.errors import ConfigError, DatasetError

_MANIFEST_KEYS = ("video", "tracks", "name", "start", "first_frame")
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?", re.ASCII)
_VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".flv", ".3gp", ".ogv", ".h264", ".h265", ".hevc", ".mjpeg", ".dav", ".asf", ".vob"),
)


class Start(Settings):
    """When a video begins.

    Attributes:
        seconds: Since 1970 where a date is known, else since a moment that all cameras share.
        is_dated: Whether the date is known.
    """

    seconds: float
    is_dated: bool = False

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a date and time (ISO 8601), a time of day (`08:15:30`), or seconds.

        Raises:
            ConfigError: It is none of these.
        """
        if isinstance(value, datetime):
            return cls._of(value)
        if isinstance(value, time):
            value = value.isoformat()
        text = str(value).strip()
        clock = _CLOCK.fullmatch(text)
        if clock:
            hours, minutes, seconds = (float(part or 0) for part in clock.groups())
            return cls(seconds=3600 * hours + 60 * minutes + seconds)
        try:
            return cls(seconds=float(text))
        except ValueError:
            pass
        try:
            date.fromisoformat(text[:10])
            return cls._of(datetime.fromisoformat(text))
        except ValueError as error:
            raise ConfigError(
                f"The start time {text!r} cannot be read. Right: 2024-05-03T08:15:30, 08:15:30, or "
                "a number of seconds."
            ) from error

    @classmethod
    def _of(cls, moment: datetime) -> Self:
        # Cameras without a time zone share one: only differences count.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return cls(seconds=aware.timestamp(), is_dated=True)


class CameraVideo(Settings):
    """One video and its tracks.

    Attributes:
        video: Video file, or folder of frames; absolute.
        tracks: File of its tracks; absolute.
        name: Name of the camera.
        start: When it begins; None where that is not known.
        first_frame: What the tracks call the first frame; None leaves it to evidence.
    """

    video: Path
    tracks: Path
    name: str
    start: Start | None = None
    first_frame: int | None = None

    @field_validator("name")
    @classmethod
    def _has_a_name(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("a camera needs a name")
        return name.strip()


class VideoRequest(Settings):
    """An import of videos.

    Attributes:
        cameras: The videos.
        every: Every n-th frame of a track counts.
        per_track: Crops of a track at most.
        classes: Classes of boxes to cut; none takes people where the file names them, else all.
        fps: Frames a second of folders of frames that do not say it.
        track_size: Width and height of the pictures that the tracks were made on, where the file
            does not say it.
        has_people: Whether the ids of tracks are those of people, the same in all videos.
        split: `train`, or `test`: query and gallery.
    """

    cameras: tuple[CameraVideo, ...] = Field(min_length=1)
    every: int = Field(default=USUAL_EVERY, ge=1)
    per_track: int = Field(default=USUAL_MOST, ge=1)
    classes: tuple[str, ...] = ()
    fps: float | None = None
    track_size: tuple[int, int] | None = None
    has_people: bool = False
    split: Literal["train", "test"] = "train"

    @model_validator(mode="after")
    def _measures_people(self) -> Self:
        if self.split == "test" and not self.has_people:
            raise ConfigError(
                "Test images need identities: --split test goes with --ids-are-people only."
            )
        return self

    @property
    def rule(self) -> SamplingRule:
        """How many crops are taken of a track."""
        return SamplingRule(self.every, self.per_track)


def is_video(place: str | Path) -> bool:
    """Whether a path is named like a video, is a folder of MOTChallenge, or lists cameras."""
    path = Path(str(place).strip()).expanduser()
    if path.is_dir():
        return (path / "img1").is_dir() and (
            (path / "seqinfo.ini").is_file() or (path / "gt").is_dir() or (path / "det").is_dir()
        )
    return path.suffix.lower() in _VIDEO_SUFFIXES or is_manifest(path)


def is_manifest(path: Path) -> bool:
    """Whether a file lists cameras: TOML with [[camera]], or a table with a column `video`."""
    if path.suffix.lower() == ".toml":
        return path.is_file()
    if path.suffix.lower() not in (".csv", ".tsv") or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = re.split(r"[,;\t]", file.readline().strip().lower())
    return {"video", "tracks"} <= {name.strip() for name in header}


def pair_videos(
    videos: Sequence[Path],
    tracks: Sequence[Path] = (),
    *,
    names: Sequence[str] = (),
    starts: Sequence[str] = (),
    first_frame: int | None = None,
) -> tuple[CameraVideo, ...]:
    """Bring together what was given side by side: the n-th video and the n-th file of tracks.

    Args:
        videos: Videos and folders of frames, or one list of cameras (`read_manifest`).
        tracks: As many files; or one that holds the tracks of all videos by their names.
        names: As many names of cameras; without any, the names of the files.
        starts: As many start times, or none.
        first_frame: What all the tracks call the first frame; None leaves it to evidence.

    Raises:
        ConfigError: Their numbers differ, or a start time cannot be read.
        DatasetError: The list of cameras cannot be read.
    """
    if len(videos) == 1 and videos[0].is_file() and is_manifest(videos[0]):
        if tracks or names or starts:
            raise ConfigError(
                f"{videos[0].name} lists the cameras: --tracks, --camera and --start-time belong "
                "into it."
            )
        return read_manifest(videos[0], first_frame=first_frame)
    if not tracks:
        raise ConfigError(_ask_for_tracks(next(filter(is_video, videos), videos[0])))
    if len(tracks) == 1 and len(videos) > 1 and detect_track_format(tracks[0]) == "coco":
        tracks = [*tracks] * len(videos)
    for option, given in (("--tracks", tracks), ("--camera", names), ("--start-time", starts)):
        if given and len(given) != len(videos):
            raise ConfigError(
                f"{len(videos)} videos, but {len(given)} times {option}: give it once for each, in "
                "the same order, or list the cameras in a file (see docs/data.md)."
            )
    names = names or name_cameras(videos)
    parsed: list[Start | None] = [Start.parse(text) for text in starts]
    parsed = parsed or [None] * len(videos)
    return tuple(
        CameraVideo(
            video=video.expanduser().absolute(), tracks=track.expanduser().absolute(),
            name=name, start=start, first_frame=first_frame,
        )
        for video, track, name, start in zip(videos, tracks, names, parsed, strict=True)
    )  # fmt: skip


def _ask_for_tracks(video: Path) -> str:
    truth = video / "gt" / "gt.txt"
    if truth.is_file():
        return (
            f"{video.name} is a sequence of MOTChallenge: give its tracks with --tracks {truth}, "
            "or those of a tracker."
        )
    return (
        f"{video.name} is a video: give the tracks of the people in it with --tracks, as a tracker "
        "or CVAT writes them (MOTChallenge, COCO or CVAT XML)."
    )


def name_cameras(videos: Sequence[Path]) -> list[str]:
    """Name cameras after their files; after the folders around them where files are called alike.

    Raises:
        ConfigError: No name tells them apart.
    """
    paths = [path.parent if path.name == "img1" else path for path in map(Path.absolute, videos)]
    for names in ([_stem(path) for path in paths], [path.parent.name for path in paths]):
        if len(set(names)) == len(names):
            return names
    twice = Counter(_stem(path) for path in paths).most_common(1)[0][0]
    raise ConfigError(f"Several videos are called {twice!r}; name their cameras with --camera.")


def read_manifest(path: Path, *, first_frame: int | None = None) -> tuple[CameraVideo, ...]:
    """Read a list of cameras: TOML with a [[camera]] for each, or a CSV file with a row for each.

    `video` and `tracks` are needed, relative to the list; `name`, `start` and `first_frame` may
    follow.

    Raises:
        DatasetError: It cannot be read, or something is missing.
        ConfigError: A value cannot be read.
    """
    rows = list(_manifest_rows(path))
    if not rows:
        raise DatasetError(f"{str(path)!r} lists no camera. Right: a [[camera]] for each video.")
    for number, row in enumerate(rows, start=1):
        unknown = sorted(row.keys() - set(_MANIFEST_KEYS))
        missing = [key for key in _MANIFEST_KEYS[:2] if not row.get(key)]
        if unknown or missing:
            said = f"has no {missing[0]}" if missing else f"has the unknown key {unknown[0]!r}"
            raise DatasetError(
                f"{str(path)!r}, camera {number} {said}. Right: {', '.join(_MANIFEST_KEYS)}, of "
                "which video and tracks are needed."
            )
    places = [path.parent.absolute() / Path(str(row["video"])).expanduser() for row in rows]
    has_names = all(row.get("name") for row in rows)
    names = [str(row["name"]) for row in rows] if has_names else name_cameras(places)
    return tuple(
        CameraVideo(
            video=place,
            tracks=path.parent.absolute() / Path(str(row["tracks"])).expanduser(),
            name=name,
            start=Start.parse(row["start"]) if _has(row, "start") else None,
            first_frame=row["first_frame"] if _has(row, "first_frame") else first_frame,
        )
        for row, place, name in zip(rows, places, names, strict=True)
    )


def _has(row: Mapping[str, Any], key: str) -> bool:
    return row.get(key) not in (None, "")


def _stem(path: Path) -> str:
    return path.stem if path.is_file() else path.name


def _manifest_rows(path: Path) -> Iterable[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".toml":
            cameras = tomllib.loads(text).get("camera", [])
            return [dict(row) for row in cameras]
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
        header = [name.strip().lower() for name in next(reader, [])]
        return [dict(zip(header, map(str.strip, row), strict=True)) for row in reader if row]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DatasetError(f"The list of cameras {str(path)!r} cannot be read: {error}.") from error
