"""What an import of videos will cut, found out without decoding a frame."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pul.data.crops import Region, clip_box
from pul.data.readers.words import PEOPLE_CLASSES
from pul.data.samples import Skipped
from pul.data.tracks import TrackBox, TrackFile, read_tracks, track_order
from pul.data.video.alignment import align_pictures, number_frames
from pul.data.video.frames import Film, open_film
from pul.data.video.recordings import (
    Recording,
    choose_key,
    digest_film,
    digest_tracks,
    find_known,
    number_cameras,
)
from pul.data.video.request import CameraVideo, VideoRequest
from pul.data.video.sampling import Candidate, measure_hidden, sample_track
from pul.errors import ConfigError, DatasetError


@dataclass(frozen=True, slots=True)
class Choice:
    """A box that may become a crop, and where it lies in the film.

    Attributes:
        candidate: The box, and how much of it is hidden.
        index: Its frame in the film, from 0.
        region: Left, top, right and lower edge in pixels of the film.
    """

    candidate: Candidate
    index: int
    region: Region


@dataclass(frozen=True)
class CameraPlan:
    """What will be cut out of one video.

    Attributes:
        recording: What the workspace will know of it.
        film: Its frames.
        boxes: All boxes of its tracks.
        stretches: For each crop, the choices of which the sharpest becomes it.
        skipped: What gives no crop, by track and reason.
        notes: Remarks for people.
    """

    recording: Recording
    film: Film
    boxes: tuple[TrackBox, ...]
    stretches: tuple[tuple[Choice, ...], ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def n_tracks(self) -> int:
        """Tracks that give a crop."""
        return len({stretch[0].candidate.box.track for stretch in self.stretches})


def plan_videos(
    request: VideoRequest,
    known: Sequence[Recording] = (),
    taken: frozenset[int] = frozenset(),
) -> list[CameraPlan]:
    """Read the tracks, look at the videos, and choose what to cut.

    Args:
        request: What was asked for.
        known: What was imported before.
        taken: Numbers of cameras that other images have.

    Raises:
        DatasetError: A file cannot be read, or tracks and video do not fit.
        ConfigError: Something must be said that nothing tells.
    """
    numbers = number_cameras(request.cameras, known, taken)
    plans: list[CameraPlan] = []
    for camera in request.cameras:
        here = [*known, *(plan.recording for plan in plans)]
        plans.append(_plan_camera(request, camera, numbers[camera.name], here))
    _check_clocks([*known, *(plan.recording for plan in plans)])
    return plans


def _plan_camera(
    request: VideoRequest, camera: CameraVideo, camid: int, known: Sequence[Recording]
) -> CameraPlan:
    film = open_film(camera.video, fps=request.fps)
    tracks = read_tracks(camera.tracks)
    boxes = _boxes_of(tracks, camera)
    digests = digest_film(camera.video), digest_tracks(boxes)
    recording = find_known(camera, *digests, known)
    numbered, first, frame_notes = number_frames(film, tracks, boxes, camera.first_frame)
    placement, size_notes = align_pictures(film, tracks, request.track_size)
    wanted, class_notes = _choose_classes(boxes, request.classes)
    placed = [_moved(box, placement.place(box.corners)) for box in boxes]
    hidden = measure_hidden(placed, film.size)
    by_track: dict[str, list[Choice]] = defaultdict(list)
    dropped: dict[tuple[str, str], list[int]] = defaultdict(list)
    for box, region in _find_regions(boxes, placed, film.size):
        if box.label not in wanted:
            continue
        if isinstance(region, str):
            dropped[box.track, region].append(box.frame)
        else:
            candidate = Candidate(box, hidden[box.frame, box.track])
            by_track[box.track].append(Choice(candidate, numbered[box.frame], region))
    stretches = [s for track in by_track.values() for s in _sample(track, request)]
    if recording is None:
        recording = Recording(
            key=choose_key(camera.name, (other.key for other in known)),
            camera=camera.name, camid=camid, start=camera.start, first_frame=first,
            video=str(camera.video), video_digest=digests[0],
            tracks=str(camera.tracks), tracks_digest=digests[1],
            track_format=tracks.format,
        )  # fmt: skip
    notes = (*film.notes, *tracks.notes, *frame_notes, *size_notes, *class_notes)
    return CameraPlan(
        recording, film, boxes, tuple(stretches),
        (*_say_dropped(camera.tracks, dropped), *_say_silent(camera.tracks, dropped, by_track)),
        (*notes, *_count_skipped(tracks)),
    )  # fmt: skip


def _boxes_of(tracks: TrackFile, camera: CameraVideo) -> tuple[TrackBox, ...]:
    """Return the boxes of one video of a file that may hold several."""
    videos = sorted({box.video for box in tracks.boxes})
    if len(videos) == 1:
        return tracks.boxes
    own = {camera.video.name, camera.video.stem, camera.name}
    mine = [video for video in videos if Path(video).name in own or Path(video).stem in own]
    if len(mine) != 1:
        raise DatasetError(
            f"{tracks.path.name} holds the tracks of {len(videos)} videos, none of them called "
            f"{camera.video.name}: {', '.join(videos[:5])}. Name the camera after one of them with "
            "--camera."
        )
    return tuple(box for box in tracks.boxes if box.video == mine[0])


def _choose_classes(
    boxes: Sequence[TrackBox], classes: Sequence[str]
) -> tuple[set[str], tuple[str, ...]]:
    """Return the classes that are asked for; else people, where the file names them."""
    counts = Counter(box.label for box in boxes)
    asked = {name.casefold() for name in classes}
    if asked:
        kept = {label for label in counts if label.casefold() in asked}
        if not kept:
            raise ConfigError(
                f"No box is of the class {', '.join(classes)}; there are: "
                f"{', '.join(label or '(none)' for label in counts)}."
            )
    else:
        kept = {label for label in counts if label.casefold() in PEOPLE_CLASSES} or set(counts)
    notes = []
    left = {label: n for label, n in counts.items() if label not in kept}
    if left or (len(kept) > 1 and not asked):
        said = _say_counts({label: counts[label] for label in kept})
        note = f"Boxes of {said} are cut; --classes says otherwise"
        notes.append(f"{note}. Left out: {_say_counts(left)}." if left else f"{note}.")
    return kept, tuple(notes)


def _say_counts(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{label or '(no class)'} ({n:,})" for label, n in ordered)


def _find_regions(
    boxes: Sequence[TrackBox], placed: Sequence[TrackBox], size: tuple[int, int]
) -> Iterator[tuple[TrackBox, Region | str]]:
    """Yield each box with its pixels in the film, or why it gives no crop."""
    seen: set[tuple[str, int]] = set()
    for box, moved in zip(boxes, placed, strict=True):
        region = clip_box(moved.corners, size)
        if (box.track, box.frame) in seen:
            region = "the track has another box in that frame"
        seen.add((box.track, box.frame))
        yield box, region


def _moved(box: TrackBox, corners: tuple[float, float, float, float]) -> TrackBox:
    left, top, right, low = corners
    return TrackBox(
        box.track, box.frame, left, top, right - left, low - top,
        visibility=box.visibility, is_occluded=box.is_occluded,
    )  # fmt: skip


def _sample(choices: Sequence[Choice], request: VideoRequest) -> list[tuple[Choice, ...]]:
    by_frame = {choice.candidate.box.frame: choice for choice in choices}
    candidates = [choice.candidate for choice in choices]
    stretches = sample_track(candidates, request.rule)
    return [tuple(by_frame[x.box.frame] for x in stretch) for stretch in stretches]


def _say_dropped(tracks: Path, dropped: dict[tuple[str, str], list[int]]) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(
            Path(f"{tracks}: track {track}"),
            f"{_boxes(len(frames))}: {reason} ({_frames(frames)})",
        )
        for (track, reason), frames in sorted(dropped.items(), key=_drop_order)
    )


def _drop_order(item: tuple[tuple[str, str], list[int]]) -> tuple[tuple[int, int, str], str]:
    (track, reason), _ = item
    return track_order(track), reason


def _say_silent(
    tracks: Path, dropped: dict[tuple[str, str], list[int]], by_track: dict[str, list[Choice]]
) -> tuple[Skipped, ...]:
    silent = sorted({track for track, _ in dropped} - by_track.keys(), key=track_order)
    return tuple(
        Skipped(Path(f"{tracks}: track {track} as a whole"), "no box gives a crop")
        for track in silent
    )


def _boxes(n_boxes: int) -> str:
    return "1 box" if n_boxes == 1 else f"{n_boxes:,} boxes"


def _frames(frames: Sequence[int]) -> str:
    first, last = min(frames), max(frames)
    return f"frame {first}" if first == last else f"frames {first} to {last}"


def _count_skipped(tracks: TrackFile) -> tuple[str, ...]:
    counts = Counter(item.reason for item in tracks.skipped)
    return tuple(f"{_boxes(n)} left out: {reason}." for reason, n in sorted(counts.items()))


def _check_clocks(recordings: Sequence[Recording]) -> None:
    """Make sure that the times of all videos compare.

    Raises:
        ConfigError: Some start times have a date and others not, or a camera has several videos of
            which it is not known when they begin.
    """
    unique = {recording.key: recording for recording in recordings}.values()
    timed = {r.start.is_dated for r in unique if r.start is not None}
    untimed = [r for r in unique if r.start is None]
    if len(timed) > 1:
        raise ConfigError(
            "Some start times have a date and others have none: they cannot be compared. Give all "
            "of them with a date, or none."
        )
    if timed and untimed:
        raise ConfigError(
            f"The start time of {Path(untimed[0].video).name} is not known, but that of others is: "
            "give one for each video, or for none."
        )
    cameras = Counter(r.camera for r in untimed)
    doubled = [name for name, n in cameras.items() if n > 1]
    if doubled:
        raise ConfigError(
            f"Camera {doubled[0]!r} has {cameras[doubled[0]]} videos: give each of all videos its "
            "--start-time, so that their frames can be put in order; or name other cameras with "
            "--camera."
        )
