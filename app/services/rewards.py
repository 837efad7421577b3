"""The last training with labels: what it has come to, for the people who made them."""

from dataclasses import dataclass

from app.services.runs import iterations
from app.services.verdicts import Words, verdict
from app.services.workspace import open_workspace
from pul.records import RunRecord


@dataclass(frozen=True, slots=True)
class Reward:
    """What a run that trains with labels has come to.

    Attributes:
        run: The run.
        n_identities: Labelled people in its last iteration.
        iteration: Its last finished iteration.
        words: The verdict on it, which says too whether it is known what the labels gave.
    """

    run: RunRecord
    n_identities: int
    iteration: int
    words: Words


def last_reward(location: str) -> Reward | None:
    """Return what the newest run that trained with labels has come to; None if none did."""
    for run in reversed(open_workspace(location).runs()):
        last = iterations(location, run.run_id)[-1:]
        if last and last[0].iteration and last[0].n_identities:
            words = verdict(location, run)
            if words is None:
                return None
            return Reward(run, last[0].n_identities, last[0].iteration, words)
    return None
