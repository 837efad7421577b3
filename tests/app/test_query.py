import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app import services
from app.services.retrieval import Place
from pul import jobs
from pul.config import RunConfig, TrainConfig
from pul.data.datasets import read_dataset
from pul.errors import ConfigError, ImageError
from pul.jobs.query_feature import extract_query
from pul.jobs.worker import work
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.support.networks import tiny_network
from tests.support.places import write_place

ROOT = Path(__file__).resolve().parents[2]
CONFIG = RunConfig(
    n_clusters=6, lambda_=0.5, n_iterations=2, projection=False, device="cpu", n_threads=1,
    finetune=TrainConfig(n_epochs=1, batch_size=8, learning_rate=0.01),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run of two iterations."""
    folder = tmp_path_factory.mktemp("query") / "workspace"
    with Workspace.create(folder) as workspace:
        workspace.add_dataset(read_dataset(write_place(folder.parent / "place")))
        save_network(tiny_network(), folder / "start.safetensors")
        job = jobs.create_run(workspace, CONFIG, folder / "start.safetensors")
        assert work(workspace, job.job_id).status == "finished"
    return folder


@pytest.mark.parametrize("iteration", [0, 1, 2])
def test_extract_query__of_a_training_image_is_its_stored_feature(folder, iteration):
    with Workspace.open(folder) as workspace:
        stored = workspace.arrays(1, iteration, "features")["features"]
        picture = Path(workspace.run_images(1, "train").paths[7])
        feature = extract_query(workspace, 1, iteration, picture)
    np.testing.assert_allclose(feature, stored[7], rtol=1e-4, atol=1e-5)


def test_extract_query__features_of_a_model_that_is_not_kept(folder, monkeypatch):
    from dataclasses import replace

    with Workspace.open(folder) as workspace:
        records = [replace(record, annotations_hash="a") for record in workspace.iterations(1)]
        monkeypatch.setattr(workspace, "iterations", lambda _: records)
        with pytest.raises(ConfigError, match="Choose another iteration"):
            extract_query(workspace, 1, 1, Path("any"))


def files_of(folder: Path) -> list[Path]:
    """Return all files, those aside that the database has while it is open."""
    return sorted(path for path in folder.rglob("*") if not path.name.startswith("pul.db-"))


def test_main__a_picture_comes_in_and_goes_nowhere(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Workspace.open(folder) as workspace:
        table = workspace.run_images(1, "train")
    before = files_of(folder)
    content = Path(table.paths[7]).read_bytes()
    picture = services.retrieval.read_picture(str(folder), Place(1, 2), content)
    found = services.retrieval.find_like_picture(str(folder), Place(1, 2), picture, n=3)
    assert found[0].image_id == table.image_ids[7]
    assert found[0].similarity == pytest.approx(1, abs=1e-5)
    assert picture.url.startswith("data:image/png;base64,")
    assert files_of(folder) == before
    assert list(tmp_path.iterdir()) == []


def test_main__what_is_no_picture_is_explained(folder):
    with pytest.raises(ImageError, match=r"^The picture is damaged, or no image of a kind we read"):
        services.retrieval.read_picture(str(folder), Place(1, 0), b"no picture at all")


def test_main__answers_with_numbers_and_no_pickles(folder):
    with Workspace.open(folder) as workspace:
        content = Path(workspace.run_images(1, "train").paths[0]).read_bytes()
    command = [sys.executable, "-m", "pul.jobs.query_feature", str(folder), "1", "0"]
    answered = subprocess.run(command, cwd=ROOT, input=content, capture_output=True, check=True)
    answer = np.load(io.BytesIO(answered.stdout), allow_pickle=False)
    assert sorted(answer) == ["feature", "media_type", "thumbnail"]
