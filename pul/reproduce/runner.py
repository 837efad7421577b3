"""Runs the rows of an experiment one after the other, as runs of a workspace."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pul.config import RunConfig
from pul.data.datasets import Dataset
from pul.errors import JobError, PulError
from pul.jobs import create_resumption, create_run
from pul.labelling.guidance import fixed_guidance, hash_identities
from pul.records import ExperimentRecord, ExperimentRow, JobStatus
from pul.reproduce.people import first_people, queue_people
from pul.reproduce.plan import Ids, SourceConfig, without_machine
from pul.reproduce.results import known_runs
from pul.reproduce.systems import (
    HandCraftedConfig,
    OnProgress,
    evaluate_hand_crafted,
    name_model,
    train_start_model,
)
from pul.store.workspace import Workspace

if TYPE_CHECKING:  # torch takes seconds to load, and a plan needs none of it
    from pul.algorithm.events import Event


@dataclass(frozen=True)
class Inputs:
    """Inputs of an experiment, besides the images of its workspace.

    Attributes:
        target: The dataset to adapt to.
        sources: Labelled datasets.
        model: A start model to use; None trains one on the sources.
        source_config: How a start model is trained.
        ids: Who is labelled in the rows with labels.
        hand_crafted: How hand-crafted features are made.
        seed: Seed of source training.
        device: Where to train.
        n_threads: CPU threads; None leaves one core free.
    """

    target: Dataset
    sources: tuple[Dataset, ...]
    model: Path | None
    source_config: SourceConfig
    ids: Ids
    hand_crafted: HandCraftedConfig
    seed: int = 0
    device: str = "auto"
    n_threads: int | None = None


@dataclass(frozen=True)
class Watcher:
    """Callbacks that report progress.

    Attributes:
        on_row: Called with a row and its status before it starts and after it ends.
        on_event: Called with the events of its run.
        on_progress: Called with (step, done, total) of all other work.
    """

    on_row: Callable[[ExperimentRow, str], None]
    on_event: Callable[["Event"], None]
    on_progress: OnProgress


def run_rows(
    workspace: Workspace,
    record: ExperimentRecord,
    rows: Sequence[ExperimentRow],
    inputs: Inputs,
    watcher: Watcher,
) -> JobStatus:
    """Run rows in order; finished rows are skipped, interrupted ones are resumed.

    Rows that need the same run share it, within this experiment and with all others of the
    workspace. The error of a failed row is stored, and the next row starts.

    Args:
        workspace: Where the target's images are, and the experiment.
        record: The experiment.
        rows: Some of its rows.
        inputs: What it runs on.
        watcher: Callbacks that report progress.

    Returns:
        `finished`; `failed` if a row failed; `stopped` if a user stopped a run, which ends all.
    """
    status: JobStatus = "finished"
    for row in rows:
        if row.missing:
            continue
        runner = _RowRunner(workspace, record.experiment_id, row, inputs, watcher)
        watcher.on_row(row, "running")
        ended = runner.run()
        watcher.on_row(runner.row, ended)
        if ended == "stopped":
            return "stopped"
        status = "failed" if ended == "failed" else status
    return status


class _RowRunner:
    """Runs one row and stores its state as it changes."""

    def __init__(
        self,
        workspace: Workspace,
        experiment_id: str,
        row: ExperimentRow,
        inputs: Inputs,
        watcher: Watcher,
    ) -> None:
        self.workspace, self.experiment_id = workspace, experiment_id
        self.row, self.inputs, self.watcher = row, inputs, watcher

    def run(self) -> JobStatus:
        """Run the row and return how it ended."""
        started = time.perf_counter()
        try:
            if self.row.config is None:
                if self.row.metrics is None:
                    metrics = evaluate_hand_crafted(
                        self.row.system,
                        self.inputs.target,
                        self.inputs.sources,
                        self.inputs.hand_crafted,
                        self.watcher.on_progress,
                    )
                    seconds = round(time.perf_counter() - started, 1)
                    self._update_row(metrics=metrics, seconds=seconds, error="")
                return "finished"
            return self._run_pul(RunConfig(**self.row.config))
        except PulError as error:
            self._update_row(error=str(error))
            return "failed"

    def _run_pul(self, config: RunConfig) -> JobStatus:
        model = self._start_model()
        identities: dict[int, int] = {}
        if self.row.n_identities:
            identities = self._choose_people(config, model)
        run_id = self._find_or_create(config, model, identities)
        self._update_row(run_id=run_id, error="")
        status, error = self._work(run_id)
        self._update_row(error=error)
        return status

    def _find_or_create(self, config: RunConfig, model: Path, identities: Mapping[int, int]) -> int:
        """Return the run of these settings, model and labels; create it if there is none."""
        name = f"run of {self._fingerprint(config, model, identities)}"
        run_id = self.workspace.get_setting(name)
        if run_id in known_runs(self.workspace):
            return int(run_id)
        config = config.replace(device=self.inputs.device, n_threads=self.inputs.n_threads)
        title = f"{self.row.label} · {self.experiment_id}"
        created = create_run(
            self.workspace,
            config,
            model,
            title,
            key=name,
            settings=lambda run_id: fixed_guidance(run_id, identities),
        ).run_id
        assert created is not None  # a job on a run has its number
        return created

    def _fingerprint(self, config: RunConfig, model: Path, identities: Mapping[int, int]) -> str:
        content = [
            without_machine(config.model_dump(mode="json")),
            hashlib.sha256(model.read_bytes()).hexdigest(),
            hash_identities(identities),
            int(self.workspace.images().image_ids.max()),
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def _work(self, run_id: int) -> tuple[JobStatus, str]:
        """Run or resume an unfinished run; return how it ended and its error."""
        from pul.jobs.worker import work

        if self.workspace.run(run_id).status == "finished":
            return "finished", ""
        job = create_resumption(self.workspace, run_id)
        ended = work(self.workspace, job.job_id, on_event=self.watcher.on_event)
        return ended.status, ended.error

    def _choose_people(self, config: RunConfig, model: Path) -> dict[int, int]:
        if self.inputs.ids == "first":
            return first_people(self.workspace.images("train"), self.row.n_identities)
        baseline = self._find_or_create(config.replace(n_iterations=0), model, {})
        status, error = self._work(baseline)
        if status != "finished":
            raise JobError(
                error
                or f"Run {baseline}, whose clusters are labelled, was {status}; run this again."
            )
        return queue_people(self.workspace, baseline, self.row.n_identities, seed=config.seed)

    def _start_model(self) -> Path:
        """Return the start model of the row; train it if it is not in the workspace."""
        if self.row.system == "supervised":
            return self._trained([self.inputs.target])
        if self.inputs.model is not None:
            return self.inputs.model
        return self._trained([s for s in self.inputs.sources if s.name in self.row.sources])

    def _trained(self, datasets: Sequence[Dataset]) -> Path:
        config, seed = self.inputs.source_config, self.inputs.seed
        path = self.workspace.path / "models" / f"{name_model(datasets, config, seed)}.safetensors"
        if not path.is_file():
            started = time.perf_counter()
            train_start_model(
                path,
                datasets,
                config,
                seed=seed,
                machine=RunConfig(device=self.inputs.device, n_threads=self.inputs.n_threads),
                cache_dir=self.workspace.cache_path,
                on_progress=self.watcher.on_progress,
            )
            self._update_row(seconds=round(time.perf_counter() - started, 1))
        return path

    def _update_row(self, **values: Any) -> None:
        self.row = replace(self.row, **values)
        self.workspace.update_experiment_row(self.experiment_id, self.row)
