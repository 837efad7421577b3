"""Labels as Label Studio's JSON: tasks with an image each, and what annotators said of it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pul.data.readers import words
from pul.data.readers.columns import as_text, pick, plain
from pul.data.readers.listing import suffix_reason
from pul.exchange.addresses import file_behind
from pul.exchange.documents import dump_json
from pul.exchange.labels import Label, LabelRole, Labels, Problem, as_role, one_person_each
from pul.exchange.snapshot import Shot, Snapshot

_LOCAL = "/data/local-files/?d="
_IDENTITY, _ROLE, _IMAGE = "identity", "role", "image"
_TEXTS = ("choices", "text", "taxonomy", "number", "labels", "rating")
_SHAPE_LABELS = re.compile(r"(rectangle|polygon|ellipse|brush|keypoint|hyper\w*|video)?labels")


def write_label_studio(snapshot: Snapshot, path: Path) -> None:
    """Write Label Studio's JSON: who an image shows as the text `identity`, its role as a choice.

    Images are local files, named from the folder that all images of the workspace have in common:
    it is to be Label Studio's document root. docs/data.md has the labelling interface.
    """
    tasks: list[dict[str, Any]] = []
    for person in snapshot.people:
        for shot in person.shots:
            tasks.append(_task(snapshot, shot, len(tasks) + 1, person.role, person.name))
    for role, shots in (("junk", snapshot.junk), ("unsure", snapshot.unsure)):
        for shot in shots:
            tasks.append(_task(snapshot, shot, len(tasks) + 1, role))
    dump_json(tasks, path)


def is_label_studio(content: object) -> bool:
    """Whether parsed JSON is a list of Label Studio's tasks, in full or in its short form."""
    if not isinstance(content, list) or not content:
        return False
    first = content[0]
    if not isinstance(first, dict):
        return False
    is_short = "annotator" in first or "lead_time" in first
    return isinstance(first.get("data"), dict) or is_short


def read_label_studio(content: list[Any], path: Path) -> Labels:
    """Read labels from Label Studio's JSON: choices, taxonomies, labels of boxes, texts, numbers.

    Of several results of a task, those count whose tag (`from_name`) is called identity, person or
    the like; where none is, all that name something but a class of things. Annotations that were
    skipped or cancelled say nothing, and predictions are no labels.

    Args:
        content: The parsed JSON.
        path: The file, for messages.
    """
    labels: list[Label] = []
    nobody: list[Problem] = []
    problems: list[Problem] = []
    for number, task in enumerate(content, start=1):
        place = f"{path.name}, task {number}"
        if not isinstance(task, dict):
            problems.append(Problem(place, "is no task"))
            continue
        data = task["data"] if isinstance(task.get("data"), dict) else task
        image = _image_in(data)
        said = list(_said(task, place)) if image else []
        if not image:
            problems.append(Problem(place, "has no image in its data"))
        elif not said:
            nobody.append(Problem(place, "names nobody"))
        labels += [Label(where, image, identity, role) for where, identity, role in said]
    kept, several = one_person_each(labels)
    return Labels(tuple(kept), (*problems, *several), tuple(nobody), format="Label Studio")


def _task(
    snapshot: Snapshot, shot: Shot, number: int, role: str, identity: str = ""
) -> dict[str, Any]:
    results = [_result(f"r{number}", _ROLE, "choices", {"choices": [role]})]
    if identity:
        results.append(_result(f"i{number}", _IDENTITY, "textarea", {"text": [identity]}))
    address = _LOCAL + quote(snapshot.name_of(shot), errors="surrogateescape")
    return {"id": number, "data": {_IMAGE: address}, "annotations": [{"result": results}]}


def _result(id: str, name: str, type: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "from_name": name, "to_name": _IMAGE, "type": type, "value": value}


def _image_in(data: Mapping[str, Any]) -> str:
    """Return the name of the file behind the address of a task's image."""
    texts = {name: value for name, value in data.items() if isinstance(value, str) and value}
    name = pick(texts, "path") or next(
        (key for key, text in texts.items() if suffix_reason(file_behind(text)) is None), None
    )
    return "" if name is None else file_behind(texts[name])


def _said(task: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, LabelRole | None]]:
    """Yield where somebody is named, who, and the role that is said; junk has no name."""
    if "annotations" not in task and "completions" not in task:
        field = pick(task, "pid")
        identity = as_text(task[field]) if field is not None else _short(task)
        role = as_role(as_text(task.get(_ROLE)))
        if role in ("junk", "unsure"):
            yield place, "", role
        elif identity:
            yield place, identity, role
        return
    annotations = task.get("annotations") or task.get("completions") or []
    for number, annotation in enumerate(_dicts(annotations), start=1):
        if annotation.get("was_cancelled"):
            continue
        results = [(str(r.get("from_name", "")), r) for r in _dicts(annotation.get("result"))]
        where = place if len(annotations) == 1 else f"{place}, annotation {number}"
        role = next((as_role(t) for n, r in results if plain(n) == _ROLE for t in _texts(r)), None)
        if role in ("junk", "unsure"):
            yield where, "", role
            continue
        named = [r for name, r in results if pick([name], "pid") or plain(name) in ("id", "name")]
        rest = [r for name, r in results if plain(name) != _ROLE]
        texts = [text for result in named or rest for text in _texts(result)]
        if not named:
            texts = [text for text in texts if not words.is_class(text)]
        yield from ((where, text, role) for text in dict.fromkeys(texts))


def _short(task: Mapping[str, Any]) -> str:
    """Return what Label Studio's short form says: `choice`, `label`, or a text."""
    found = (
        text for name in ("choice", "taxonomy", "label", "text") for text in _flat(task.get(name))
    )
    return next((text for text in found if not words.is_class(text)), "")


def _texts(result: Mapping[str, Any]) -> list[str]:
    return _flat(result.get("value"))


def _flat(value: object) -> list[str]:
    """Return the texts and numbers of a value; of a path in a taxonomy, its innermost."""
    if isinstance(value, dict):
        names = [name for name in value if name in _TEXTS or _SHAPE_LABELS.fullmatch(name)]
        return [text for name in names for text in _flat(value[name])]
    if isinstance(value, list):
        paths = [each[-1:] if isinstance(each, list) else [each] for each in value]
        return [text for path in paths for each in path for text in _flat(each)]
    text = as_text(value)
    return [text] if text else []


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
