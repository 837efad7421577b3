"""Pictures of 16 bits and pictures that show nothing, from the folder to the figures."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import services
from pul.data.decoding import decode_image
from pul.models.network import save_network
from pul.store.workspace import Workspace
from tests.cli.test_commands import FAST, call
from tests.support.networks import tiny_network
from tests.support.places import write_place


@pytest.fixture
def thermal(tmp_path: Path) -> Path:
    """A place whose images are of 12 bits in 16, but for one that is black."""
    place = write_place(tmp_path / "thermal")
    for path in sorted(place.rglob("*.png")):
        grey = np.asarray(Image.open(path).convert("L")).astype(np.uint16) * 16
        Image.fromarray(grey).save(path)
    Image.new("L", (64, 128)).save(sorted((place / "bounding_box_train").iterdir())[0])
    return place


def test_import__says_the_range_and_what_shows_nothing(thermal: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    dry = call("import", thermal, "--dry-run")
    assert "77 images have grey values of 16 or 32 bits" in dry.stdout
    assert "1 image is nearly one colour" in dry.stdout
    found = json.loads(call("import", thermal, "--workspace", workspace, "--json").stdout)
    (black,) = found["nearly_one_colour"]
    assert f"bounding_box_train/{Path(black).name}" in dry.stdout
    with Workspace.open(workspace) as opened:
        low, high = found["grey_ranges"]["integer"]
        assert opened.grey_ranges().to_plain() == {"integer": [low, high]}
        assert opened.nearly_one_colour().paths == (black,)
        (number,) = opened.nearly_one_colour().image_ids.tolist()
        shown = opened.images()
    assert Path(black).name in call("doctor", "--workspace", workspace).stdout
    # The screen shows what the model is given.
    other = next(row for row, found in enumerate(shown.image_ids.tolist()) if found != number)
    path = shown.paths[other]
    content, _ = services.workspace.picture(str(workspace), int(shown.image_ids[other]))
    with Workspace.open(workspace) as opened:
        pixels = decode_image(Path(path), opened.grey_ranges())
    seen = np.asarray(Image.open(io.BytesIO(content)))
    assert np.abs(seen.astype(int) - pixels).mean() < 8  # a JPEG of noise
    assert seen.max() > 100


def test_evaluate__a_folder_is_stretched_as_a_run_is(thermal: Path, tmp_path: Path) -> None:
    model, workspace = tmp_path / "start.safetensors", tmp_path / "w"
    save_network(tiny_network(), model)
    call("import", thermal, "--workspace", workspace)
    call("run", "--workspace", workspace, "--model", model, *FAST, "--set", "projection=false")
    evaluated = json.loads(call("evaluate", model, thermal, "--json").stdout)
    with Workspace.open(workspace) as opened:
        measured = opened.iterations(1)[0].metrics
    assert measured is not None
    assert evaluated["mean_ap"] == measured.mean_ap
    assert evaluated["rank_1"] == measured.rank_1
