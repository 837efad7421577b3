"""Two at once: what is read and then written is done as if one came after the other.

Each test stops both where they have read and not written yet; done one after the other, they would
never meet there, so that waiting for each other ends by its own time limit.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pul import jobs
from pul.config import RunConfig
from pul.data.video import VideoRequest, pair_videos, read_recordings
from pul.errors import JobError, PulError, WorkspaceError
from pul.exchange import import_annotations, videos
from pul.exchange import importing as importing_labels
from pul.jobs import export as export_job
from pul.labelling.log import read_annotations
from pul.records import RunRecord
from pul.store import artifacts, upkeep
from pul.store.annotations import NewEvent
from pul.store.database import Database
from pul.store.workspace import Workspace
from tests.support.fakes import image_dataset, iteration_arrays, iteration_record
from tests.support.films import write_video
from tests.support.networks import coloured_images

MEET_S = 0.5


class Meeting:
    """A place where two wait for each other, or for a while."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def wait(self) -> None:
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(MEET_S)

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that meets the other when it has read."""

        def reading(*args: Any, **options: Any) -> Any:
            found = function(*args, **options)
            self.wait()
            return found

        return reading


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do things in threads; return of each what it returned, or the error it raised."""
    ends: list[Any] = [None] * len(acts)

    def do(number: int) -> None:
        try:
            ends[number] = acts[number]()
        except PulError as error:
            ends[number] = error

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.fixture
def other(workspace: Workspace, location: str) -> Iterator[Workspace]:
    """A second connection to the workspace."""
    with Workspace.open(location) as other:
        yield other


@pytest.fixture
def model(workspace: Workspace) -> Path:
    path = workspace.path / "start.safetensors"
    path.write_bytes(b"weights")
    return path


# Runs


def test_create_run__nobody_adds_images_after_its_settings_were_fitted_to_them(
    workspace: Workspace, other: Workspace, model: Path, tmp_path: Path
) -> None:
    """Without cameras among its test images, no run may be evaluated by camera."""
    workspace.add_dataset(image_dataset(tmp_path / "a", *coloured_images(2, 2)))
    late = image_dataset(tmp_path / "b", *coloured_images(1, 2, seed=1), split="gallery")
    added = threading.Event()

    def add() -> None:
        other.add_dataset(late, duplicates="add")
        added.set()

    thread = threading.Thread(target=add)

    def config(images: Any) -> RunConfig:
        thread.start()
        assert not added.wait(MEET_S)
        return RunConfig(n_clusters=len(images))

    run = workspace.create_run(config, model=model)
    thread.join()
    assert added.is_set()
    assert run.config["n_clusters"] == 4
    assert len(workspace.run_images(run.run_id)) == 4


def test_create_run__of_one_key_is_made_once_with_all_that_belongs_to_it(
    workspace: Workspace, other: Workspace, model: Path
) -> None:
    def make(place: Workspace) -> int:
        settings = {"limit": 7}
        run = place.create_run(RunConfig(), model=model, key="table 3", settings=lambda _: settings)
        assert place.get_setting("limit") == 7
        return run.run_id

    first, second = at_once(lambda: make(workspace), lambda: make(other))
    assert first == second == workspace.get_setting("table 3")
    assert len(workspace.runs()) == 1


def test_create_job__not_on_a_run_that_was_deleted_or_finished_meanwhile(
    run: RunRecord, workspace: Workspace, other: Workspace
) -> None:
    other.shelve_run(run.run_id, "deleted")
    with pytest.raises(JobError, match="is deleted"):
        workspace.create_job("run", run_id=run.run_id)
    other.shelve_run(run.run_id, "")
    other.set_run_status(run.run_id, "finished")
    with pytest.raises(JobError, match="is finished"):
        workspace.create_job("run", run_id=run.run_id)
    assert workspace.jobs() == []


def test_create_job__of_two_that_must_be_alone_one_is_made(
    run: RunRecord, workspace: Workspace, other: Workspace
) -> None:
    def make(place: Workspace, run_id: int) -> Any:
        return place.create_job("preview", params={"run_id": run_id}, alone={"run_id": run_id})

    ends = at_once(lambda: make(workspace, 1), lambda: make(other, 1), lambda: make(other, 2))
    assert sum(isinstance(end, JobError) for end in ends[:2]) == 1
    assert not isinstance(ends[2], JobError)


def test_start_export__two_never_get_one_name(
    workspace: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_job, "start_job", lambda place, job_id: place.job(job_id))
    starts = (lambda: export_job.start_export(workspace, "csv"),) * 2
    starts += (lambda: export_job.start_export(other, "csv"),)
    assert len({job.params["path"] for job in at_once(*starts)}) == 3


def test_reap_lost_jobs__a_sign_of_life_at_the_last_moment_counts(workspace: Workspace) -> None:
    job = workspace.create_job("import")
    workspace.claim_job(job.job_id, "elsewhere:1:0")
    seen = workspace.job(job.job_id)
    while workspace.job(job.job_id).heartbeat_at == seen.heartbeat_at:
        workspace.heartbeat(job.job_id, worker="elsewhere:1:0")
    assert workspace.fail_lost_job(seen, "gone") is None
    assert workspace.job(job.job_id).status == "running"
    failed = workspace.fail_lost_job(workspace.job(job.job_id), "gone")
    assert failed is not None
    assert (failed.status, failed.error) == ("failed", "gone")


def test_create_fork__of_an_iteration_that_was_computed_again_has_the_new_model(
    run: RunRecord, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pul.jobs.start.require_own_checkpoint", lambda _: None)
    workspace.add_dataset(image_dataset(tmp_path / "a", *coloured_images(2, 2)))
    models = []
    for network in (b"before", b"before", b"after", b"after"):
        workspace.drop_iterations(run.run_id, 0)
        workspace.add_iteration(run.run_id, iteration_record(0), iteration_arrays(), network)
        job = jobs.create_fork(workspace, run.run_id, 0, RunConfig())
        models.append(workspace.start_model(job.run_id or 0))
    assert [path.read_bytes() for path in models] == [b"before", b"before", b"after", b"after"]
    assert len(set(models)) == 2


def test_prune_run__two_at_once_both_say_what_they_removed(
    run: RunRecord, workspace: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(2):
        record, arrays = iteration_record(n), iteration_arrays(seed=n)
        workspace.add_iteration(run.run_id, record, arrays, b"network")
    monkeypatch.setattr(artifacts, "pruned", Meeting().after(artifacts.pruned))
    at_once(
        lambda: workspace.prune_run(run.run_id, keep_features=1, checkpoints=[0, 1]),
        lambda: other.prune_run(run.run_id, keep_features=2, checkpoints=[1]),
    )
    assert workspace.pruned(run.run_id, 0) == {"features.npy", "model.safetensors"}
    assert upkeep.FEATURES == "features.npy"


# Labels


def test_append_annotation_events__nobody_stores_any_before_they_are_settled(
    workspace: Workspace, other: Workspace
) -> None:
    seen: list[int] = []

    def decide(events: list[Any]) -> list[NewEvent]:
        n_before = len(events)
        seen.append(n_before)
        thread.start()
        thread.join(MEET_S)
        assert thread.is_alive()
        return [NewEvent("junk", {"n": n_before + n}, f"token {n}") for n in range(2)]

    workspace.append_annotation_event("junk", {"n": 0}, "ann")
    thread = threading.Thread(target=other.append_annotation_event, args=("junk", {"n": 3}, "ben"))
    assert workspace.append_annotation_events(decide, "ann") == [2, 3]
    thread.join()
    assert [event.payload["n"] for event in workspace.annotation_events()] == [0, 1, 2, 3]
    assert seen == [1]


def test_append_annotation_events__all_or_none(workspace: Workspace) -> None:
    def decide(_events: list[Any]) -> Iterator[NewEvent]:
        yield NewEvent("junk", {})
        raise JobError("no")

    with pytest.raises(JobError):
        workspace.append_annotation_events(decide, "ann")
    assert workspace.annotation_events() == []


def test_import_annotations__two_at_once_make_each_person_once(
    workspace: Workspace, other: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one file by two people, and of two files that name the same person."""
    workspace.add_dataset(image_dataset(tmp_path / "a", *coloured_images(2, 3)))
    names = [Path(path).name for path in workspace.images().paths]
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    head = "path,identity\n"
    first.write_text(f"{head}{names[0]},Ann\n{names[1]},Ann\n")
    second.write_text(f"{head}{names[2]},Ann\n{names[3]},Ben\n")
    for ways in ((first, first), (second, second), (first, second)):
        meeting = Meeting()
        monkeypatch.setattr(importing_labels, "read_annotations", meeting.after(read_annotations))
        at_once(
            lambda: import_annotations(workspace, ways[0], author="ann"),  # noqa: B023
            lambda: import_annotations(other, ways[1], author="ben"),  # noqa: B023
        )
    found = {known.name: known.images for known in read_annotations(workspace).identities}
    assert found == {"Ann": (1, 2, 3), "Ben": (4,)}


def test_init_setting__the_first_value_stays(workspace: Workspace, other: Workspace) -> None:
    assert workspace.init_setting("log", "a") == "a"
    assert other.init_setting("log", "b") == "a"


# Imports


def test_create__of_two_at_one_place_one_makes_it(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database, "revision", Meeting().after(Database.revision))
    monkeypatch.setattr("pul.store.workspace._make_folder", lambda path: path.mkdir(exist_ok=True))
    ends = at_once(*(lambda name=name: Workspace.create(location, name=name) for name in "ab"))
    made = [end for end in ends if isinstance(end, Workspace)]
    assert len(made) == 1
    assert isinstance(ends[1 - ends.index(made[0])], WorkspaceError)
    assert made[0].name == "ab"[ends.index(made[0])]
    with Workspace.open_or_create(location) as opened:
        assert opened.name == made[0].name
    made[0].close()


def test_importing__one_at_a_time(workspace: Workspace, other: Workspace) -> None:
    waits: list[int] = []
    inside: list[str] = []

    def take(place: Workspace, name: str) -> None:
        with place.importing(lambda: waits.append(1)):
            inside.append(name)
            ended.wait(MEET_S)
            inside.append(name)

    ended = threading.Event()
    at_once(lambda: take(workspace, "a"), lambda: take(other, "b"))
    assert inside in (["a", "a", "b", "b"], ["b", "b", "a", "a"])
    assert waits


def test_importing__is_free_again_after_an_error_and_may_be_given_up(
    workspace: Workspace, other: Workspace
) -> None:
    def give_up() -> None:
        raise JobError("stopped")

    stopped = pytest.raises(JobError, match="stopped")
    with workspace.importing(), stopped, other.importing(give_up):
        pass
    with pytest.raises(JobError, match="within"), workspace.importing():
        raise JobError("within")
    with other.importing(give_up):
        pass


def test_import_videos__two_at_once_get_cameras_of_their_own(
    workspace: Workspace, other: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = []
    for n_frames, name in enumerate(("gate", "door"), start=2):
        (tmp_path / f"{name}.txt").write_text("1,7,11,6,20,40,1,1,1\n")
        write_video(tmp_path / f"{name}.mp4", n_frames)
        cameras = pair_videos([tmp_path / f"{name}.mp4"], [tmp_path / f"{name}.txt"])
        requests.append(VideoRequest(cameras=cameras, every=1))
    monkeypatch.setattr(videos, "_plan", Meeting().after(videos._plan))
    ends = at_once(
        lambda: videos.import_videos(workspace, requests[0]),
        lambda: videos.import_videos(other, requests[1]),
    )
    assert [n_new for _, n_new in ends] == [1, 1]
    assert sorted(workspace.images().camids.tolist()) == [1, 2]
    assert sorted(known.camid for known in read_recordings(workspace.path)) == [1, 2]


def test_changed_rows__settings_of_any_kind_are_as_written(workspace: Workspace) -> None:
    """PostgreSQL gives JSON as what it means, SQLite as text."""
    for name, value in (("a", "words"), ("b", "5"), ("c", 5), ("d", {2: [None, 1.5]}), ("e", "")):
        workspace.set_setting(name, value)
    assert list(workspace.changed_rows()) == []
