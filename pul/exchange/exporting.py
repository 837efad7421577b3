"""Export of the identities of a workspace in the formats that others read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pul.errors import ConfigError
from pul.exchange.coco import write_coco
from pul.exchange.cvat import write_cvat
from pul.exchange.documents import write_json
from pul.exchange.folders import write_folders, write_market
from pul.exchange.label_studio import write_label_studio
from pul.exchange.mot import write_mot
from pul.exchange.mot_tracks import write_mot_tracks
from pul.exchange.snapshot import Snapshot, take_snapshot
from pul.exchange.tables import write_csv
from pul.store.atomic_files import new_file, new_folder
from pul.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """A format of labels.

    Attributes:
        title: Its name and what it is for.
        suffix: Of the file; "" where it is a folder.
        write: Writes a file or fills a folder that is there.
        needs_tracks: Whether it is about the tracks of videos, and not about images.
    """

    title: str
    suffix: str
    write: Callable[[Snapshot, Path], None]
    needs_tracks: bool = False


@dataclass(frozen=True, slots=True)
class ModelFormat:
    """A format of models.

    Attributes:
        title: Its name and what it is for.
        suffix: End of the file's name.
        codec: Where its `pul.exchange.models.Codec` is, which loads torch: `module:name`.
    """

    title: str
    suffix: str
    codec: str


# A new format is a writer in a file of its own and a line here.
LABEL_FORMATS: dict[str, LabelFormat] = {
    "csv": LabelFormat("CSV: a row per image", ".csv", write_csv),
    "json": LabelFormat("JSON: with who labelled what, when and on which run", ".json", write_json),
    "market1501": LabelFormat(
        "Market-1501: folders and names its readers expect", "", write_market
    ),
    "folders": LabelFormat("A folder per identity", "", write_folders),
    "coco": LabelFormat("COCO: with track ids", ".json", write_coco),
    "cvat": LabelFormat("CVAT for images 1.1: XML", ".xml", write_cvat),
    "mot": LabelFormat("MOTChallenge: a sequence for each camera", "", write_mot),
    "mot-tracks": LabelFormat(
        "MOTChallenge: merged tracks of each video", "", write_mot_tracks, needs_tracks=True
    ),
    "label-studio": LabelFormat("Label Studio: JSON tasks", ".json", write_label_studio),
}
MODEL_FORMATS: dict[str, ModelFormat] = {
    "safetensors": ModelFormat(
        "safetensors: weights and settings", ".safetensors", "pul.exchange.models:SAFETENSORS"
    ),
    "torchscript": ModelFormat(
        "TorchScript: runs without this project", ".pt", "pul.exchange.models:TORCHSCRIPT"
    ),
    "onnx": ModelFormat("ONNX: runs without torch", ".onnx", "pul.exchange.models:ONNX"),
    "boxmot": ModelFormat(
        "BoxMOT: re-ID model of its trackers, ONNX",
        "-osnet_x0_25.onnx",  # BoxMOT asks a file's name for a network that it knows
        "pul.exchange.trackers:BOXMOT",
    ),
    "boxmot-torchscript": ModelFormat(
        "BoxMOT: re-ID model of its trackers, TorchScript",
        "-osnet_x0_25.torchscript",
        "pul.exchange.trackers:BOXMOT_TORCHSCRIPT",
    ),
    "ultralytics": ModelFormat(
        "Ultralytics: re-ID model of BoT-SORT, ONNX",
        ".onnx",
        "pul.exchange.trackers:ULTRALYTICS",
    ),
}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        path: The file or folder.
        format: One of `LABEL_FORMATS`.
        n_identities: Identities.
        n_images: Images of these identities.
        n_junk: Images that people marked as junk.
        n_unsure: Images that people set aside; only csv, json and label-studio hold them.
        events_hash: Names the log of acts that this is the outcome of.
    """

    path: Path
    format: str
    n_identities: int
    n_images: int
    n_junk: int
    n_unsure: int
    events_hash: str


def export_identities(
    workspace: Workspace,
    path: Path,
    *,
    format: str,
    clusters: tuple[int, int | None] | None = None,
) -> ExportReport:
    """Write the identities of a workspace as they are now; whole, or nothing at all.

    Args:
        workspace: Where the identities are.
        path: A file, or a folder where the format has no suffix; not there yet, or empty.
        format: One of `LABEL_FORMATS`.
        clusters: Run and iteration (None: its last) whose clusters say who images show that nobody
            labelled.

    Raises:
        ConfigError: There is no such format, or something is at the path already.
        DataError: Nothing is labelled yet, or an image is gone.
        StoreError: The path cannot be written.
    """
    if format not in LABEL_FORMATS:
        raise ConfigError(
            f"There is no export format {format!r}; choose one of {', '.join(LABEL_FORMATS)}."
        )
    snapshot = take_snapshot(workspace, clusters=clusters)
    chosen = LABEL_FORMATS[format]
    with (new_file if chosen.suffix else new_folder)(path) as temporary:
        chosen.write(snapshot, temporary)
    return ExportReport(
        path=path,
        format=format,
        n_identities=len(snapshot.people),
        n_images=sum(len(person.shots) for person in snapshot.people),
        n_junk=len(snapshot.junk),
        n_unsure=len(snapshot.unsure),
        events_hash=snapshot.events_hash,
    )
