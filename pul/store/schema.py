"""The tables of a workspace, as its newest revision has them; `migrations` makes them."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

OLDEST_REVISION = "0004"  # the tables before the first release
HEAD_REVISION = "0010"

metadata = MetaData()

# Where a table has `row_sum`, `sums` says what it is a sum of; NULL before rows had sums.
# SQLite's plain rowids may come back after a delete; with AUTOINCREMENT no number is used twice.
_NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}

images = Table(
    "images",
    metadata,
    Column("image_id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),  # as `Section._portable` writes it
    Column("content_hash", Text, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("pid", Integer),
    Column("camid", Integer),
    Column("split", Text, nullable=False, index=True),
    Column("tracklet", Text),
    Column("frame", BigInteger),
    Column("row_sum", Text),
    Column("side", Text),
    **_NEVER_REUSED,
)

skipped_files = Table(
    "skipped_files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("reason", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("config", JSON, nullable=False),
    Column("model", Text, nullable=False),  # relative where it lies in the workspace
    Column("model_hash", Text, nullable=False),
    Column("last_image_id", Integer, nullable=False),  # images added later are not of this run
    Column("status", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("parent_run_id", Integer),  # no foreign key: a fork outlives the run it came from
    Column("parent_iteration", Integer),
    Column("shelf", Text, nullable=False, server_default=""),  # `archived`, `deleted` or none
    Column("row_sum", Text),
    Column("n_stored", Integer),  # iterations of it, so that rows that are gone are missed
    **_NEVER_REUSED,
)

iterations = Table(
    "iterations",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.run_id"), primary_key=True),
    Column("iteration", Integer, primary_key=True, autoincrement=False),
    Column("record", JSON, nullable=False),  # the IterationRecord without its metrics
    Column("folder", Text, nullable=False, server_default=""),  # within the run's; "": by number
    Column("files", JSON(none_as_null=True)),  # the FileSum of each by name; NULL: before sums
)

metrics = Table(
    "metrics",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("iteration", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),  # `test`: the query and gallery of the dataset
    Column("rank_1", Float),
    Column("rank_5", Float),
    Column("rank_10", Float),
    Column("rank_20", Float),
    Column("mean_ap", Float),
    Column("n_queries", Integer, nullable=False),
    Column("n_unmatched", Integer, nullable=False),
    Column("ap_method", Text, nullable=False),
    Column("unmatched", Text, nullable=False),
    ForeignKeyConstraint(["run_id", "iteration"], ["iterations.run_id", "iterations.iteration"]),
)

controls = Table(
    "controls",
    metadata,
    Column("control_id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.run_id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("applied_at_iteration", Integer),
    Column("row_sum", Text),
    **_NEVER_REUSED,
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("run_id", Integer, ForeignKey("runs.run_id"), index=True),
    Column("params", JSON, nullable=False),
    Column("status", Text, nullable=False, index=True),
    Column("progress", JSON),
    Column("command", Text),  # asked of the worker and not acknowledged yet
    Column("error", Text, nullable=False),
    Column("traceback", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("heartbeat_at", Text, nullable=False),
    Column("finished_at", Text, nullable=False),
    **_NEVER_REUSED,
)

_IS_ACTIVE = text("status IN ('queued', 'running', 'paused')")
Index(
    "one_active_job_per_run",
    jobs.c.run_id,
    unique=True,
    sqlite_where=_IS_ACTIVE,
    postgresql_where=_IS_ACTIVE,
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("row_sum", Text),
)

annotation_events = Table(
    "annotation_events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("created_at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("token", Text, unique=True),  # names one act of one screen, so that none is stored twice
    Column("row_sum", Text),
    **_NEVER_REUSED,
)
