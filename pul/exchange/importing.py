"""Import of labels made elsewhere: into acts, beside all that people said already."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pul.data.readers.matching import find_all
from pul.exchange.labels import Labels, settle_labels
from pul.exchange.planning import ImportReport, plan_import
from pul.exchange.reading import read_labels
from pul.exchange.spots import find_spots
from pul.labelling.annotations import Act, Annotations
from pul.labelling.log import append_decided, read_annotations
from pul.records import ImageTable
from pul.store.annotations import NewEvent
from pul.store.workspace import Workspace


def import_annotations(
    workspace: Workspace,
    source: Path,
    *,
    author: str,
    dry_run: bool = False,
) -> ImportReport:
    """Add the labels of a file or folder to a workspace; what is known already stays as it is.

    A group of images joins the identity that has some of them; else the identity of that name;
    else it is a new one. What contradicts the workspace, or names no image of it, is reported and
    left out. Importing the same again adds nothing, and so does importing it twice at once: what
    to store is settled while nobody else stores anything.

    Args:
        workspace: Where to store the acts.
        source: A file or a folder of one of the kinds that `read_labels` reads.
        author: Who the acts are signed by.
        dry_run: Only say what would be done.

    Raises:
        DatasetError: The file is missing or of no kind that is read.
        StoreError: The database refuses; then nothing is stored.
    """
    labels, state = settle_labels(read_labels(source)), read_annotations(workspace)
    found, notes = _find_images(labels, workspace.images(), source)
    labels = replace(labels, notes=(*labels.notes, *notes))
    _, report = plan_import(labels, found, state)
    if dry_run:
        return report

    def decide(state: Annotations) -> list[NewEvent]:
        nonlocal report
        acts, report = plan_import(labels, found, state)
        tokens = _tokens(acts, author, state)
        return [NewEvent(a.kind, a.payload, token) for a, token in zip(acts, tokens, strict=True)]

    append_decided(workspace, decide, state, author=author)
    return report


def _find_images(
    labels: Labels, images: ImageTable, source: Path
) -> tuple[list[int | str], tuple[str, ...]]:
    """Return the image that each label means, or why there is none, and remarks for people."""
    folder = (source if source.is_dir() else source.parent).absolute()
    written = [label.path for label in labels.labels if label.spot is None]
    spots = [label.spot for label in labels.labels if label.spot is not None]
    rows, notes = find_all(written, images.paths, folder)
    spot_rows, spot_notes = find_spots(spots, images.paths, labels.first_frame)
    by_path, by_spot = iter(rows), iter(spot_rows)
    found = [next(by_path if label.spot is None else by_spot) for label in labels.labels]
    return (
        [row if isinstance(row, str) else int(images.image_ids[row]) for row in found],
        (*notes, *spot_notes),
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
