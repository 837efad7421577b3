"""Which files are videos, and which tracks, camera and start time each of them has."""

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pul.data.readers.listing import suffix_reason
from pul.data.tracks import detect_track_format
from pul.data.video.request import CameraVideo, Start
from pul.errors import ConfigError, DatasetError

_MANIFEST_KEYS = ("video", "tracks", "name", "start", "first_frame")
_VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".flv", ".3gp", ".ogv", ".h264", ".h265", ".hevc", ".mjpeg", ".dav", ".asf", ".vob"),
)


def is_video(place: str | Path) -> bool:
    """Whether a path is named like a video, lists cameras, or is a folder of such files.

    A folder of MOTChallenge is one too: read as images, its whole frames would be taken for people.
    """
    path = Path(str(place).strip()).expanduser()
    if path.is_dir():
        is_sequence = (path / "img1").is_dir() and any(
            (path / name).exists() for name in ("seqinfo.ini", "gt", "det")
        )
        return is_sequence or bool(_videos_in(path))
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


def _videos_in(folder: Path) -> list[Path]:
    """Return the videos in a folder that holds no images beside them."""
    try:
        names = sorted(folder.iterdir())
    except OSError:
        return []
    has_images = any(suffix_reason(path.name) is None for path in names)
    videos = [path for path in names if path.suffix.lower() in _VIDEO_SUFFIXES and path.is_file()]
    return [] if has_images else videos


def _ask_for_tracks(video: Path) -> str:
    inside = _videos_in(video) if video.is_dir() else []
    if inside:
        lists = [path for path in sorted(video.iterdir()) if is_manifest(path)]
        listed = f"its list of cameras, {lists[0]}" if lists else "a list of cameras"
        return (
            f"{str(video)!r} holds videos, such as {inside[0].name}: give them one by one with "
            f"--tracks, or give {listed} (see docs/data.md)."
        )
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
