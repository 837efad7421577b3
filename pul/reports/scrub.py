"""Each byte of an iteration that is stored: is it what was written?"""

import json
from contextlib import suppress

import numpy as np

from pul.errors import ArtifactError, PulError, StoreError
from pul.models.network import load_network
from pul.records import IterationRecord
from pul.store.artifacts import ARRAYS, CHECKPOINT, OLDEST_FILES, RECORD
from pul.store.encoding import from_plain, to_plain
from pul.store.file_sums import ASK_DOCTOR, FileSum
from pul.store.workspace import Workspace


def scrub_iteration(workspace: Workspace, run_id: int, iteration: int) -> tuple[str, bool]:
    """Check an iteration: its files against what was written, its row against its record.

    One that was stored before files had sums is checked by what its values may be, and gets sums.

    Args:
        workspace: Where it is stored.
        run_id: The run.
        iteration: One of its stored iterations.

    Returns:
        What is damaged, for people, "" for nothing; and whether it got its sums now.
    """
    try:
        sums = workspace.file_sums(run_id, iteration)
        if not sums and workspace.are_all_summed():
            raise ArtifactError(f"What was written of iteration {iteration} is no longer known.")
        if sums:
            _check_files(workspace, run_id, iteration, sums)
        else:
            _check_values(workspace, run_id, iteration)
        _check_row(workspace, run_id, iteration)
        if CHECKPOINT not in workspace.pruned(run_id, iteration):
            _check_network(workspace, run_id, iteration)
        if not sums:
            with suppress(StoreError):  # a disk that is read-only
                workspace.set_file_sums(run_id, iteration, _sum_now(workspace, run_id, iteration))
                return "", True
    except PulError as error:
        return str(error).removesuffix(ASK_DOCTOR), False
    except OSError as error:
        return f"Iteration {iteration} cannot be read: {error.strerror or error}.", False
    except Exception as error:  # damage makes libraries raise errors of any kind
        return f"Iteration {iteration} is damaged ({type(error).__name__}: {error}).", False
    return "", False


def _check_files(
    workspace: Workspace, run_id: int, iteration: int, sums: dict[str, FileSum]
) -> None:
    folder = workspace.iteration_path(run_id, iteration)
    pruned = workspace.pruned(run_id, iteration)
    for name, expected in sums.items():
        if name in pruned:
            continue
        if not (folder / name).is_file():
            raise ArtifactError(f"{folder / name} is missing.")
        expected.check_whole(folder / name)


def _check_row(workspace: Workspace, run_id: int, iteration: int) -> None:
    """Compare the figures in the database with those that were written beside the arrays."""
    stored = next(r for r in workspace.iterations(run_id) if r.iteration == iteration)
    path = workspace.iteration_path(run_id, iteration) / RECORD
    written = from_plain(IterationRecord, json.loads(path.read_bytes()))
    if to_plain(written) != to_plain(stored):
        raise ArtifactError(
            f"The figures of iteration {iteration} in the database are not those that were written "
            f"beside its arrays, in {path}."
        )


def _check_values(workspace: Workspace, run_id: int, iteration: int) -> None:
    """Check what the values of arrays may be; all that can be done where files have no sums."""
    pruned = workspace.pruned(run_id, iteration)
    names = [name for name in ARRAYS if f"{name}.npy" not in pruned]
    arrays = workspace.arrays(run_id, iteration, *names)
    workspace.rankings(run_id, iteration)
    clusters, centers = arrays["clusters"], arrays["centers"]
    n_images, n_clusters = len(clusters), len(centers)
    expected = {
        "clusters": ((n_images,), -1, n_clusters),
        "centers": ((n_clusters,), 0, n_images),
        "pseudo_labels": ((n_images,), -1, None),
        "similarities": ((n_images,), -1.0, None),
        "reliable": ((n_images,), 0, None),
    }
    for name, array in arrays.items():
        shape, lowest, end = expected.get(name, (None, None, None))
        is_well = np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_
        is_well = is_well and bool(np.isfinite(array).all())
        is_well = is_well and shape in (None, array.shape)
        if is_well and array.size and lowest is not None:
            is_well = array.min() >= lowest and (end is None or array.max() < end)
        if not is_well:
            path = workspace.iteration_path(run_id, iteration) / f"{name}.npy"
            raise ArtifactError(f"{path} is damaged: it holds values that cannot be.")


def _check_network(workspace: Workspace, run_id: int, iteration: int) -> None:
    path = workspace.checkpoint_path(run_id, iteration)
    weights = [value.numpy() for value in load_network(path).state_dict().values()]
    if not all(bool(np.isfinite(each).all()) for each in weights):
        raise ArtifactError(f"{path} is damaged: it holds weights that are not finite.")


def _sum_now(workspace: Workspace, run_id: int, iteration: int) -> dict[str, FileSum]:
    folder = workspace.iteration_path(run_id, iteration)
    names = {*OLDEST_FILES, *(path.name for path in folder.glob("ranking-*.npy"))}
    return {name: FileSum.of(folder / name) for name in sorted(names) if (folder / name).is_file()}
