import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from app import services
from pul import demo
from pul.data.datasets import read_dataset
from pul.errors import DatasetError, ModelError, StoreError, WorkspaceError
from pul.store.workspace import Workspace
from tests.app.fabricated import LAMBDA, draw_people, fabricate


@pytest.fixture
def filled(location: Path, people: Path) -> str:
    fabricate(location, people, n_iterations=2, status="finished")
    return str(location)


@pytest.fixture
def empty(location: Path) -> str:
    Workspace.create(location).close()
    return str(location)


def test_look__counts_what_is_there_and_writes_nothing(empty: str, people: Path) -> None:
    before = sorted(people.rglob("*"))
    found = services.imports.inspect(empty, str(people))
    assert found.format == "market1501"
    assert [row[:4] for row in found.contents.splits] == [
        ("train", 48, 8, 3), ("query", 8, 8, 3), ("gallery", 48, 8, 3),
    ]  # fmt: skip
    assert sum(found.contents.cameras.values()) == 104
    assert sorted(people.rglob("*")) == before


def test_look__nothing_there(empty: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        services.imports.inspect(empty, str(tmp_path / "nowhere"))


def test_image_path__is_the_new_one_once_images_moved(empty: str, tmp_path: Path) -> None:
    shown = draw_people(tmp_path / "here")
    with Workspace.open(empty) as workspace:
        workspace.add_dataset(read_dataset(shown))
    old = services.workspace.image_path(empty, 1)
    shown.rename(tmp_path / "there")
    assert services.moved.is_any_gone(empty)
    services.moved.relocate(empty, services.moved.find(empty, f" {tmp_path} "))
    new = services.workspace.image_path(empty, 1)
    assert (new.name, new.is_file()) == (old.name, True)
    assert not services.moved.is_any_gone(empty)


def test_create_workspace__without_a_name() -> None:
    with pytest.raises(WorkspaceError, match="No folder is given"):
        services.workspace.create_workspace("  ")


def test_open_workspace__one_made_anew_at_the_same_place(filled: str, people: Path) -> None:
    assert services.workspace.workspace_status(filled).n_images == 104
    shutil.rmtree(filled)
    Workspace.create(filled).close()
    assert services.workspace.workspace_status(filled).n_images == 0


def test_workspace_status__the_newest_run_unless_one_is_named(filled: str, people: Path) -> None:
    fabricate(Path(filled), people, n_iterations=0, status="paused", name="second")
    newest, first = (
        services.workspace.workspace_status(filled),
        services.workspace.workspace_status(filled, 1),
    )
    assert (newest.run.name, newest.is_active, len(newest.iterations)) == ("second", True, 1)
    assert (first.run.name, first.is_active, len(first.iterations)) == ("run 1", False, 3)
    assert services.workspace.workspace_status(filled, 99).run.run_id == 2


def test_map_arrays__row_i_is_image_i_of_the_run(filled: str) -> None:
    arrays = services.map.map_arrays(filled, 1, 2)
    with Workspace.open(filled) as workspace:
        table = workspace.run_images(1, "train")
        record = workspace.iterations(1)[2]
    assert np.array_equal(arrays.image_ids, table.image_ids)
    assert [arrays.camera_of(i) for i in range(len(table))] == table.camids.tolist()
    assert int(arrays.reliable(LAMBDA).sum()) == record.n_reliable
    assert arrays.reliable(0).all()


def test_map_arrays__images_of_a_later_import_are_not_of_the_run(
    filled: str, tmp_path: Path
) -> None:
    from pul.data.datasets import read_dataset

    with Workspace.open(filled) as workspace:
        more = read_dataset(draw_people(tmp_path / "more", n_pids=2))
        workspace.add_dataset(more, duplicates="add")
    assert len(services.map.map_arrays(filled, 1, 0)) == 48


def test_in_order__by_cluster_and_from_the_center_outwards() -> None:
    arrays = services.map.MapArrays(
        image_ids=np.arange(5, dtype=np.int64),
        points=np.zeros((5, 2), np.float32),
        clusters=np.array([1, 0, 1, 0, 1], np.int32),
        centers=np.array([1, 4], np.int32),
        similarities=np.array([0.5, 1.0, 0.9, 0.7, 1.0], np.float32),
        cameras=np.full(5, -1, np.int32),
        camera_names=(),
    )
    assert services.map.in_order(arrays, [0, 1, 2, 3, 4]) == [1, 3, 4, 2, 0]
    assert services.map.in_order(arrays, []) == []
    assert arrays.camera_of(0) is None


def test_sample_images__spread_over_all(filled: str) -> None:
    with Workspace.open(filled) as workspace:
        image_ids = workspace.images("train").image_ids
    assert services.workspace.sample_images(filled, 3) == [
        image_ids[0],
        image_ids[23],
        image_ids[47],
    ]
    assert len(services.workspace.sample_images(filled, 1000)) == 48


def test_image_path__unknown(filled: str) -> None:
    with pytest.raises(StoreError, match="no image 0"):
        services.workspace.image_path(filled, 0)


def test_first_config__a_k_for_these_images_unless_the_preset_is_the_workspace_s_own(
    filled: str,
) -> None:
    assert services.runs.usual_preset(filled) == "quick"
    assert services.runs.first_config(filled, "quick").n_clusters == 3  # 48 images, 17 of a person
    assert services.runs.first_config(filled, "demo").n_clusters == 3
    with Workspace.open(filled) as workspace:
        workspace.set_setting("preset", "demo")
    assert services.runs.usual_preset(filled) == "demo"
    assert services.runs.first_config(filled, "demo").n_clusters == 40


def test_start_models__those_of_the_runs_come_first(filled: str, tmp_path: Path) -> None:
    other, twin = tmp_path / "elsewhere.safetensors", tmp_path / "fabricated.safetensors"
    with Workspace.open(filled) as workspace:
        for path in (other, twin, other):
            path.write_bytes(b"no network at all")
            workspace.create_run(services.runs.RunConfig(n_clusters=3), model=path)
        own = workspace.path / "models" / "fabricated.safetensors"
    assert list(services.runs.start_models(filled).items())[:4] == [
        ("elsewhere", str(other)),
        ("fabricated", str(twin)),
        (str(own), str(own)),  # of the first run, by the same name
        ("Small network, trained on synthetic people", str(demo.START_MODEL)),
    ]
    other.unlink()
    assert "elsewhere" not in services.runs.start_models(filled)


def test_start_run__imagenet_weights_that_cannot_be_had(
    filled: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):  # a door that is shut: no network in tests
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    name = "MobileNetV2, ImageNet (torchvision)"
    assert services.runs.start_models(filled)[name] == name
    with pytest.raises(ModelError, match="mobilenet_v2 could not be downloaded"):
        services.runs.start_run(filled, services.runs.RunConfig(n_clusters=3), name)
    assert len(services.workspace.workspace_status(filled).runs) == 1


def test_log_tail__only_the_end(filled: str) -> None:
    with Workspace.open(filled) as workspace:
        job = workspace.jobs()[-1]
        workspace.log_path(job.job_id).write_text("x" * 50_000 + "\nthe end\n")
    tail = services.runs.log_tail(filled, job.job_id)
    assert tail.endswith("the end")
    assert len(tail) < 10_000


def test_log_tail__nothing_printed(filled: str) -> None:
    assert services.runs.log_tail(filled, 1) == ""


def test_start_run__a_model_of_another_program_names_the_command(
    filled: str, tmp_path: Path
) -> None:
    foreign = tmp_path / "best.pth"
    torch.save({"model": {"backbone.conv1.weight": torch.zeros(2)}}, foreign)
    with Workspace.open(filled) as workspace:
        n_runs = len(workspace.runs())
    with pytest.raises(ModelError, match=r"`python -m pul convert \S+best\.pth --out best-start"):
        services.runs.start_run(filled, services.runs.RunConfig(n_clusters=3), str(foreign))
    with Workspace.open(filled) as workspace:
        assert len(workspace.runs()) == n_runs
