"""COCO with tracks: as CVAT, MMTracking, ByteTrack's converters and others write them."""

import math
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pul.data.tracks.boxes import SkippedBox, TrackBox, TrackFile, order_boxes
from pul.errors import DatasetError

Form = TypeVar("Form", bound=BaseModel)

_TRACK_KEYS = ("track_id", "instance_id", "tracking_id", "trackId", "track", "tracklet_id")
_FRAME_KEYS = ("frame_id", "frame_index", "frame_number", "frame_idx", "frame")
_Number = int | float | str


class _Image(BaseModel, extra="allow"):
    id: int | str
    file_name: str = ""
    width: int | None = None
    height: int | None = None
    video_id: int | str | None = None


class _Annotation(BaseModel, extra="allow"):
    image_id: int | str
    bbox: tuple[float, float, float, float] | None = None
    category_id: int | str | None = None
    iscrowd: int = 0
    attributes: dict[str, Any] = {}


class _Named(BaseModel, extra="allow"):
    id: int | str
    name: str = ""
    file_name: str = ""


class _Coco(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Named] = []
    videos: list[_Named] = []


def is_coco(content: object) -> bool:
    """Whether parsed JSON is of COCO's form."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def validate_coco(form: type[Form], content: object, path: Path) -> Form:
    """Return parsed JSON as a form of COCO that has what a reader needs.

    Raises:
        DatasetError: It is not of that form.
    """
    try:
        return form.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DatasetError(f"{str(path)!r} is not COCO: {where}: {first['msg']}.") from error


def read_coco_tracks(path: Path, content: object) -> TrackFile:
    """Read tracks from COCO: the track from `track_id` or its like, there or in `attributes`.

    The number of a frame is the image's `frame_id` or its like, else the last number in its
    `file_name`. Boxes are [left, top, width, height] in pixels from 0.

    Args:
        path: The file, for messages.
        content: The parsed JSON.

    Raises:
        DatasetError: It is not of COCO's form, or no box has a track.
    """
    coco = validate_coco(_Coco, content, path)
    frames = {image.id: _frame(image) for image in coco.images}
    images = {image.id: image for image in coco.images}
    categories = {category.id: category.name for category in coco.categories}
    videos = {video.id: video.name or video.file_name for video in coco.videos}
    boxes: list[TrackBox] = []
    skipped: list[SkippedBox] = []
    for number, annotation in enumerate(coco.annotations, start=1):
        image = images.get(annotation.image_id)
        reason = _reason(annotation, image, frames.get(annotation.image_id))
        if reason is not None or image is None:
            skipped.append(SkippedBox(f"{path.name}, annotation {number}", reason or ""))
        else:
            video = "" if image.video_id is None else videos.get(image.video_id, "")
            label = categories.get(annotation.category_id or 0, "")
            boxes.append(_box(annotation, image, frames[image.id] or 0, label, video))
    if not boxes:
        raise DatasetError(_nothing(path, skipped))
    return TrackFile(
        path, "coco", order_boxes(boxes), _first_frame(frames), _size(coco.images), tuple(skipped)
    )


def _frame(image: _Image) -> int | None:
    extra = image.model_extra or {}
    for key in _FRAME_KEYS:
        value = extra.get(key)
        if isinstance(value, int) and value >= 0:
            return value
    # A name of Windows has no `/`, and one of another system may hold `\`.
    name = PurePosixPath(PureWindowsPath(image.file_name).as_posix()).stem
    numbers = re.findall(r"\d{1,18}", name, re.ASCII)
    return int(numbers[-1]) if numbers else None


def _track(annotation: _Annotation) -> str:
    for place in (annotation.model_extra or {}, annotation.attributes):
        for key in _TRACK_KEYS:
            value = place.get(key)
            if isinstance(value, int | float | str) and str(value).strip() not in ("", "-1"):
                is_whole = isinstance(value, float) and value.is_integer()
                return str(int(value)) if is_whole else str(value).strip()
    return ""


def _reason(annotation: _Annotation, image: _Image | None, frame: int | None) -> str | None:
    if image is None:
        return f"there is no image {annotation.image_id} in this file"
    if frame is None:
        return f"neither {_FRAME_KEYS[0]} nor a number in {image.file_name!r} tells the frame"
    if annotation.bbox is None or not all(map(math.isfinite, annotation.bbox)):
        return "has no box"
    if annotation.iscrowd:
        return "marked as a crowd"
    return None if _track(annotation) else "has no track_id"


def _box(annotation: _Annotation, image: _Image, frame: int, label: str, video: str) -> TrackBox:
    left, top, width, height = annotation.bbox or (0.0, 0.0, 0.0, 0.0)
    attributes = {**(annotation.model_extra or {}), **annotation.attributes}
    visibility = attributes.get("visibility")
    plain = {k: str(v) for k, v in attributes.items() if isinstance(v, int | float | str)}
    share = visibility if isinstance(visibility, int | float) and 0 <= visibility <= 1 else None
    return TrackBox(
        _track(annotation), frame, left, top, width, height, label,
        confidence=None,
        visibility=share,
        is_occluded=attributes.get("occluded") is True,
        image=image.file_name, video=video, attributes=plain,
    )  # fmt: skip


def _first_frame(frames: dict[int | str, int | None]) -> int | None:
    first = min((frame for frame in frames.values() if frame is not None), default=None)
    return first if first in (0, 1) else None


def _size(images: list[_Image]) -> tuple[int, int] | None:
    sizes = {(image.width, image.height) for image in images}
    if len(sizes) != 1:
        return None
    width, height = sizes.pop()
    return (width, height) if width and height else None


def _nothing(path: Path, skipped: list[SkippedBox]) -> str:
    if not skipped:
        return f"{str(path)!r} has no annotations: there is nothing to cut."
    return (
        f"No box of {str(path)!r} is of a track; the first: {skipped[0].place} "
        f"{skipped[0].reason}. Right: a track_id (or instance_id) in each annotation, or in its "
        "attributes."
    )
