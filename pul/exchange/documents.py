"""Labels as JSON: ours, with where they come from, and COCO with track numbers."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from pul.data.decoding import decode
from pul.data.file_names import to_text
from pul.errors import DatasetError
from pul.exchange.labels import Label, Labels, Problem
from pul.exchange.snapshot import Shot, Snapshot
from pul.labelling.annotations import Role

_PERSON = 1  # COCO's category of people


class _Identity(BaseModel):
    name: str
    role: Role = "training"
    images: list[str]


class _Document(BaseModel):
    format: Literal["pul-identities"]
    version: Literal[1]
    identities: list[_Identity]
    junk: list[str] = []
    unsure: list[str] = []


class _CocoImage(BaseModel):
    id: int
    file_name: str
    junk: bool = False


class _CocoAnnotation(BaseModel):
    image_id: int
    track_id: int | str | None = None
    identity: str = ""
    role: Role = "training"


class _Coco(BaseModel):
    images: list[_CocoImage]
    annotations: list[_CocoAnnotation]


def write_json(snapshot: Snapshot, path: Path) -> None:
    """Write identities, junk and unsure images by their paths, and who made them and when."""
    content = {
        "format": "pul-identities",
        "version": 1,
        "workspace": snapshot.workspace,
        "provenance": {
            "n_events": snapshot.n_events,
            "events_hash": snapshot.events_hash,
            "content_hash": snapshot.content_hash,
            "authors": [asdict(author) for author in snapshot.contributions],
        },
        "identities": [
            {"name": person.name, "role": person.role, "images": _paths(person.shots)}
            for person in snapshot.people
        ],
        "junk": _paths(snapshot.junk),
        "unsure": _paths(snapshot.unsure),
    }
    _dump(content, path)


def write_coco(snapshot: Snapshot, path: Path) -> None:
    """Write COCO: a box around each whole image, with the identity's number as its `track_id`.

    Junk is an image without a box, marked `junk`; unsure images are left out.

    Raises:
        ImageError: An image cannot be decoded, so that its size is not known.
    """
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for person in snapshot.people:
        for shot in person.shots:
            image = _coco_image(shot, len(images) + 1)
            width, height = image["width"], image["height"]
            images.append(image)
            boxes.append(
                {
                    "id": len(boxes) + 1,
                    "image_id": image["id"],
                    "category_id": _PERSON,
                    "bbox": [0, 0, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                    "track_id": person.number,
                    "identity": person.name,
                    "role": person.role,
                }
            )
    for shot in snapshot.junk:
        images.append(_coco_image(shot, len(images) + 1) | {"junk": True})
    content = {
        "info": {"description": f"Identities of {snapshot.workspace}", "version": "1"},
        "categories": [{"id": _PERSON, "name": "person", "supercategory": "person"}],
        "images": images,
        "annotations": boxes,
    }
    _dump(content, path)


def read_json(path: Path) -> Labels:
    """Read labels from a JSON file of ours, or from COCO with `track_id` or `identity`.

    Raises:
        DatasetError: It cannot be read, or is neither.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{str(path)!r} cannot be read as JSON: {error}.") from error
    try:
        if isinstance(content, dict) and "annotations" in content:
            return _coco_labels(_Coco.model_validate(content), path.name)
        return _labels(_Document.model_validate(content), path.name)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DatasetError(
            f"{str(path)!r} is neither a JSON export of PUL Studio (version 1) nor COCO: {where}: "
            f"{first['msg']}."
        ) from error


def _paths(shots: Sequence[Shot]) -> list[str]:
    return [to_text(shot.path) for shot in shots]


def _coco_image(shot: Shot, number: int) -> dict[str, Any]:
    width, height = decode(shot.path).size
    camera = {} if shot.camid is None else {"camid": shot.camid}
    return {
        "id": number,
        "file_name": to_text(shot.path),
        "width": width,
        "height": height,
    } | camera


def _dump(content: object, path: Path) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _labels(document: _Document, name: str) -> Labels:
    labels: list[Label] = []
    problems: list[Problem] = []
    for known in document.identities:
        place = f"{name}, {known.name}"
        if known.name.strip():
            labels += [Label(place, path, known.name.strip(), known.role) for path in known.images]
        else:
            problems.append(Problem(place, "an identity needs a name"))
    labels += [Label(f"{name}, junk", path, "", "junk") for path in document.junk]
    labels += [Label(f"{name}, unsure", path, "", "unsure") for path in document.unsure]
    return Labels(tuple(labels), tuple(problems))


def _coco_labels(coco: _Coco, name: str) -> Labels:
    paths = {image.id: image.file_name for image in coco.images}
    labels: list[Label] = []
    problems: list[Problem] = []
    for number, box in enumerate(coco.annotations, start=1):
        place = f"{name}, annotation {number}"
        identity = (box.identity or ("" if box.track_id is None else str(box.track_id))).strip()
        if box.image_id not in paths:
            problems.append(Problem(place, f"there is no image {box.image_id} in this file"))
        elif not identity:
            problems.append(Problem(place, "has neither a track_id nor an identity"))
        else:
            labels.append(Label(place, paths[box.image_id], identity, box.role))
    bad = [image.file_name for image in coco.images if image.junk]
    labels += [Label(f"{name}, images", path, "", "junk") for path in bad]
    return Labels(tuple(labels), tuple(problems))
