"""Background jobs: what they do and where they stand."""

from dataclasses import dataclass, field
from typing import Any, Literal

JobStatus = Literal["queued", "running", "paused", "stopped", "finished", "failed"]
JobKind = Literal["import", "run", "preview", "suggest", "export"]
Command = Literal["pause", "resume", "stop"]


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a running job is.

    Attributes:
        step: What it does: decode, evaluate, extract, cluster, select, project, finetune, suggest,
            import.
        done: Units of the step that are done.
        total: Units of the step.
        iteration: Iteration of the run, if it is in one.
        n_iterations: Iterations planned.
        epoch: Epoch of the fine-tuning, from 1; 0 outside it.
        n_epochs: Epochs planned.
        loss: Running mean loss of the epoch.
        message: One more line for people.
    """

    step: str
    done: int = 0
    total: int = 0
    iteration: int = 0
    n_iterations: int = 0
    epoch: int = 0
    n_epochs: int = 0
    loss: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One background job as the store knows it.

    Attributes:
        job_id: Number of the job, from 1.
        kind: What it does.
        run_id: The run it works on, if any.
        params: Its other parameters, plain values.
        status: Whether it waits, runs, is paused or has ended. A job whose heartbeat stopped reads
            as `failed`.
        progress: How far its work is; None before it began.
        error: Why it failed, for people; "" otherwise.
        traceback: The trace behind the error; "" otherwise.
        worker: `host:process id:start` of its worker; "" before it has one.
        created_at, started_at, heartbeat_at, finished_at: UTC, ISO 8601; "" where not yet.
    """

    job_id: int
    kind: JobKind
    run_id: int | None
    params: dict[str, Any] = field(default_factory=dict)
    status: JobStatus = "queued"
    progress: JobProgress | None = None
    error: str = ""
    traceback: str = ""
    worker: str = ""
    created_at: str = ""
    started_at: str = ""
    heartbeat_at: str = ""
    finished_at: str = ""
