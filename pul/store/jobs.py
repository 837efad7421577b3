"""Background jobs: who works on what, how far they are, and what is asked of them."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pul.errors import JobError, StoreError
from pul.records import Command, JobKind, JobProgress, JobRecord, JobStatus
from pul.store.encoding import from_plain, to_plain
from pul.store.schema import jobs, runs
from pul.store.section import Section

ACTIVE: tuple[JobStatus, ...] = ("queued", "running", "paused")
WORKING: tuple[JobStatus, ...] = ("running", "paused")


class JobSection(Section):
    """The part of a workspace that knows the jobs."""

    def create_job(
        self,
        kind: JobKind,
        *,
        run_id: int | None = None,
        params: dict[str, Any] | Callable[[int], dict[str, Any]] | None = None,
        alone: Mapping[str, Any] | None = None,
    ) -> JobRecord:
        """Queue a job; nothing works on it until a worker claims it.

        Args:
            kind: `import`, `run`, `preview`, `suggest` or `export`.
            run_id: The run to work on; one job at a time works on a run.
            params: Other parameters, values that JSON knows; or what gives them for the job's
                number, which no other job has.
            alone: Parameters with which only one job of this kind may be active.

        Raises:
            JobError: Another job works on the run, it is deleted or finished, or another job is
                active that must be alone.
            StoreError: There is no such run.
        """
        with self._database.write() as connection:
            if run_id is not None:
                _check_free(connection, run_id)
            if alone is not None:
                _check_alone(connection, kind, alone)
            blank = dict.fromkeys(
                ("error", "traceback", "worker", "started_at", "heartbeat_at", "finished_at"), ""
            )
            row = insert(jobs).values(
                kind=kind,
                run_id=run_id,
                params={} if callable(params) else params or {},
                status="queued",
                created_at=self._database.now(connection),
                **blank,
            )
            job_id = connection.execute(row.returning(jobs.c.job_id)).scalar_one()
            if callable(params):
                change = update(jobs).where(jobs.c.job_id == job_id)
                connection.execute(change.values(params=params(job_id)))
            return _read_job(connection, job_id)

    def job(self, job_id: int) -> JobRecord:
        """Return one job.

        Raises:
            StoreError: There is no such job.
        """
        with self._database.read() as connection:
            return _read_job(connection, job_id)

    def jobs(self, run_id: int | None = None, status: JobStatus | None = None) -> list[JobRecord]:
        """Return the jobs, of one run or in one status or all, in the order they were made."""
        query = select(jobs).order_by(jobs.c.job_id)
        if run_id is not None:
            query = query.where(jobs.c.run_id == run_id)
        if status is not None:
            query = query.where(jobs.c.status == status)
        with self._database.read() as connection:
            return [_to_job(row) for row in connection.execute(query)]

    def active_jobs(self) -> list[JobRecord]:
        """Return the jobs that someone works on or is about to, in the order they were made."""
        query = select(jobs).where(jobs.c.status.in_(ACTIVE)).order_by(jobs.c.job_id)
        with self._database.read() as connection:
            return [_to_job(row) for row in connection.execute(query)]

    def active_job(self, run_id: int) -> JobRecord | None:
        """Return the job that works on a run or is about to, if any."""
        query = select(jobs).where(jobs.c.run_id == run_id, jobs.c.status.in_(ACTIVE))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _to_job(row)

    def seconds_since_heartbeat(self, job_id: int) -> float:
        """Return how long ago a job's worker last gave a sign, by the clock of the database.

        Raises:
            StoreError: There is no such job.
        """
        with self._database.read() as connection:
            job = _read_job(connection, job_id)
            return self._database.seconds_since(connection, job.heartbeat_at or job.created_at)

    def assign_job(self, job_id: int, worker: str) -> None:
        """Note which worker was started for a queued job, so that its early death is noticed."""
        unassigned = (jobs.c.job_id == job_id) & (jobs.c.status == "queued") & (jobs.c.worker == "")
        with self._database.write() as connection:
            now = self._database.now(connection)
            connection.execute(
                update(jobs).where(unassigned).values(worker=worker, heartbeat_at=now)
            )

    def claim_job(self, job_id: int, worker: str) -> JobRecord:
        """Take a queued job; of two workers that try, one gets it.

        Raises:
            JobError: The job is not queued, or it was started for another worker.
            StoreError: There is no such job.
        """
        with self._database.write() as connection:
            job = _read_job(connection, job_id)
            if job.status != "queued":
                raise JobError(f"Job {job_id} is {job.status}; only a queued job can be worked on.")
            if job.worker not in ("", worker):
                raise JobError(f"Job {job_id} was started for another worker, {job.worker}.")
            now = self._database.now(connection)
            values = {"worker": worker, "started_at": now, "heartbeat_at": now}
            _set_status(connection, job, "running", **values)
            return _read_job(connection, job_id)

    def heartbeat(
        self, job_id: int, progress: JobProgress | None = None, *, worker: str = ""
    ) -> None:
        """Say that the worker lives, and how far it is.

        Args:
            job_id: The job.
            progress: How far it is; None leaves what was said before.
            worker: Who says so; checked where it is given.

        Raises:
            JobError: The job is no longer at work, or no longer this worker's.
        """
        values: dict[str, Any] = {} if progress is None else {"progress": to_plain(progress)}
        with self._database.write() as connection:
            check_worker(connection, job_id, worker)
            values["heartbeat_at"] = self._database.now(connection)
            connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))

    def request(self, job_id: int, command: Command) -> None:
        """Ask a job's worker to pause, resume or stop; a job that nobody has begun stops at once.

        Raises:
            JobError: The job has ended.
            StoreError: There is no such job.
        """
        with self._database.write() as connection:
            job = _read_job(connection, job_id)
            if job.status not in ACTIVE:
                raise JobError(f"Job {job_id} cannot {command}: it has ended ({job.status}).")
            if command == "stop" and job.status == "queued":
                _set_status(connection, job, "stopped", finished_at=self._database.now(connection))
            else:
                connection.execute(
                    update(jobs).where(jobs.c.job_id == job_id).values(command=command)
                )

    def requested(self, job_id: int) -> Command | None:
        """Return what was asked of a job and not acknowledged yet."""
        query = select(jobs.c.command).where(jobs.c.job_id == job_id)
        with self._database.read() as connection:
            command: Command | None = connection.execute(query).scalar()
        return command

    def acknowledge(self, job_id: int, command: Command) -> None:
        """Note that the worker has paused or resumed, unless something else was asked meanwhile.

        Raises:
            JobError: The job is no longer at work.
        """
        status: JobStatus = "paused" if command == "pause" else "running"
        asked = (jobs.c.job_id == job_id) & (jobs.c.command == command)
        with self._database.write() as connection:
            check_worker(connection, job_id)
            _set_status(connection, _read_job(connection, job_id), status)
            connection.execute(update(jobs).where(asked).values(command=None))

    def finish_job(
        self, job_id: int, status: JobStatus, error: str = "", traceback: str = ""
    ) -> JobRecord:
        """End a job, and say so of its run.

        Args:
            job_id: The job.
            status: `finished`, `stopped` or `failed`.
            error: Why it failed, for people.
            traceback: The trace behind it.

        Raises:
            JobError: It has ended already.
        """
        with self._database.write() as connection:
            job = _read_job(connection, job_id)
            if job.status not in ACTIVE:
                raise JobError(f"Job {job_id} has ended already ({job.status}).")
            now = self._database.now(connection)
            texts = {"error": _storable(error), "traceback": _storable(traceback)}
            _set_status(connection, job, status, **texts, finished_at=now)
            return _read_job(connection, job_id)

    def fail_lost_job(self, job: JobRecord, error: str) -> JobRecord | None:
        """Mark a job as failed whose worker is gone, unless it gave a sign since the job was read.

        Args:
            job: The job, as it was when its worker was found to be gone.
            error: What happened, for people.

        Returns:
            The job as it is now; None where it has ended, or its worker lives.
        """
        with self._database.write() as connection:
            now = _read_job(connection, job.job_id)
            is_same = (now.worker, now.heartbeat_at) == (job.worker, job.heartbeat_at)
            if now.status not in ACTIVE or not is_same:
                return None
            texts = {"error": _storable(error), "finished_at": self._database.now(connection)}
            _set_status(connection, now, "failed", **texts)
            return _read_job(connection, job.job_id)


def check_worker(connection: Connection, job_id: int, worker: str = "") -> None:
    """Make sure within a transaction that a job is at work, and by that worker if one is named.

    Raises:
        JobError: It is not.
    """
    query = select(jobs.c.status, jobs.c.worker).where(jobs.c.job_id == job_id)
    row = connection.execute(query).first()
    if row is None or row.status not in WORKING or worker not in ("", row.worker):
        state = "is gone" if row is None else f"is {row.status}, its worker {row.worker or 'none'}"
        raise JobError(f"Job {job_id} is no longer this worker's: it {state}.")


def _read_job(connection: Connection, job_id: int) -> JobRecord:
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).first()
    if row is None:
        raise StoreError(f"There is no job {job_id} in this workspace.")
    return _to_job(row)


def _to_job(row: Row[Any]) -> JobRecord:
    values = dict(row._mapping)
    del values["command"]
    if values["progress"] is not None:
        values["progress"] = from_plain(JobProgress, values["progress"])
    return JobRecord(**values)


def _set_status(connection: Connection, job: JobRecord, status: JobStatus, **values: str) -> None:
    changed = update(jobs).where(jobs.c.job_id == job.job_id).values(status=status, **values)
    connection.execute(changed)
    if job.run_id is not None:
        connection.execute(update(runs).where(runs.c.run_id == job.run_id).values(status=status))


def _storable(text: str) -> str:
    """Return text that any database takes: it may name files whose names are not UTF-8."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def _check_free(connection: Connection, run_id: int) -> None:
    run = connection.execute(select(runs.c.shelf, runs.c.status).where(runs.c.run_id == run_id))
    found = run.first()
    if found is None:
        raise StoreError(f"There is no run {run_id} in this workspace.")
    if found.shelf == "deleted":
        raise JobError(f"Run {run_id} is deleted; bring it back first.")
    if found.status == "finished":
        raise JobError(f"Run {run_id} is finished; fork it to train further.")
    busy = select(jobs.c.job_id, jobs.c.status).where(
        jobs.c.run_id == run_id, jobs.c.status.in_(ACTIVE)
    )
    row = connection.execute(busy).first()
    if row is not None:
        raise JobError(
            f"Job {row.job_id} already works on run {run_id} ({row.status}); stop it first."
        )


def _check_alone(connection: Connection, kind: JobKind, alone: Mapping[str, Any]) -> None:
    active = select(jobs.c.job_id, jobs.c.params).where(
        jobs.c.kind == kind, jobs.c.status.in_(ACTIVE)
    )
    for row in connection.execute(active.order_by(jobs.c.job_id)):
        if all(row.params.get(name) == value for name, value in alone.items()):
            raise JobError(f"Job {row.job_id} is making a {kind} already; wait until it has ended.")
