"""The datasets of an experiment: which one is the target, and its workspace."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pul.data.datasets import Dataset
from pul.data.images import check_images
from pul.errors import ConfigError, DataError
from pul.store.workspace import Workspace


def choose_target(datasets: Sequence[Dataset], name: str = "") -> Dataset:
    """Return the dataset to adapt to: the one with training images, queries and a gallery.

    Args:
        datasets: What was given.
        name: Its name, or a part of it, if several datasets qualify.

    Raises:
        DataError: No dataset qualifies.
        ConfigError: Several qualify, or two have the same name.
    """
    names = [dataset.name for dataset in datasets]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"Two datasets have the same name: {', '.join(sorted(names))}; rename a folder."
        )
    whole = [d for d in datasets if all(d.split(s) for s in ("train", "query", "gallery"))]
    chosen = [d for d in whole if name.lower() in d.name.lower()]
    if not whole:
        raise DataError(
            f"None of {', '.join(names)} has training images, queries and a gallery; give a "
            "dataset with all three as the target."
        )
    if len(chosen) != 1:
        found = ", ".join(d.name for d in whole)
        raise ConfigError(
            f"--target must name one of {found}, but is {name!r}; the others are sources."
        )
    return chosen[0]


def choose_sources(datasets: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """Return the datasets that a start model can be trained on: those with known people."""
    return tuple(d for d in datasets if count_people(d) >= 2)


def count_people(dataset: Dataset) -> int:
    """Return how many people are known among the training images of a dataset."""
    return len({s.pid for s in dataset.split("train") if s.pid is not None and s.pid > 0})


def open_workspace(
    location: str | Path, target: Dataset, on_progress: Callable[[int, int], None] | None = None
) -> Workspace:
    """Open the workspace of a target; create it and add the target's images if needed.

    Args:
        location: A folder or a URL.
        target: The dataset to adapt to.
        on_progress: Called with (images checked, images in total).

    Raises:
        ConfigError: The workspace holds other images.
        StoreError: The store refuses.
    """
    exists = Workspace.exists(location)
    workspace = Workspace.open(location) if exists else Workspace.create(location)
    known = {*workspace.images().paths, *(path for path, _ in workspace.skipped())}
    wanted = {str(sample.path) for sample in target.samples}
    if known - wanted - {str(item.path) for item in target.skipped}:
        advice = workspace.advise_missing()
        workspace.close()
        raise ConfigError(
            f"{location} holds images that are not of {target.name}; name a new workspace for it. "
            f"{advice}".rstrip()
        )
    if wanted - known:
        workspace.add_dataset(check_images(target, on_progress=on_progress))
    return workspace
