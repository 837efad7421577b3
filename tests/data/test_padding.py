"""Images that keep their shape: by hand, and through a run on drawn vehicles."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pul import jobs
from pul.algorithm.features import extract_features
from pul.config import NetworkConfig
from pul.data.datasets import read_dataset
from pul.data.images import load_pixels
from pul.errors import ConfigError
from pul.exchange.models import export_model
from pul.jobs.worker import work
from pul.models.network import load_network, save_network
from pul.store.workspace import Workspace
from tests.support.networks import TINY_RUN, tiny_network

GREY = (120, 110, 100)


def plain(path: Path, width: int, height: int) -> Path:
    Image.new("RGB", (width, height), (200, 0, 0)).save(path)
    return path


@pytest.mark.parametrize(
    ("width", "height", "rows", "columns"),
    [
        (40, 20, (12, 20), (0, 16)),  # twice as wide as tall: 16 × 8 in the middle of 32 rows
        (10, 40, (0, 32), (4, 12)),  # 8 × 32 in the middle of 16 columns
        (8, 16, (0, 32), (0, 16)),  # of the input's own shape
        (100, 2, (16, 17), (0, 16)),  # never thinner than a pixel
    ],
)
def test_load_pixels__padding_keeps_the_shape(
    tmp_path: Path, width: int, height: int, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    path = plain(tmp_path / "a.png", width, height)
    (pixels,) = load_pixels([path], height=32, width=16, cache_dir=None, padding=GREY)
    expected = np.full((32, 16, 3), GREY, dtype=np.uint8)
    if rows == (16, 17):  # 31 rows are over: 15 above
        rows = (15, 16)
    expected[slice(*rows), slice(*columns)] = (200, 0, 0)
    assert np.array_equal(pixels, expected)


def test_load_pixels__stretched_and_padded_are_cached_apart(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.png", 40, 20)
    size = {"height": 32, "width": 16, "cache_dir": tmp_path / "cache"}
    stretched, padded = (load_pixels([path], **size, padding=fill) for fill in (None, GREY))
    assert (stretched == (200, 0, 0)).all()
    assert not np.array_equal(stretched, padded)
    assert np.array_equal(load_pixels([path], **size), stretched)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_padding__is_the_mean_colour() -> None:
    assert NetworkConfig().padding is None
    assert NetworkConfig(resize="pad").padding == (124, 116, 104)  # 255 · (0.485, 0.456, 0.406)
    assert NetworkConfig(resize="pad", mean=(-1, 0, 2)).padding == (0, 0, 255)
    with pytest.raises(ConfigError, match="resize"):
        NetworkConfig(resize="crop")


def draw_vehicle(path: Path, pid: int, view: int) -> None:
    """Draw a box on wheels from the side: wide, and as long as its id says."""
    image = Image.new("RGB", (96 + 4 * view, 40), (90 + 10 * view, 120, 90))
    pen = ImageDraw.Draw(image)
    color = tuple(int(c) for c in np.random.default_rng(pid).integers(0, 255, 3))
    pen.rectangle((4, 12, 50 + 5 * pid, 32), fill=color)
    pen.rectangle((14, 4, 36, 12), fill=color)
    for wheel in (14, 40):
        pen.ellipse((wheel, 28, wheel + 8, 36), fill=(10, 10, 10))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def vehicles(tmp_path: Path) -> Path:
    """Vehicles in the layout of VeRi-776: ids, cameras of three digits, its names of folders."""
    root = tmp_path / "VeRi"
    for folder, pids, cameras in (
        ("image_train", range(1, 7), (1, 2, 3, 4)),
        ("image_query", range(7, 10), (1,)),
        ("image_test", range(7, 10), (2,)),
    ):
        for pid in pids:
            for camera in cameras:
                name = f"{pid:04}_c{camera:03}_00016450_0.jpg"
                draw_vehicle(root / folder / name, pid, camera)
    return root


def test_run__every_step_pads_alike(vehicles: Path, tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "workspace") as workspace:
        dataset = read_dataset(vehicles)
        assert [(row.split, row.n_pids, row.n_camids) for row in dataset.summary()] == [
            ("train", 6, 4), ("query", 3, 1), ("gallery", 3, 1),
        ]  # fmt: skip
        workspace.add_dataset(dataset)
        model = workspace.path / "start.safetensors"
        save_network(tiny_network(), model)
        config = TINY_RUN.replace(n_iterations=1, n_clusters=6, fit_images="pad")
        assert work(workspace, jobs.create_run(workspace, config, model).job_id).error == ""
        assert load_network(model).config.resize == "stretch"
        paths = [Path(path) for path in workspace.run_images(1, "train").paths]
        for iteration in (0, 1):
            network = load_network(workspace.checkpoint_path(1, iteration))
            assert network.config.resize == "pad"
        # What the next iteration saw is what anybody gets who follows the checkpoint's config.
        start = load_network(workspace.checkpoint_path(1, 0))
        pixels = load_pixels(
            paths, height=32, width=16, cache_dir=None, padding=start.config.padding
        )
        assert (pixels[:, 0] == start.config.padding).all()
        stored = workspace.arrays(1, 1, "features")["features"]
        assert np.allclose(extract_features(start, pixels), stored, atol=1e-5)
        report = export_model(
            workspace.checkpoint_path(1, 1), tmp_path / "out.pt", format="torchscript"
        )
        assert (report.resize, report.difference <= 1e-4) == ("pad", True)
