"""Export of the identities of a workspace in the formats that others read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pul.errors import ConfigError
from pul.exchange.documents import write_coco, write_json
from pul.exchange.folders import write_folders, write_market
from pul.exchange.snapshot import Snapshot, take_snapshot
from pul.exchange.tables import write_csv
from pul.store.atomic_files import new_file, new_folder
from pul.store.workspace import Workspace

Writer = Callable[[Snapshot, Path], None]

_FILES: dict[str, Writer] = {"csv": write_csv, "json": write_json, "coco": write_coco}
_FOLDERS: dict[str, Writer] = {"market1501": write_market, "folders": write_folders}
EXPORT_FORMATS: tuple[str, ...] = ("csv", "json", "market1501", "folders", "coco")
MODEL_FORMATS = ("safetensors", "torchscript", "onnx")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        path: The file or folder.
        format: One of `EXPORT_FORMATS`.
        n_identities: Identities.
        n_images: Images of these identities.
        n_junk: Images that people marked as junk.
        n_unsure: Images that people set aside; only csv and json hold them.
        events_hash: Names the log of acts that this is the outcome of.
    """

    path: Path
    format: str
    n_identities: int
    n_images: int
    n_junk: int
    n_unsure: int
    events_hash: str


def export_identities(workspace: Workspace, path: Path, *, format: str) -> ExportReport:
    """Write the identities of a workspace as they are now; whole, or nothing at all.

    Args:
        workspace: Where the identities are.
        path: A file for csv, json and coco, a folder for the others; not there yet, or empty.
        format: One of `EXPORT_FORMATS`.

    Raises:
        ConfigError: There is no such format, or something is at the path already.
        DataError: Nothing is labelled yet, or an image is gone.
        StoreError: The path cannot be written.
    """
    if format not in EXPORT_FORMATS:
        raise ConfigError(
            f"There is no export format {format!r}; choose one of {', '.join(EXPORT_FORMATS)}."
        )
    snapshot = take_snapshot(workspace)
    if format in _FILES:
        with new_file(path) as aside:
            _FILES[format](snapshot, aside)
    else:
        with new_folder(path) as aside:
            _FOLDERS[format](snapshot, aside)
    return ExportReport(
        path=path,
        format=format,
        n_identities=len(snapshot.people),
        n_images=sum(len(person.shots) for person in snapshot.people),
        n_junk=len(snapshot.junk),
        n_unsure=len(snapshot.unsure),
        events_hash=snapshot.events_hash,
    )
