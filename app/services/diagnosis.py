"""Problems of a workspace's images or of an iteration."""

from app.services.cache import cached
from app.services.labels import read_annotations, version
from app.services.workspace import open_workspace, run_images
from pul.reports import workspace_diagnosis
from pul.reports.diagnosis import Finding
from pul.store.workspace import Workspace


def of_images(location: str) -> tuple[Finding, ...]:
    """Return problems of a workspace's images that make figures or suggestions doubtful."""
    workspace = open_workspace(location)
    return _of_images(workspace, sum(split.n_images for split in workspace.summary().splits))


@cached(maxsize=4)
def _of_images(workspace: Workspace, _n_images: int) -> tuple[Finding, ...]:
    return workspace_diagnosis.examine_images(workspace)


def of_iteration(location: str, run_id: int, iteration: int) -> tuple[Finding, ...]:
    """Return problems of an iteration's clusters, selection or features.

    Raises:
        StoreError: There is no such run or iteration.
    """
    n_acts = version(location)
    return _of_iteration(location, open_workspace(location), run_id, iteration, n_acts)


@cached(maxsize=16)
def _of_iteration(
    location: str, workspace: Workspace, run_id: int, iteration: int, _n_acts: int
) -> tuple[Finding, ...]:
    images, state = run_images(location, run_id), read_annotations(location)
    return workspace_diagnosis.examine_iteration(
        workspace, run_id, iteration, images=images, annotations=state
    )
