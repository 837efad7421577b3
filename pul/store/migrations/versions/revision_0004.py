"""All tables, as they were before the first release: the oldest revision that can be opened.

It has the number 0004 because workspaces of that time carry it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = None


def upgrade() -> None:
    _create_images()
    _create_runs()
    _create_iterations()
    _create_controls()
    _create_jobs()
    _create_settings()
    _create_annotation_events()


def _create_images() -> None:
    op.create_table(
        "images",
        sa.Column("image_id", sa.Integer, primary_key=True),
        sa.Column("path", sa.Text, nullable=False, unique=True),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("n_bytes", sa.BigInteger, nullable=False),
        sa.Column("pid", sa.Integer),
        sa.Column("camid", sa.Integer),
        sa.Column("split", sa.Text, nullable=False, index=True),
        sa.Column("tracklet", sa.Text),
        sa.Column("frame", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "skipped_files",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_hash", sa.Text, nullable=False),
        sa.Column("last_image_id", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("parent_run_id", sa.Integer),
        sa.Column("parent_iteration", sa.Integer),
        sa.Column("shelf", sa.Text, nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )


def _create_iterations() -> None:
    op.create_table(
        "iterations",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("iteration", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("record", sa.JSON, nullable=False),
    )
    op.create_table(
        "metrics",
        sa.Column("run_id", sa.Integer, primary_key=True),
        sa.Column("iteration", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, primary_key=True),
        *(sa.Column(f"rank_{k}", sa.Float) for k in (1, 5, 10, 20)),
        sa.Column("mean_ap", sa.Float),
        sa.Column("n_queries", sa.Integer, nullable=False),
        sa.Column("n_unmatched", sa.Integer, nullable=False),
        sa.Column("ap_method", sa.Text, nullable=False),
        sa.Column("unmatched", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "iteration"], ["iterations.run_id", "iterations.iteration"]
        ),
    )


def _create_controls() -> None:
    op.create_table(
        "controls",
        sa.Column("control_id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.run_id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("applied_at_iteration", sa.Integer),
        sqlite_autoincrement=True,
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.run_id"), index=True),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False, index=True),
        sa.Column("progress", sa.JSON),
        sa.Column("command", sa.Text),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("traceback", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        *(
            sa.Column(f"{name}_at", sa.Text, nullable=False)
            for name in ("created", "started", "heartbeat", "finished")
        ),
        sqlite_autoincrement=True,
    )
    is_active = sa.text("status IN ('queued', 'running', 'paused')")
    op.create_index(
        "one_active_job_per_run",
        "jobs",
        ["run_id"],
        unique=True,
        sqlite_where=is_active,
        postgresql_where=is_active,
    )


def _create_settings() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )


def _create_annotation_events() -> None:
    op.create_table(
        "annotation_events",
        sa.Column("event_id", sa.Integer, primary_key=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("token", sa.Text, unique=True),
        sqlite_autoincrement=True,
    )
