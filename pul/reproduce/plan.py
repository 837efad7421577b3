"""The rows of a table or figure of the paper on given data; nothing is read or run here."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pul.config import NetworkConfig, RunConfig, Settings, TrainConfig, load_preset
from pul.errors import ConfigError
from pul.records import ExperimentRecord, ExperimentRow
from pul.reproduce.tables import paper_name

EXPERIMENTS: dict[str, str] = {
    "table2": "supervised, baseline and PUL from each source",
    "table3": "PUL without selection, over K",
    "table4": "all sources at once, 25 and 50 labelled people, hand-crafted features",
    "fig3": "some clusters and their reliable images in two iterations",
    "fig5": "PUL over λ",
    "fig6": "PUL over K",
}
LAMBDAS = (0.70, 0.75, 0.80, 0.85, 0.90)
LABELLED = (25, 50)

_K_SHARES = (1 / 3, 2 / 3, 1, 4 / 3, 5 / 3)  # of K: 250 to 1,250 where it is 750, as in the paper
_OF_THIS_MACHINE = ("device", "n_threads")  # settings that do not change what a run computes

Ids = Literal["first", "queue"]


class SourceConfig(Settings):
    """How the start model is trained on its source.

    Attributes:
        network: The network and its initial weights.
        train: Settings of the training. Paper: 40 epochs.
    """

    network: NetworkConfig = NetworkConfig()
    train: TrainConfig = TrainConfig(n_epochs=40)


QUICK_SOURCE = SourceConfig(
    network=NetworkConfig(backbone="mobilenet_v2", height=128, width=64),
    train=TrainConfig(n_epochs=25, batch_size=64, learning_rate=0.05, lr_schedule="cosine"),
)


@dataclass(frozen=True)
class Request:
    """Which experiment to run, on which data.

    Attributes:
        name: One of `EXPERIMENTS`.
        target: Name of the dataset to adapt to.
        n_people: Known people in its train split.
        sources: Names of the labelled datasets that start models are trained on.
        model: Name of a start model to use instead; "" for none.
        model_hash: Hash of its file.
        preset: Name of the settings of PUL.
        config: Settings of PUL.
        modern: Settings of the row `modern` of Table IV.
        source: How start models are trained.
        ids: Who is labelled in the rows with labels: the `first` people of the dataset with
            all their images (the paper), or those that an oracle labels in the order of the
            studio's `queue`.
    """

    name: str
    target: str
    n_people: int
    sources: tuple[str, ...]
    model: str
    model_hash: str
    preset: str
    config: RunConfig
    modern: RunConfig
    source: SourceConfig
    ids: Ids = "first"

    @property
    def origin(self) -> tuple[str, ...]:
        """What the start model was trained on: the sources, or the name of the model itself."""
        return (self.model,) if self.model else self.sources


def default_settings(preset: str, target: str) -> tuple[RunConfig, SourceConfig]:
    """Return the settings of PUL and of source training that an experiment begins with.

    Every run takes all its iterations, as the paper's, and makes no map.

    Args:
        preset: Name of a preset; `paper` trains the paper's network on the source, any other a
            small one.
        target: Name of the dataset to adapt to: K is 700 for Duke, as in the paper.

    Raises:
        ConfigError: There is no such preset.
    """
    config = load_preset(preset).replace(convergence_tolerance=0.0, projection=False)
    if paper_name(target) == "Duke":
        config = config.replace(n_clusters=700)
    return config, SourceConfig() if preset == "paper" else QUICK_SOURCE


def modern_settings(config: RunConfig) -> RunConfig:
    """Return preset `modern` on the budget, the K and the seed of other settings."""
    same = ("n_clusters", "n_iterations", "convergence_tolerance", "projection", "seed")
    values = {name: getattr(config, name) for name in same}
    return load_preset("modern").replace(
        **values, **{"finetune.n_epochs": config.finetune.n_epochs}, evaluation=config.evaluation
    )


def plan_experiment(request: Request) -> ExperimentRecord:
    """Plan the rows of a table or figure.

    Args:
        request: The experiment to plan.

    Returns:
        The experiment with no row started; a row whose data are missing records what is missing.

    Raises:
        ConfigError: There is no such table or figure.
    """
    if request.name not in _ROWS:
        raise ConfigError(
            f"There is no experiment {request.name!r}; choose one of {', '.join(EXPERIMENTS)}."
        )
    return ExperimentRecord(
        experiment_id=f"{request.name}-{_digest(request)}",
        name=request.name,
        target=request.target,
        settings=_describe(request),
        rows=tuple(_ROWS[request.name](request)),
        created_at="",
    )


def choose_rows(rows: Sequence[ExperimentRow], only: Sequence[str]) -> list[ExperimentRow]:
    """Return the rows of these names; all rows where none is named.

    Args:
        rows: Rows of one experiment.
        only: Each the key of a row, its key without the source, or a system.

    Raises:
        ConfigError: A name matches no row.
    """
    chosen: set[str] = set()
    for name in only:
        named = {row.key for row in rows if name in (row.key, row.key.partition(":")[0])}
        named = named or {row.key for row in rows if name == row.system}
        if not named:
            known = ", ".join(row.key for row in rows)
            raise ConfigError(f"There is no row {name!r}; choose from: {known}.")
        chosen |= named
    return [row for row in rows if not only or row.key in chosen]


def without_machine(config: dict[str, Any]) -> dict[str, Any]:
    """Return run settings without those that only name the machine's resources."""
    return {name: value for name, value in config.items() if name not in _OF_THIS_MACHINE}


def _table2(request: Request) -> Iterator[ExperimentRow]:
    yield ExperimentRow(
        key="supervised",
        label="supervised learning",
        system="supervised",
        config=_plain(request.config.replace(n_iterations=0)),
        missing="" if request.n_people >= 2 else "identities of the target's training images",
    )
    for sources in _one_by_one(request.origin):
        suffix = "".join(f":{name}" for name in sources)
        yield _baseline(request, sources, suffix)
        yield _pul(request, "pul" + suffix, "PUL", sources=sources)


def _table3(request: Request) -> Iterator[ExperimentRow]:
    for k in _k_grid(request):
        yield _no_selection(request, f"no-selection-{k}", n_clusters=k)


def _table4(request: Request) -> Iterator[ExperimentRow]:
    yield ExperimentRow("bow", "BoW", "bow")
    yield ExperimentRow("lomo", "LOMO", "lomo")
    no_source = "" if request.sources else "a labelled dataset: --source ROOT"
    yield ExperimentRow("umdl", "UMDL", "umdl", request.sources, missing=no_source)
    yield _baseline(request, request.origin)
    yield _pul(request, "pul", "PUL")
    yield _no_selection(request, "no-selection")
    for n_identities in LABELLED:
        label = f"PUL + {n_identities} IDs"
        yield _pul(request, f"pul-{n_identities}", label, n_identities=n_identities)
    yield _pul(request, "modern", "modern", config=request.modern)


def _fig3(request: Request) -> Iterator[ExperimentRow]:
    yield _pul(request, "pul", "PUL")


def _fig5(request: Request) -> Iterator[ExperimentRow]:
    yield _baseline(request, request.origin)
    for value in LAMBDAS:
        config = request.config.replace(lambda_=value)
        label = f"PUL, λ = {value:.2f}"
        yield _pul(request, f"pul-{value:.2f}", label, config=config, value=value)
    yield _no_selection(request, "no-selection")


def _fig6(request: Request) -> Iterator[ExperimentRow]:
    yield _baseline(request, request.origin)
    for k in _k_grid(request):
        config = request.config.replace(n_clusters=k)
        yield _pul(request, f"pul-{k}", f"PUL, K = {k:,}", config=config, value=k)


_ROWS = {
    "table2": _table2,
    "table3": _table3,
    "table4": _table4,
    "fig3": _fig3,
    "fig5": _fig5,
    "fig6": _fig6,
}


def _one_by_one(sources: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not sources:
        yield ()
    for name in sources:
        yield (name,)


def _k_grid(request: Request) -> list[int]:
    return [max(1, round(share * request.config.n_clusters)) for share in _K_SHARES]


def _baseline(request: Request, sources: tuple[str, ...], suffix: str = "") -> ExperimentRow:
    return ExperimentRow(
        key="baseline" + suffix,
        label="baseline",
        system="baseline",
        sources=sources,
        config=_plain(request.config.replace(n_iterations=0)),
        missing=_no_model(request),
    )


def _no_selection(request: Request, key: str, *, n_clusters: int | None = None) -> ExperimentRow:
    config = request.config.replace(lambda_=0.0, n_clusters=n_clusters)
    label = "PUL without selection" + (f", K = {n_clusters:,}" if n_clusters else "")
    return _pul(request, key, label, config=config, value=n_clusters)


def _pul(
    request: Request,
    key: str,
    label: str,
    *,
    sources: tuple[str, ...] | None = None,
    config: RunConfig | None = None,
    value: float | None = None,
    n_identities: int = 0,
) -> ExperimentRow:
    missing = _no_model(request)
    if n_identities > request.n_people:
        missing = f"{n_identities} known people in the target's train split, not {request.n_people}"
    return ExperimentRow(
        key=key,
        label=label,
        system="pul",
        sources=request.origin if sources is None else sources,
        value=value,
        config=_plain(config or request.config),
        n_identities=n_identities,
        missing=missing,
    )


def _no_model(request: Request) -> str:
    return "" if request.origin else "a start model: --source ROOT, or --model FILE"


def _plain(config: RunConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _digest(request: Request) -> str:
    content = [
        request.target,
        request.sources,
        request.model_hash,
        without_machine(_plain(request.config)),
        without_machine(_plain(request.modern)),
        request.source.model_dump(mode="json"),
        request.ids,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def _describe(request: Request) -> dict[str, str]:
    config = request.config
    start = request.model or f"{request.source.network.backbone} on {', '.join(request.sources)}"
    return {
        "preset": request.preset,
        "start model": start,
        "K": f"{config.n_clusters:,}",
        "λ": "none" if config.selects_all else f"{config.lambda_}",
        "iterations": str(config.n_iterations),
        "epochs": str(config.finetune.n_epochs),
        "average precision": config.evaluation.ap_method,
        "seed": str(config.seed),
        "labelled people": {"first": "the first ones", "queue": "by the studio's queue"}[
            request.ids
        ],
    }
