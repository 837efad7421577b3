"""The figures of a run, written to TensorBoard and MLflow beside the store.

The store has all figures; a tracker gets a copy. It writes what it has not got yet, so that a run
that was resumed, or whose server was down for a while, goes on in the same series without gaps or
doubled steps. What fails here never stops a run.
"""

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from pul.config import RunConfig
from pul.config.base import flatten
from pul.errors import ConfigError
from pul.jobs.heartbeat import JobStopped
from pul.records import IterationRecord, RetrievalMetrics, RunRecord
from pul.store.workspace import Workspace

_PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow-skinny"}  # setting → package
_NOT_TRACKED = "not_tracked:"  # and the number of the run
_UNREACHABLE_S = 10  # an MLflow server that is silent for so long is taken for down


class Tracker(Protocol):
    """Something that gets the figures of one run.

    Attributes:
        name: What people call it, and where it is.
    """

    name: str

    def write(self, records: Sequence[IterationRecord]) -> None:
        """Write the figures of all iterations of the run that it does not have yet."""

    def close(self, status: str) -> None:
        """End the series for now: the run is `finished`, `stopped` or `failed`."""


def check_trackers(config: RunConfig) -> None:
    """Check that the packages are there that the trackers of a run need.

    Raises:
        ConfigError: One is missing; the message has the command that installs it.
    """
    for name, package in _PACKAGES.items():
        if getattr(config, name) and importlib.util.find_spec(name) is None:
            raise ConfigError(f"{name} needs a package: `pip install {package}`.")


class Trackers:
    """All trackers of a run. What fails is reported; the next `write` catches up."""

    def __init__(
        self, workspace: Workspace, run: RunRecord, on_failure: Callable[[str], None]
    ) -> None:
        """Take the trackers that the settings of a run name.

        Raises:
            ConfigError: A package is missing.
        """
        config = RunConfig(**run.config)
        check_trackers(config)
        self._workspace, self._run_id, self._on_failure = workspace, run.run_id, on_failure
        self._failures: dict[str, str] = {}
        self._trackers: list[Tracker] = []
        if config.tensorboard:
            name = re.sub(r"[^\w.-]", "_", workspace.name)
            folder = workspace.path / config.tensorboard / name / f"run-{run.run_id}"
            self._trackers.append(_TensorBoard(folder))
        if config.mlflow:
            uri = absolute_uri(config.mlflow, workspace.path)
            self._trackers.append(_MLflow(uri, workspace, run))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        is_stopped = kind is not None and not issubclass(kind, Exception)
        is_stopped |= kind is not None and issubclass(kind, JobStopped)
        status = "finished" if kind is None else "stopped" if is_stopped else "failed"
        self._try_all(lambda tracker: tracker.close(status))

    def write(self) -> None:
        """Write the figures of all iterations in the store that a tracker does not have yet."""
        if not self._trackers:
            return
        records = self._workspace.iterations(self._run_id)
        self._failures = {}
        self._try_all(lambda tracker: tracker.write(records))

    def _try_all(self, act: Callable[[Tracker], None]) -> None:
        for tracker in self._trackers:
            try:
                act(tracker)
            except Exception as error:  # other people's servers and libraries: the run matters more
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                told = f"The figures cannot be written to {tracker.name} now: {reason}"
                self._failures[tracker.name] = told
                self._on_failure(told)
        if " ".join(self._failures.values()) != not_tracked(self._workspace, self._run_id):
            told = " ".join(self._failures.values())
            self._workspace.set_setting(_NOT_TRACKED + str(self._run_id), told)


def not_tracked(workspace: Workspace, run_id: int) -> str:
    """Return why the newest figures of a run are in no tracker; "" where they are, or none is set.

    It is kept in the workspace until the figures could be written.
    """
    return str(workspace.get_setting(_NOT_TRACKED + str(run_id), ""))


def absolute_uri(uri: str, folder: Path) -> str:
    """Return an MLflow address; the file of an SQLite database is relative to a folder."""
    prefix = "sqlite:///"
    if not uri.startswith(prefix):
        return uri
    return prefix + str((folder / uri.removeprefix(prefix)).absolute())


def figures(record: IterationRecord) -> dict[str, float]:
    """Return the figures of an iteration by the names that they have in a tracker.

    Fractions are in [0, 1]; what was not measured is left out.
    """
    found: dict[str, float | None] = {
        "reliable_share": record.reliable_share,
        "n_reliable": record.n_reliable,
        "n_clusters": record.n_clusters,
        "lambda": record.lambda_ or 0.0,
        "inertia": record.inertia,
        "loss": record.loss,
        "n_identities": record.n_identities,
        "seconds": sum(record.seconds.values()),
        **_retrieval("test", record.metrics),
        **_retrieval("validation", record.validation_metrics),
    }
    if record.cluster_quality is not None:
        found |= {
            "purity": record.cluster_quality.purity,
            "reliable_purity": record.cluster_quality.reliable_purity,
            "nmi": record.cluster_quality.nmi,
        }
    return {name: float(value) for name, value in found.items() if value is not None}


def _retrieval(name: str, metrics: RetrievalMetrics | None) -> dict[str, float | None]:
    if metrics is None:
        return {}
    ranks = {f"{name}/rank-{k}": getattr(metrics, f"rank_{k}") for k in (1, 5, 10, 20)}
    return {f"{name}/mAP": metrics.mean_ap} | ranks


class _TensorBoard:
    """Event files. Each start writes all again, and TensorBoard hides what was written before."""

    def __init__(self, folder: Path) -> None:
        self.name = f"TensorBoard in {folder}"
        self._folder = folder
        self._writer: Any = None
        self._n_written = 0

    def write(self, records: Sequence[IterationRecord]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), purge_step=0)
        for record in records[self._n_written :]:
            for name, value in figures(record).items():
                self._writer.add_scalar(name, value, record.iteration)
        self._n_written = len(records)
        self._writer.flush()

    def close(self, status: str) -> None:  # noqa: ARG002
        if self._writer is not None:
            self._writer.close()


class _MLflow:
    """A run of the experiment that is called like the workspace."""

    def __init__(self, uri: str, workspace: Workspace, run: RunRecord) -> None:
        self.name = f"MLflow at {_without_user(uri)}"
        self._uri = uri
        self._experiment, self._run = workspace.name, run
        place = hashlib.sha256(workspace.url.encode()).hexdigest()[:16]
        self._tag = f"{place}-{run.run_id}"  # by which it is found again
        self._client: Any = None
        self._id = ""
        self._written: set[int] = set()

    def write(self, records: Sequence[IterationRecord]) -> None:
        self._connect()
        from mlflow.entities import Metric

        for record in records:
            if record.iteration not in self._written:
                at = _milliseconds(record.finished_at)
                metrics = [Metric(k, v, at, record.iteration) for k, v in figures(record).items()]
                self._client.log_batch(self._id, metrics=metrics)
                self._written.add(record.iteration)

    def close(self, status: str) -> None:
        ends = {"finished": "FINISHED", "stopped": "KILLED"}
        if self._id:
            self._client.set_terminated(self._id, ends.get(status, "FAILED"))

    def _connect(self) -> None:
        if self._id:
            return
        # Before it is loaded: MLflow reports its use to its makers, and waits minutes for a server.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(_UNREACHABLE_S))
        from mlflow import MlflowClient

        self._client = MlflowClient(self._uri)
        experiment = self._client.get_experiment_by_name(self._experiment)
        place = experiment.experiment_id if experiment else None
        place = place or self._client.create_experiment(self._experiment)
        known = self._client.search_runs([place], f"tags.pul_run = '{self._tag}'")
        if known:
            found = known[0].info.run_id
            history = self._client.get_metric_history(found, "seconds")
            self._written = {metric.step for metric in history}
            self._client.update_run(found, status="RUNNING")
        else:
            found = self._create(place)
        self._id = found

    def _create(self, experiment: str) -> str:
        from mlflow.entities import Param

        tags = {"pul_run": self._tag}
        made = self._client.create_run(experiment, tags=tags, run_name=self._run.name)
        settings = flatten({k: v for k, v in self._run.config.items() if k not in _PACKAGES})
        params = [Param(name, str(value)) for name, value in settings.items()]
        self._client.log_batch(made.info.run_id, params=params)
        return str(made.info.run_id)


def _without_user(uri: str) -> str:
    return re.sub(r"(?<=//)[^/@]*@", "", uri)


def _milliseconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)
