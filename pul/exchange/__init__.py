"""Labels out of a workspace and into it: tables, documents, folders."""

from pul.exchange.exporting import LABEL_FORMATS, MODEL_FORMATS, ExportReport, export_identities
from pul.exchange.importing import import_annotations
from pul.exchange.labels import Label, LabelRole, Problem
from pul.exchange.planning import ImportReport
from pul.exchange.snapshot import Contribution, Person, Shot, Snapshot, take_snapshot

__all__ = [
    "LABEL_FORMATS",
    "MODEL_FORMATS",
    "Contribution",
    "ExportReport",
    "ImportReport",
    "Label",
    "LabelRole",
    "Person",
    "Problem",
    "Shot",
    "Snapshot",
    "export_identities",
    "import_annotations",
    "take_snapshot",
]
