"""Crops cut out of videos into a workspace, and the data set that they make."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from pul.data.crops import JPEG_QUALITY, encode_crop, measure_sharpness, write_crop
from pul.data.datasets import Dataset
from pul.data.samples import Sample
from pul.data.video.planning import CameraPlan, Choice
from pul.data.video.recordings import (
    CLOCK_FPS,
    FOLDER,
    CropRecord,
    crops_folder,
    write_recording,
)
from pul.data.video.request import VideoRequest
from pul.errors import DatasetError, StoreError
from pul.records import Split

FORMAT = "video"
_MAX_NAME = 100  # characters of a track's name in the name of a file


@dataclass(frozen=True, slots=True)
class _Taken:
    choice: Choice
    crop: Image.Image
    sharpness: float


def describe_plans(plans: Sequence[CameraPlan], request: VideoRequest, workspace: Path) -> Dataset:
    """Return the data set that plans will make, as far as is known without decoding a frame.

    Counts are final; which frame of a stretch is the sharpest is not known yet.
    """
    chosen = [[stretch[0] for stretch in plan.stretches] for plan in plans]
    return _make_dataset(plans, chosen, request, workspace)


def cut_videos(
    plans: Sequence[CameraPlan],
    request: VideoRequest,
    workspace: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Decode the videos, cut the crops, and keep where each comes from.

    Args:
        plans: What to cut.
        request: What was asked for.
        workspace: Folder of the workspace; crops lie in `footage/<camera>/crops`.
        on_progress: Called with (crops cut, crops in all).

    Returns:
        The crops as a data set: one tracklet for each track, frames on one clock for all cameras.

    Raises:
        DatasetError: A video cannot be decoded.
        StoreError: The disk refuses.
    """
    n_crops = sum(len(plan.stretches) for plan in plans)
    n_done = 0
    chosen = []
    for plan in plans:
        crops: dict[int, CropRecord] = {}
        choices: dict[int, Choice] = {}
        try:
            for number, taken in _cut(plan):
                crops[number] = _write_crop(plan, taken, workspace)
                choices[number] = taken.choice
                if on_progress is not None:
                    on_progress(n_done + len(crops), n_crops)
            n_done += len(crops)
            write_recording(workspace, plan.recording, plan.boxes, crops.values())
        except OSError as error:
            raise StoreError(
                f"The crops of {plan.film.path.name} cannot be written: "
                f"{error.strerror or error}. Free some space."
            ) from error
        chosen.append([choices[number] for number in range(len(plan.stretches))])
    return _make_dataset(plans, chosen, request, workspace)


def _cut(plan: CameraPlan) -> Iterator[tuple[int, _Taken]]:
    """Yield the number of each stretch and its sharpest crop, as soon as its last frame is read."""
    due: dict[int, list[tuple[int, Choice]]] = defaultdict(list)
    for number, stretch in enumerate(plan.stretches):
        for choice in stretch:
            due[choice.index].append((number, choice))
    best: dict[int, _Taken] = {}
    for index, picture in plan.film.read(sorted(due)):
        for number, choice in due[index]:
            crop = picture.crop(choice.region)
            taken = _Taken(choice, crop, measure_sharpness(crop))
            if number not in best or taken.sharpness > best[number].sharpness:
                best[number] = taken
            if choice == plan.stretches[number][-1]:
                yield number, best.pop(number)


def _write_crop(plan: CameraPlan, taken: _Taken, workspace: Path) -> CropRecord:
    box, index = taken.choice.candidate.box, taken.choice.index
    name = _crop_name(box.track, box.frame)
    write_crop(crops_folder(workspace, plan.recording) / name, encode_crop(taken.crop))
    return CropRecord(
        name, box.track, box.frame, float(plan.film.times[index]), taken.choice.region,
        taken.choice.candidate.hidden, taken.sharpness,
    )  # fmt: skip


def _crop_name(track: str, frame: int) -> str:
    """Name a crop so that its name says nothing about people: a track's number is no identity."""
    plain = quote(track, safe=" ")[:_MAX_NAME]
    return f"track{plain.zfill(4) if plain.isdigit() else plain}_frame{frame:07d}.jpg"


def _make_dataset(
    plans: Sequence[CameraPlan],
    chosen: Sequence[Sequence[Choice]],
    request: VideoRequest,
    workspace: Path,
) -> Dataset:
    samples = [
        sample
        for plan, choices in zip(plans, chosen, strict=True)
        for sample in _samples(plan, choices, workspace, has_people=request.has_people)
    ]
    if not samples:
        raise DatasetError(
            "No box of these tracks gives a crop: "
            + (plans[0].skipped[0].reason if plans[0].skipped else "there are none")
            + "."
        )
    if request.split == "test":
        samples = _split_test(samples)
    return Dataset(
        name=" + ".join(dict.fromkeys(plan.recording.camera for plan in plans)),
        format=FORMAT,
        root=workspace / FOLDER,
        samples=tuple(samples),
        skipped=tuple(item for plan in plans for item in plan.skipped),
        notes=tuple(_notes(plans, request)),
    )


def _samples(
    plan: CameraPlan, choices: Sequence[Choice], workspace: Path, *, has_people: bool
) -> Iterator[Sample]:
    recording = plan.recording
    folder = crops_folder(workspace, recording).absolute()
    start = recording.start.seconds if recording.start is not None else 0.0
    for choice in choices:
        box = choice.candidate.box
        moment = start + float(plan.film.times[choice.index])
        yield Sample(
            folder / _crop_name(box.track, box.frame),
            pid=_pid(box.track) if has_people else None,
            camid=recording.camid,
            tracklet=recording.tracklet(box.track),
            frame=max(0, round(moment * CLOCK_FPS)),
        )


def _pid(track: str) -> int:
    if not (track.isascii() and track.isdigit() and 0 < int(track) < 2**31):
        raise DatasetError(
            f"Track {track!r} is no number of a person. Right: whole numbers from 1, the same for "
            "a person in all videos; or leave --ids-are-people off."
        )
    return int(track)


def _split_test(samples: Sequence[Sample]) -> list[Sample]:
    """Ask for everybody once in each camera, with the first crop; the others are the gallery."""
    asked: set[tuple[int | None, int | None]] = set()
    split = []
    for sample in samples:
        who = (sample.pid, sample.camid)
        part: Split = "gallery" if who in asked or sample.pid is None else "query"
        asked.add(who)
        split.append(
            Sample(sample.path, sample.pid, sample.camid, part, sample.tracklet, sample.frame)
        )
    return split


def _notes(plans: Sequence[CameraPlan], request: VideoRequest) -> Iterator[str]:
    for plan in plans:
        recording = plan.recording
        yield (
            f"Camera {recording.camid}, {recording.camera}: {len(plan.film):,} frames of "
            f"{plan.film.size[0]}×{plan.film.size[1]}, the first is {recording.first_frame} in "
            f"the tracks ({recording.track_format}); {len(plan.boxes):,} boxes; "
            f"{len(plan.stretches):,} crops of {plan.n_tracks:,} tracks."
        )
        yield from (f"{recording.camera}: {note}" for note in plan.notes)
    rule = request.rule
    yield (
        f"Of a track every {_ordinal(rule.every)} frame, at most {rule.most} crops, unoccluded and "
        f"sharp ones first; JPEG of quality {JPEG_QUALITY} in the workspace."
    )
    if len(plans) > 1 and all(plan.recording.start is None for plan in plans):
        yield "No start times: all videos are taken to begin at the same moment (--start-time)."
    counts = Counter(plan.recording.camera for plan in plans)
    yield from (f"{name}: {n} videos of one camera." for name, n in counts.items() if n > 1)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 13 else ending}"
