"""What the loop is given at the start of an iteration, and the events that it yields."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pul.arrays import ByteArray, FloatArray, IntArray
from pul.config import RunConfig
from pul.records import IterationArrays, IterationRankings, IterationRecord, JobProgress

if TYPE_CHECKING:  # the screen reads events too, and torch takes seconds to load
    from pul.models.network import Network


@dataclass(frozen=True)
class LiveSettings:
    """What people may change between iterations.

    Attributes:
        lambda_: λ; None or 0 selects all.
        n_clusters: K, annotated identities included.
        annotations: Image index → identity.
        annotations_hash: Names this state of the annotations; "" for none.
        left_out: Images that must not train: those of validation identities, and junk.
        validation: Image index → identity of those held out to measure with.
        together: Images that people said are one person, whoever it is.
        apart: Two sides that people said are two people: each image of one from each of the other.
    """

    lambda_: float | None
    n_clusters: int
    annotations: Mapping[int, int] = field(default_factory=dict)
    annotations_hash: str = ""
    left_out: Collection[int] = ()
    validation: Mapping[int, int] = field(default_factory=dict)
    together: Collection[tuple[int, ...]] = ()
    apart: Collection[tuple[tuple[int, ...], tuple[int, ...]]] = ()


@dataclass(frozen=True)
class EvaluationSet:
    """What the figures of a run are computed on; never seen by the training.

    Attributes:
        query_pixels: Query images, shape (Q, H, W, 3), uint8; empty where there are none.
        gallery_pixels: Gallery images, shape (G, H, W, 3), uint8.
        query_pids, query_camids: Identity and camera of each query, shape (Q,).
        gallery_pids, gallery_camids: Identity and camera of each gallery image, shape (G,).
        train_pids: True identity of each training image, shape (N,), for purity; or None.
        sides: Side of each query and of each gallery image, "" where not known; None for no sides.
    """

    query_pixels: ByteArray
    gallery_pixels: ByteArray
    query_pids: IntArray
    query_camids: IntArray
    gallery_pids: IntArray
    gallery_camids: IntArray
    train_pids: IntArray | None = None
    sides: tuple[tuple[str, ...], tuple[str, ...]] | None = None


@dataclass(frozen=True)
class ResumeState:
    """The last whole iteration of a run that is to be resumed.

    Attributes:
        iteration: Its number; 0 is the baseline.
        network: The network it ended with.
        points: Its 2-D map, shape (N, 2) or (0, 2).
        reliable_shares: Share of reliable images of iterations 1, 2, ... up to it.
    """

    iteration: int
    network: "Network"
    points: FloatArray
    reliable_shares: tuple[float, ...]


@dataclass(frozen=True)
class Progress:
    """A batch or a step is done."""

    progress: JobProgress


@dataclass(frozen=True)
class SettingsChosen:
    """What the run chose where its settings said `auto`: the settings from now on, and why."""

    config: RunConfig
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class NotMeasurable:
    """The run adapts the model, but there is nothing to measure it on."""

    reason: str


@dataclass(frozen=True)
class NotTracked:
    """The run continues, but its figures did not reach TensorBoard or MLflow."""

    reason: str


@dataclass(frozen=True)
class IterationFinished:
    """An iteration is whole: its record, its arrays, its rankings, the network it ended with.

    The network is only lent: keep a copy or write it down before asking for the next event.
    """

    record: IterationRecord
    arrays: IterationArrays
    network: "Network"
    rankings: IterationRankings | None = None


@dataclass(frozen=True)
class RunFinished:
    """The run is at its end, and why."""

    reason: Literal["converged", "n_iterations"]


Event = Progress | SettingsChosen | NotMeasurable | NotTracked | IterationFinished | RunFinished
Live = Callable[[int], LiveSettings]
