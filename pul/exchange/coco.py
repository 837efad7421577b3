"""Labels as COCO: boxes with the number of a track or the name of an identity."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pul.data.decoding import decode
from pul.data.readers import words
from pul.data.readers.columns import identity_in
from pul.data.tracks.coco import validate_coco
from pul.exchange.documents import dump_json
from pul.exchange.labels import Label, Labels, Problem, as_role, one_person_each
from pul.exchange.snapshot import Person, Shot, Snapshot

_PERSON = 1  # COCO's category of people


class _Image(BaseModel):
    id: int | str
    file_name: str
    junk: bool = False


class _Annotation(BaseModel, extra="allow"):
    image_id: int | str
    category_id: int | str | None = None
    attributes: dict[str, Any] = {}


class _Category(BaseModel):
    id: int | str
    name: str = ""


class _Coco(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category] = []


def write_coco(snapshot: Snapshot, path: Path) -> None:
    """Write COCO: a box around each whole image, with the identity's number as its `track_id`.

    Names of files count from the folder that all images of the workspace have in common. Number,
    name and role stand in the annotation and, for CVAT and others, in its `attributes`. Junk is an
    image without a box, marked `junk`; unsure images are left out.

    Raises:
        ImageError: An image cannot be decoded, so that its size is not known.
    """
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for person in snapshot.people:
        for shot in person.shots:
            images.append(_image(snapshot, shot, len(images) + 1))
            boxes.append(_box(images[-1], person, len(boxes) + 1))
    for shot in snapshot.junk:
        images.append(_image(snapshot, shot, len(images) + 1) | {"junk": True})
    content = {
        "info": {"description": f"Identities of {snapshot.workspace}", "version": "1"},
        "licenses": [],
        "categories": [{"id": _PERSON, "name": "person", "supercategory": "person"}],
        "images": images,
        "annotations": boxes,
    }
    dump_json(content, path)


def is_coco(content: object) -> bool:
    """Whether parsed JSON is of COCO's form."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(content: object, path: Path) -> Labels:
    """Read labels from COCO: the identity or track of each annotation, there or in `attributes`.

    Where no annotation has one, and the categories are no classes of things, they are the people.

    Args:
        content: The parsed JSON.
        path: The file, for messages.

    Raises:
        DatasetError: It is not of COCO's form.
    """
    coco = validate_coco(_Coco, content, path)
    names = {image.id: image.file_name for image in coco.images}
    said = [identity_in(_fields(annotation)) for annotation in coco.annotations]
    notes = []
    categories = _people(coco)
    if not any(said) and categories:
        said = [categories.get(annotation.category_id or 0, "") for annotation in coco.annotations]
        notes.append("No annotation has an identity or a track: the categories are the people.")
    labels: list[Label] = []
    problems: list[Problem] = []
    pairs = zip(coco.annotations, said, strict=True)
    for number, (annotation, identity) in enumerate(pairs, start=1):
        place = f"{path.name}, annotation {number}"
        if annotation.image_id not in names:
            problems.append(Problem(place, f"there is no image {annotation.image_id} in this file"))
        else:
            role = as_role(str(_fields(annotation).get("role", "")))
            labels.append(Label(place, names[annotation.image_id], identity, role))
    labels, several = one_person_each(labels)
    labels += [
        Label(f"{path.name}, images", x.file_name, "", "junk") for x in coco.images if x.junk
    ]
    return Labels(tuple(labels), (*problems, *several), notes=tuple(notes), format="COCO")


def _image(snapshot: Snapshot, shot: Shot, number: int) -> dict[str, Any]:
    width, height = decode(shot.path).size
    camera = {} if shot.camid is None else {"camid": shot.camid}
    name = snapshot.name_of(shot)
    return {"id": number, "file_name": name, "width": width, "height": height} | camera


def _box(image: dict[str, Any], person: Person, number: int) -> dict[str, Any]:
    width, height = image["width"], image["height"]
    said = {"track_id": person.number, "identity": person.name, "role": person.role}
    return {
        "id": number,
        "image_id": image["id"],
        "category_id": _PERSON,
        "bbox": [0, 0, width, height],
        "area": width * height,
        "segmentation": [],
        "iscrowd": 0,
        **said,
        "attributes": said,
    }


def _fields(annotation: _Annotation) -> dict[str, Any]:
    """Return what an annotation says, but for its own number."""
    extra = {name: value for name, value in (annotation.model_extra or {}).items() if name != "id"}
    return {**annotation.attributes, **extra}


def _people(coco: _Coco) -> dict[int | str, str]:
    """Return the categories if they may be people: several, and no classes of things."""
    names = {category.id: category.name for category in coco.categories if category.name}
    is_class = any(words.is_class(name) for name in names.values())
    return names if len(names) > 1 and not is_class else {}
