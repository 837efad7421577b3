"""The demo: a workspace of invented people, made on this machine in seconds, and a start model."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pul import jobs
from pul.config import RunConfig, load_preset
from pul.data.datasets import read_dataset
from pul.data.synthetic import generate_dataset
from pul.errors import WorkspaceError
from pul.records import JobRecord
from pul.store.workspace import Workspace

PRESET = "demo"

_N_TRAIN_IDS, _N_TEST_IDS, _N_TRAIN_IMAGES = 40, 40, 640
_FOLDER = Path(__file__).resolve().parent


def _find_start_model() -> Path:
    """Return the file in the installed package, else the one in the checkout's `assets`."""
    name = "assets/start_model.safetensors"
    return _FOLDER / name if (_FOLDER / name).is_file() else _FOLDER.parent / name


START_MODEL = _find_start_model()


def make_demo(
    location: Path, *, seed: int = 0, on_progress: Callable[[int, int], None] | None = None
) -> Workspace:
    """Open the demo workspace; create it first if it does not exist.

    It is created in a temporary folder beside `location`, then renamed, so that a half-made demo is
    never seen. Its setting `preset` names the preset for its runs.

    Args:
        location: Folder of the workspace: one that does not exist, an empty one, or a workspace.
        seed: Seed of the drawn people; ignored if the workspace exists.
        on_progress: Called with (images drawn, images in total).

    Returns:
        The workspace, open.

    Raises:
        WorkspaceError: `location` holds something else, or cannot be written.
    """
    location = Path(location).absolute()
    if not Workspace.exists(location):
        _create(location, seed, on_progress)
    return Workspace.open(location)


def demo_config() -> RunConfig:
    """Return the settings of the demo's run: the preset `demo`."""
    return load_preset(PRESET)


def start_demo_run(workspace: Workspace) -> JobRecord:
    """Start the demo's run in the background.

    Raises:
        ModelError: The start model is missing.
        JobError: The worker cannot be started.
    """
    return jobs.start_run(workspace, demo_config(), START_MODEL, PRESET)


def _create(location: Path, seed: int, on_progress: Callable[[int, int], None] | None) -> None:
    if location.exists() and (not location.is_dir() or any(location.iterdir())):
        raise WorkspaceError(
            f"{location} is not empty and is no workspace; name a new or an empty folder."
        )
    temporary = location.with_name(location.name + ".making")
    shutil.rmtree(temporary, ignore_errors=True)
    with Workspace.create(temporary, name=PRESET) as workspace:
        root = generate_dataset(
            temporary / "images" / "place-b",
            place="b",  # the start model was trained at place a
            n_train_ids=_N_TRAIN_IDS,
            n_test_ids=_N_TEST_IDS,
            n_train_images=_N_TRAIN_IMAGES,
            seed=seed,
            on_progress=on_progress,
        )
        workspace.add_dataset(read_dataset(root, format="market1501"))
        workspace.set_setting("preset", PRESET)
    if location.exists():
        location.rmdir()  # it is empty; only POSIX renames onto an empty folder
    temporary.rename(location)
