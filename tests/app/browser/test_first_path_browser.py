"""The first visit, from the welcome to one's own model: by the mouse alone, and by keys alone."""

from pathlib import Path

import pytest

from benchmarks import first_path
from tests.app.fabricated import draw_people

pytestmark = [pytest.mark.browser, pytest.mark.slow]

N_PIDS, N_IMAGES = 6, 8  # 48 crops: the form suggests three clusters
N_PEOPLE = 2


@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_first_path__from_a_folder_of_crops_to_a_model(way: str, tmp_path: Path) -> None:
    people = draw_people(tmp_path / "people", n_pids=N_PIDS, n_images=N_IMAGES)
    (tmp_path / "crops").mkdir()
    for number, image in enumerate(sorted((people / "bounding_box_train").iterdir())):
        image.rename(tmp_path / "crops" / f"{number:04d}.jpg")  # neither people nor cameras
    steps, name = first_path.run(
        "crops", way, tmp_path, n_crops=N_PIDS * N_IMAGES, n_people=N_PEOPLE
    )
    assert [step.name for step in steps] == [
        "welcome: a workspace of one's own",
        "own folder: browse, check, import",
        "clusters",
        f"label {N_PEOPLE} people",
        "train with them",
        "verdict",
        "download the model",
    ]
    assert name.endswith(".safetensors")
    n_clicks, n_keys = sum(step.n_clicks for step in steps), sum(step.n_keys for step in steps)
    assert (n_clicks > 0, n_keys > 0) == (way == "mouse", way == "keys")
