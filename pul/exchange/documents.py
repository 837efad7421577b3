"""Labels as JSON of our own, with where they come from."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from pul.data.file_names import to_text
from pul.errors import DatasetError
from pul.exchange.labels import Label, Labels, Problem
from pul.exchange.snapshot import Shot, Snapshot
from pul.labelling.annotations import Role

FORMAT = "pul-identities"


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


def write_json(snapshot: Snapshot, path: Path) -> None:
    """Write identities, junk and unsure images by their paths, and who made them and when."""
    content = {
        "format": FORMAT,
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
    dump_json(content, path)


def dump_json(content: object, path: Path) -> None:
    """Write JSON for people to read, too."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def is_document(content: object) -> bool:
    """Whether parsed JSON is ours."""
    return isinstance(content, dict) and content.get("format") == FORMAT


def read_document(content: object, path: Path) -> Labels:
    """Read labels from JSON of ours.

    Args:
        content: The parsed JSON.
        path: The file, for messages.

    Raises:
        DatasetError: It is of another version, or damaged.
    """
    try:
        document = _Document.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DatasetError(
            f"{str(path)!r} is no JSON export of PUL Studio, version 1: {where}: {first['msg']}."
        ) from error
    name = path.name
    labels: list[Label] = []
    problems: list[Problem] = []
    for known in document.identities:
        place = f"{name}, {known.name}"
        if known.name.strip():
            labels += [Label(place, x, known.name.strip(), known.role) for x in known.images]
        else:
            problems.append(Problem(place, "an identity needs a name"))
    labels += [Label(f"{name}, junk", x, "", "junk") for x in document.junk]
    labels += [Label(f"{name}, unsure", x, "", "unsure") for x in document.unsure]
    return Labels(tuple(labels), tuple(problems), format="JSON of PUL Studio")


def _paths(shots: Sequence[Shot]) -> list[str]:
    return [to_text(shot.path) for shot in shots]
