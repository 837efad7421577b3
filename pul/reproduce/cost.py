"""The time that rows of an experiment still need: measured from stored runs, else a guess."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from pul.reproduce.results import RowResult

# On two cores, with a small network at 128×64.
_GUESSED_TRAINED_PER_S = 150.0
_GUESSED_EXTRACTED_PER_S = 500.0
_GUESSED_DESCRIBED_PER_S = 60.0  # hand-crafted features
_GUESSED_SHARE = 0.4  # of the images that are reliable
_GUESSED_UMDL_S = 1800.0

GUESS = (
    f"a guess for two cores and a small network: {_GUESSED_TRAINED_PER_S:.0f} images/s trained, "
    f"{_GUESSED_EXTRACTED_PER_S:.0f} extracted, {_GUESSED_SHARE:.0%} of them reliable"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The time that a row still needs.

    Attributes:
        seconds: Seconds left, without training its start model.
        is_measured: Whether it is based on stored iterations; else it is a guess.
    """

    seconds: float
    is_measured: bool


def estimate(
    result: RowResult, others: Sequence[RowResult], *, n_train: int, n_test: int
) -> Estimate:
    """Estimate the time that a row still needs.

    It is measured from stored iterations with as many epochs and, like the row, with or without
    a selection.

    Args:
        result: The row's result so far.
        others: All rows whose runs can be measured, this one included.
        n_train: Images to adapt to.
        n_test: Queries and gallery images.
    """
    if result.status in ("finished", "missing"):
        return Estimate(0.0, is_measured=True)
    if result.row.config is None:
        is_umdl = result.row.system == "umdl"
        seconds = n_test / _GUESSED_DESCRIBED_PER_S + is_umdl * _GUESSED_UMDL_S
        return Estimate(seconds, is_measured=False)
    baselines = [seconds for other in others for n, seconds in _iterations(other) if n == 0]
    similar = [other for other in others if _kind(other) == _kind(result)]
    steps = [seconds for other in similar for n, seconds in _iterations(other) if n > 0]
    baseline = mean(baselines) if baselines else (n_train + n_test) / _GUESSED_EXTRACTED_PER_S
    step = mean(steps) if steps else baseline + _guess_training(result, n_train)
    n_steps = result.n_iterations - sum(n > 0 for n, _ in _iterations(result))
    is_measured = bool(baselines) and (bool(steps) or n_steps == 0)
    return Estimate(n_steps * step + (0.0 if result.iterations else baseline), is_measured)


def _iterations(result: RowResult) -> Iterator[tuple[int, float]]:
    for found in result.iterations:
        yield found.iteration, sum(found.seconds.values())


def _kind(result: RowResult) -> tuple[int, bool] | None:
    config = result.row.config
    return None if config is None else (config["finetune"]["n_epochs"], bool(config["lambda_"]))


def _guess_training(result: RowResult, n_train: int) -> float:
    n_epochs, selects = _kind(result) or (0, True)
    return n_epochs * n_train * (_GUESSED_SHARE if selects else 1.0) / _GUESSED_TRAINED_PER_S
