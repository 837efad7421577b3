"""Plain records that the loop makes, the store keeps and the screen reads."""

from pul.records.experiments import ExperimentRecord, ExperimentRow
from pul.records.images import ImageTable, Split
from pul.records.jobs import Command, JobKind, JobProgress, JobRecord, JobStatus
from pul.records.previews import ClusterCount, ClusterCounts, Preview
from pul.records.runs import (
    ClusterQuality,
    ControlRecord,
    IterationArrays,
    IterationRankings,
    IterationRecord,
    RetrievalMetrics,
    RunRecord,
    RunStatus,
    Shelf,
    last_measured,
)

__all__ = [
    "ClusterCount",
    "ClusterCounts",
    "ClusterQuality",
    "Command",
    "ControlRecord",
    "ExperimentRecord",
    "ExperimentRow",
    "ImageTable",
    "IterationArrays",
    "IterationRankings",
    "IterationRecord",
    "JobKind",
    "JobProgress",
    "JobRecord",
    "JobStatus",
    "Preview",
    "RetrievalMetrics",
    "RunRecord",
    "RunStatus",
    "Shelf",
    "Split",
    "last_measured",
]
