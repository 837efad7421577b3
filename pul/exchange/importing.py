"""Import of labels made elsewhere: into acts, beside all that people said already."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pul.data.readers.matching import find_all
from pul.errors import DatasetError
from pul.exchange.documents import read_json
from pul.exchange.folders import read_folders
from pul.exchange.labels import Labels
from pul.exchange.planning import ImportReport, plan_import
from pul.exchange.tables import read_csv
from pul.labelling.annotations import Act, Annotations
from pul.labelling.log import append_act, read_annotations
from pul.store.workspace import Workspace

_TABLES = (".csv", ".tsv", ".txt")


def import_annotations(
    workspace: Workspace,
    source: Path,
    *,
    author: str,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Add the labels of a file or folder to a workspace; what is known already stays as it is.

    A group of images joins the identity that has some of them; else the identity of that name;
    else it is a new one. What contradicts the workspace, or names no image of it, is reported and
    left out. Importing the same again adds nothing.

    Args:
        workspace: Where to store the acts.
        source: A CSV or JSON file, or a folder.
        author: Who the acts are signed by.
        dry_run: Only say what would be done.
        on_progress: Called with (acts stored, acts in all).

    Raises:
        DatasetError: The file is missing or of no kind that is read.
        StoreError: The database refuses; the acts before are stored, and importing again goes on.
    """
    labels, state = read_labels(source), read_annotations(workspace)
    images = workspace.images()
    folder = (source if source.is_dir() else source.parent).absolute()
    rows = find_all([label.path for label in labels.labels], images.paths, folder)
    found = [[int(images.image_ids[row]) for row in each] for each in rows]
    acts, report = plan_import(labels, found, state)
    if not dry_run:
        tokens = _tokens(acts, author, state)
        for done, (act, token) in enumerate(zip(acts, tokens, strict=True), start=1):
            state = append_act(workspace, act, state, author=author, token=token)
            if on_progress is not None:
                on_progress(done, len(acts))
    return report


def read_labels(source: Path) -> Labels:
    """Read labels from a CSV or JSON file, or from a folder.

    Raises:
        DatasetError: The file is missing or of no kind that is read.
    """
    if source.is_dir():
        return read_folders(source)
    if not source.is_file():
        raise DatasetError(f"There is no file or folder {str(source)!r}.")
    if source.suffix.lower() == ".json":
        return read_json(source)
    if source.suffix.lower() in _TABLES:
        return read_csv(source)
    raise DatasetError(
        f"{str(source)!r} is not read: labels are a .csv or .json file, or a folder of folders."
    )


def _tokens(acts: Sequence[Act], author: str, state: Annotations) -> list[str]:
    """Name each act by what it says, and by how often it was said before.

    Two imports of one file at the same time store it once; one that was taken back may come again.
    """
    before = Counter(_digest(event.kind, event.payload) for event in state.events)
    digests = (_digest(act.kind, act.payload) for act in acts)
    return [f"import-{_digest(author, [text, before[text]])}" for text in digests]


def _digest(kind: str, content: Any) -> str:
    plain = json.dumps([kind, content], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:32]
