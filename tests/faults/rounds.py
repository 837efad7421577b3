"""`python -m tests.faults.rounds --rounds 200 [--postgres BIN]`: many kinds of work at once.

In each round several processes work on one workspace at once: imports, runs, forks, imports of
labels, backups, and cleaning, which prunes, deletes and removes. What each said and what is there
at the end must be what comes of doing the same one after the other, in some order; the doctor finds
nothing; a backup is whole, and what it holds is there at the end too.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of a library would not survive a fork


from pul import jobs
from pul.data.datasets import read_dataset
from pul.errors import PulError
from pul.exchange import import_annotations
from pul.jobs.worker import work
from pul.labelling.log import read_annotations
from pul.models.network import dump_network, save_network
from pul.reports.workspace_check import examine_workspace
from pul.store.backup import back_up, check_backup
from pul.store.workspace import Workspace
from tests.faults.acts import place
from tests.store.postgres import PostgresServer, running_server
from tests.support.fakes import iteration_arrays, iteration_record
from tests.support.networks import TINY_RUN, tiny_network
from tests.support.places import write_place

_FORK = multiprocessing.get_context("fork")
_CONFIG = TINY_RUN.replace(n_clusters=3, n_iterations=1, keep_features=2)
_N_OLD = 3  # iterations of the runs that are there
Act = Callable[[Workspace, Path], None]


@dataclass
class Tally:
    """What came of all rounds."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Rounds:
    """A folder with what is imported, and what each set of acts comes to, one after the other."""

    def __init__(self, folder: Path, server: PostgresServer | None = None) -> None:
        self.folder, self._server = folder, server
        self._expected: dict[tuple[str, ...], set[str]] = {}
        for name, n_people in (("here", 3), ("north", 3), ("south", 2)):
            write_place(folder / name, n_people=n_people, n_images_each=2)
        save_network(tiny_network(), folder / "start.safetensors")
        for name, people in (("first", "Ann Ann Ben"), ("second", "Ben Cy Ann")):
            files = sorted((folder / "here" / "bounding_box_train").iterdir())
            rows = zip(files[name == "second" :], people.split(), strict=False)
            table = "".join(f"{file.name},{person}\n" for file, person in rows)
            (folder / f"{name}.csv").write_text(f"path,identity\n{table}")

    @cached_property
    def _template(self) -> Path:
        template = self.folder / "template"
        self._fill(str(template))
        return template

    def _fill(self, location: str) -> None:
        with Workspace.create(location, name="rounds") as workspace:
            workspace.add_dataset(read_dataset(self.folder / "here"))
            for _ in range(2):
                model = self.folder / "start.safetensors"
                run = workspace.create_run(_CONFIG, model=model)
                for n in range(_N_OLD):
                    arrays = iteration_arrays(n_images=6, seed=n)
                    network = dump_network(tiny_network(seed=n))
                    record = iteration_record(n, n_images=6)
                    workspace.add_iteration(run.run_id, record, arrays, network)
                workspace.set_run_status(run.run_id, "stopped")

    def _fresh(self) -> str:
        location = place(self.folder, self._server, 0)
        shutil.rmtree(self.folder / "workspace-0", ignore_errors=True)
        shutil.rmtree(self.folder / "backup", ignore_errors=True)
        if self._server is None:
            shutil.copytree(self._template, location)
        else:
            self._fill(location)
        return location

    def go(self, acts: Sequence[str], pauses: Sequence[float]) -> list[str]:
        """Do acts at once, each after a pause; return what is not as it should be."""
        expected = self._serial(acts)
        location = self._fresh()
        ends = _at_once([partial(self._do, location, act) for act in acts], pauses)
        found = self._outcome(location, acts, ends)
        problems = [f"nobody foresaw: {end}" for end in ends if end.startswith("!")]
        if found not in expected:
            nearest = min(expected, key=lambda other: sum(map(str.__ne__, other, found)))
            problems.append(f"no order gives\n  {found}\nbut one\n  {nearest}")
        told = [f for f in examine_workspace(location) if f.level == "error"]
        problems += [f"doctor: {finding.subject}: {finding.message}" for finding in told]
        return problems + self._check_backup(location)

    def _serial(self, acts: Sequence[str]) -> set[str]:
        """Return what acts come to, one after the other in each order."""
        key = tuple(sorted(acts))
        if key not in self._expected:
            orders = _orders(key)
            if {"resume", "remove"} <= set(key):  # a run at work is not removed: as if nobody asked
                orders += _orders([act for act in key if act != "remove"])
            self._expected[key] = {self._in_order(order, key) for order in orders}
        return self._expected[key]

    def _in_order(self, order: Sequence[str], acts: Sequence[str]) -> str:
        location = self._fresh()
        ends = {act: _at_once([partial(self._do, location, act)], [0.0])[0] for act in order}
        return self._outcome(location, acts, [ends.get(act, "refused") for act in acts])

    def _do(self, location: str, act: str) -> None:
        with Workspace.open(location, retry_s=30) as workspace:
            ACTS[act](workspace, self.folder)

    def _outcome(self, location: str, acts: Sequence[str], ends: Sequence[str]) -> str:
        """Return how each act ended, and all that is there but times, places and job numbers."""
        with Workspace.open(location) as workspace:
            there = _content(workspace)
        return json.dumps([sorted(zip(acts, ends, strict=True)), there], sort_keys=True)

    def _check_backup(self, location: str) -> list[str]:
        """A backup is of one moment: its images and acts are the first ones, its runs are whole."""
        backup = self.folder / "backup"
        if not backup.exists():
            return []
        check_backup(backup)
        with Workspace.open(location) as now, Workspace.open(backup) as then:
            images, acts = _images(then), _acts(then)
            if images != _images(now)[: len(images)] or acts != _acts(now)[: len(acts)]:
                return ["the backup holds what never was"]
        told = [f for f in examine_workspace(backup) if f.level == "error"]
        # A run that was going on then has lost its worker there; `pul restore` stops it.
        told = [f for f in told if not f.subject.startswith("job ")]
        return [f"doctor, of the backup: {f.subject}: {f.message}" for f in told]


def _content(workspace: Workspace) -> dict[str, Any]:
    listed = {"jobs": Counter(f"{job.kind} {job.status}" for job in workspace.jobs())}
    runs = {}
    for run in workspace.runs(shelf=None):
        numbers = workspace.iteration_numbers(run.run_id)
        runs[run.run_id] = [
            (run.name, run.status, run.shelf, run.config["evaluation"]["camera_aware"]),
            Path(run.model).name,
            len(workspace.run_images(run.run_id)),
            [sorted(workspace.pruned(run.run_id, n)) for n in numbers],
            [_sums(workspace, run.run_id, n) for n in numbers],
        ]
    folders = sorted(path.name for path in (workspace.path / "runs").iterdir())
    people = [(each.name, each.images) for each in read_annotations(workspace).identities]
    return listed | {
        "images": _images(workspace),
        "runs": runs,
        "folders": folders,
        "people": people,
    }


def _sums(workspace: Workspace, run_id: int, iteration: int) -> dict[str, str]:
    """Return what each file of an iteration holds, but for the record, which holds times."""
    sums = workspace.file_sums(run_id, iteration)
    return {name: sums[name].sha256[:8] for name in sorted(sums) if name != "record.json"}


def _images(workspace: Workspace) -> list[Any]:
    table = workspace.images()
    names = ["/".join(Path(path).parts[-3:]) for path in table.paths]
    columns = (table.image_ids.tolist(), names, table.pids.tolist(), table.camids.tolist())
    return [list(row) for row in zip(*columns, strict=True)]


def _acts(workspace: Workspace) -> list[Any]:
    return [(e.event_id, e.kind, e.payload) for e in workspace.annotation_events()]


def _orders(acts: Sequence[str]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(itertools.permutations(acts)))


# The acts


def _import(name: str, workspace: Workspace, folder: Path) -> None:
    params = {"root": str(folder / name), "format": "auto", "duplicates": "add"}
    _work(workspace, workspace.create_job("import", params=params).job_id)


def _work(workspace: Workspace, job_id: int) -> None:
    ended = work(workspace, job_id)
    if ended.traceback:
        raise AssertionError(ended.traceback)
    if ended.status != "finished":
        raise PulError(ended.error)


def _run(workspace: Workspace, folder: Path) -> None:
    job = jobs.create_run(workspace, _CONFIG, folder / "start.safetensors", "new")
    _work(workspace, job.job_id)


def _fork(workspace: Workspace, _folder: Path) -> None:
    job = jobs.create_fork(workspace, 1, _N_OLD - 1, _CONFIG.replace(n_iterations=0), "fork")
    _work(workspace, job.job_id)


def _remove(workspace: Workspace, _folder: Path) -> None:
    workspace.shelve_run(1, "deleted")
    workspace.remove_deleted_runs()


def _resume(workspace: Workspace, _folder: Path) -> None:
    _work(workspace, jobs.create_resumption(workspace, 1).job_id)


ACTS: dict[str, Act] = {
    "import north": partial(_import, "north"),
    "import south": partial(_import, "south"),
    "first labels": lambda w, folder: _label(w, folder / "first.csv", "ann"),
    "second labels": lambda w, folder: _label(w, folder / "second.csv", "ben"),
    "run": _run,
    "fork": _fork,
    "resume": _resume,
    "back up": lambda w, folder: _back_up(w, folder / "backup"),
    "prune features": lambda w, _: w.prune_run(2, keep_features=1, checkpoints=range(_N_OLD)),
    "prune networks": lambda w, _: w.prune_run(2, keep_features=_N_OLD, checkpoints=[2]),
    "remove": _remove,
}
SETS = (  # of kinds that depend on each other; each order of a set is done once, one after another
    ("import north", "import south", "back up"),
    ("import north", "import south", "run"),
    ("prune features", "prune networks", "back up"),
    ("fork", "remove", "back up"),
    ("resume", "remove", "import north"),
    ("first labels", "second labels", "back up"),
    ("run", "remove", "import south"),
    ("fork", "remove", "prune features"),
)


def _label(workspace: Workspace, file: Path, author: str) -> None:
    import_annotations(workspace, file, author=author)


def _back_up(workspace: Workspace, target: Path) -> None:
    back_up(workspace, target)


def _at_once(acts: Sequence[Callable[[], None]], pauses: Sequence[float]) -> list[str]:
    """Do acts in forked processes that begin together; return how each ended."""
    barrier = _FORK.Barrier(len(acts))
    lines, processes = [], []
    for act, pause in zip(acts, pauses, strict=True):
        reading, writing = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_be_child, args=(act, pause, barrier, writing))
        process.start()
        writing.close()
        lines.append(reading)
        processes.append(process)
    ends = [str(line.recv()) for line in lines]
    for process in processes:
        process.join()
    return ends


def _be_child(act: Callable[[], None], pause: float, barrier: Any, line: Any) -> None:
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - of a process that ends here
    barrier.wait()
    time.sleep(pause)
    try:
        act()
    except PulError:
        line.send("refused")
    except BaseException as error:
        line.send(f"! {type(error).__name__}: {error}")
    else:
        line.send("done")


def attack(
    folder: Path,
    n_rounds: int,
    seed: int,
    *,
    server: PostgresServer | None = None,
    show: Callable[[str], object] = lambda _: None,
) -> Tally:
    """Do rounds, each of a set of acts in turn."""
    tally, rounds = Tally(), Rounds(folder, server)
    for number in range(n_rounds):
        chosen = random.Random(seed * 1_000_003 + number)
        acts = SETS[number % len(SETS)]
        problems = rounds.go(acts, [chosen.choice([0, 0, 0.05 * chosen.random()]) for _ in acts])
        tally.counts.update(acts)
        tally.problems += [f"{number}: {', '.join(acts)}: {problem}" for problem in problems]
        for problem in tally.problems[len(tally.problems) - len(problems) :]:
            show(problem)
        if (number + 1) % 20 == 0:
            show(f"{number + 1} of {n_rounds} rounds, {len(tally.problems)} problems")
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="which pauses")
    parser.add_argument("--postgres", type=Path, metavar="BIN", help="PostgreSQL's programs")
    options = parser.parse_args()
    start = time.monotonic()
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="pul-rounds-")))
        server = None
        if options.postgres is not None:
            server = stack.enter_context(running_server(options.postgres))
        show = partial(print, flush=True)
        tally = attack(root, options.rounds, options.seed, server=server, show=show)
    print("\n".join([*tally.problems, *(f"{n:>5}  {k}" for k, n in sorted(tally.counts.items()))]))
    seconds = time.monotonic() - start
    print(f"{options.rounds} rounds in {seconds:.0f} s: {len(tally.problems)} problems")
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
