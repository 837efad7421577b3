"""The demo is whole or absent, the same each time, and says what it can."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pul import demo
from pul.algorithm.events import EvaluationSet, IterationFinished
from pul.algorithm.loop import run
from pul.config import load_preset
from pul.data.images import load_pixels
from pul.demo import START_MODEL, demo_config, make_demo
from pul.errors import WorkspaceError
from pul.models.network import load_network
from pul.store.workspace import Workspace

MIB = 2**20


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the demo have so few people that it is made in a second."""
    monkeypatch.setattr(demo, "_N_TRAIN_IDS", 3)
    monkeypatch.setattr(demo, "_N_TEST_IDS", 2)
    monkeypatch.setattr(demo, "_N_TRAIN_IMAGES", 12)


@pytest.mark.usefixtures("small")
def test_make_demo__holds_all_three_splits(tmp_path):
    told = []
    with make_demo(tmp_path / "demo", on_progress=lambda *done: told.append(done)) as workspace:
        train, query, gallery = workspace.summary().splits
        assert (train.n_images, train.n_pids, query.n_pids) == (12, 3, 2)
        assert (gallery.n_distractors, gallery.n_junk) == (round(0.21 * 8), round(0.29 * 8))
        assert workspace.get_setting("preset") == "demo"
        images = workspace.images()
        assert told[-1] == (len(images), len(images))
        assert all(Path(path).is_relative_to(tmp_path / "demo" / "images") for path in images.paths)
        assert all(Path(path).is_file() for path in images.paths)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.mark.usefixtures("small")
def test_make_demo__opens_what_is_there(tmp_path):
    make_demo(tmp_path / "demo", seed=1).close()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo").rglob("*.jpg")}
    with make_demo(tmp_path / "demo", seed=2) as workspace:
        assert len(workspace.images()) == len(before)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "demo").rglob("*.jpg")}


@pytest.mark.usefixtures("small")
def test_make_demo__takes_an_empty_folder_and_no_other(tmp_path):
    (tmp_path / "empty").mkdir()
    make_demo(tmp_path / "empty").close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="not empty"):
        make_demo(tmp_path / "full")
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


@pytest.mark.usefixtures("small")
def test_make_demo__is_absent_after_an_interruption(tmp_path):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "demo", on_progress=interrupt)
    assert not (tmp_path / "demo").exists()
    with make_demo(tmp_path / "demo") as workspace:
        assert len(workspace.images("train")) == 12


def test_demo_config__is_the_preset_for_as_many_people_as_there_are():
    assert demo_config() == load_preset("demo")
    assert demo_config().n_clusters == demo._N_TRAIN_IDS
    assert demo_config().evaluation.ap_method == "trapezoid"


def test_start_model__is_small_and_was_drawn_at_random_first():
    assert START_MODEL.stat().st_size < 5 * MIB
    network = load_network(START_MODEL)
    assert (network.config.backbone, network.config.weights) == ("mobilenet_v2", "none")
    assert (network.config.height, network.config.width) == (128, 64)


def test_demo__loads_no_torch():
    code = "import sys, pul.demo; sys.exit(bool({'torch', 'faiss', 'umap'} & set(sys.modules)))"
    root = Path(demo.__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.slow
def test_demo__pul_beats_an_honest_baseline(tmp_path):
    """Baseline between 20 and 60 % rank-1; the last iteration at least 5 points of mAP above it."""
    with make_demo(tmp_path / "demo") as workspace:
        config = demo_config().replace(projection=False, n_threads=1)
        metrics = run_demo(workspace, config)
    assert len(metrics) == config.n_iterations + 1
    assert 0.2 <= metrics[0].rank_1 <= 0.6
    assert metrics[-1].mean_ap >= metrics[0].mean_ap + 0.05


def run_demo(workspace: Workspace, config):
    network = load_network(START_MODEL)
    images = workspace.images()
    pixels = load_pixels(
        [Path(path) for path in images.paths],
        height=network.config.height, width=network.config.width, cache_dir=None,
    )  # fmt: skip
    train, query, gallery = (np.array(images.splits) == s for s in ("train", "query", "gallery"))
    evaluation = EvaluationSet(
        pixels[query], pixels[gallery], images.pids[query], images.camids[query],
        images.pids[gallery], images.camids[gallery],
    )  # fmt: skip
    events = run(network, pixels[train], config, evaluation=evaluation)
    return [event.record.metrics for event in events if isinstance(event, IterationFinished)]
