"""An oracle that labels a workspace as a person would, without a screen."""

from collections.abc import Callable

from pul.errors import DataError, StoreError
from pul.labelling.annotations import Act, Annotations
from pul.labelling.loading import load_index
from pul.labelling.log import append_act, read_annotations
from pul.labelling.oracle import Oracle, OracleReport, Strategy
from pul.store.workspace import Workspace


def run_autopilot(
    workspace: Workspace,
    *,
    run_id: int | None = None,
    iteration: int | None = None,
    n_identities: int = 25,
    strategy: Strategy = "queue",
    error_rate: float = 0.0,
    seed: int = 0,
    patience: int = 0,
    author: str = "autopilot",
    on_progress: Callable[[int, int], None] | None = None,
) -> OracleReport:
    """Let an oracle label a workspace whose training images have ground truth.

    Args:
        workspace: Where its acts are stored, beside everybody else's.
        run_id: The run to label on; the last one where not given.
        iteration: The iteration; the last whole one where not given.
        n_identities: Identities to make.
        strategy: `queue`, `random` or `largest-first`.
        error_rate: Share of the decisions that come out wrong.
        seed: Seed of errors and of the random strategy.
        patience: Rows of candidates without the person that are replaced before the next question.
        author: Who the acts are signed by.
        on_progress: Called with (identities made, n_identities) after each card.

    Raises:
        DataError: No training image has a known identity.
        StoreError: There is no such run or iteration.
    """
    run_id, iteration = _choose(workspace, run_id, iteration)
    images = workspace.run_images(run_id, "train")
    known = images.pids > 0
    if not known.any():
        raise DataError("The training images have no ground truth, which the autopilot needs.")
    pids = images.pids[known].tolist()
    truth = dict(zip(images.image_ids[known].tolist(), pids, strict=True))
    state = read_annotations(workspace)

    def store(act: Act) -> Annotations:
        nonlocal state
        state = append_act(workspace, act, state, author=author)
        return state

    oracle = Oracle(
        load_index(workspace, run_id, iteration),
        truth,
        store,
        state,
        strategy=strategy,
        error_rate=error_rate,
        seed=seed,
        patience=patience,
    )
    return oracle.label(n_identities, on_progress=on_progress)


def _choose(workspace: Workspace, run_id: int | None, iteration: int | None) -> tuple[int, int]:
    if run_id is None:
        started = [run.run_id for run in workspace.runs() if workspace.iterations(run.run_id)]
        if not started:
            raise StoreError("No run has a whole iteration yet; start one with `pul run`.")
        run_id = started[-1]
    whole = [record.iteration for record in workspace.iterations(run_id)]
    if iteration is None and whole:
        iteration = whole[-1]
    if iteration is None or iteration not in whole:
        raise StoreError(f"Run {run_id} has no whole iteration {iteration}, but {whole}.")
    return run_id, iteration
