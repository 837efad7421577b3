"""Minutes of a person against mAP: labelling by cards, and by pairs as published active re-ID asks.

    pul run --workspace W --model START --preset modern --iterations 5
    python -m benchmarks.minutes W --into FOLDER --title NAME
    python -m benchmarks.minutes --render

An oracle labels on the baseline of W's last run, at the pace of a person (1.35 s to look, 1.1 s to
point, 0.2 s a key), with an error rate of 0, 2 and 5 %: by the queue of the Label page, or pair by
pair (`benchmarks/pair_oracle.py`). It labels once for the longest budget; the acts of its first 2,
5, 10, ... minutes go to a copy of W, where the same run is repeated. Yardsticks are no labels, and
everything labelled. Every run is a piece: a call that is interrupted goes on where it stopped, and
`--pieces 1` does one. W is not changed, and needs ground truth.
"""

import argparse
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import minutes_report
from benchmarks.pair_oracle import PairOracle
from benchmarks.queue import copy_workspace, run_again
from benchmarks.report import RESULTS, ROOT
from pul.labelling.annotations import Act, Annotations, create, fold
from pul.labelling.guidance import read_guidance
from pul.labelling.loading import load_index
from pul.labelling.oracle import Effort, Oracle
from pul.store.annotations import AnnotationEvent, NewEvent
from pul.store.workspace import Workspace

MINUTES = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0)
ERRORS = (0.0, 0.02, 0.05)
WAYS = ("cards", "pairs")
DOCUMENT = ROOT / "docs" / "results.md"
FOLDER = RESULTS / "minutes"
PICTURES = ROOT / "docs" / "results"


@dataclass(frozen=True)
class Piece:
    """One run: labels of so many minutes.

    Attributes:
        way: `none`, `everything`, `cards` or `pairs`.
        minutes: Of a person.
        error_rate: Share of the decisions that come out wrong.
        seed: Of the errors and of the run.
    """

    way: str
    minutes: float = 0.0
    error_rate: float = 0.0
    seed: int = 0

    @property
    def name(self) -> str:
        """Names its folder."""
        return f"{self.way}-{self.minutes:g}-{self.error_rate:g}-{self.seed}"


@dataclass(frozen=True)
class TimedAct:
    """An act, and when in the labeller's time it was done."""

    seconds: float
    kind: str
    payload: dict[str, Any]


class TimeUpError(Exception):
    """The person goes home."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the pieces that are not done yet, store the table, or render it."""
    options = _parser().parse_args(arguments)
    if options.workspace is not None:
        left = [piece for piece in plan(options) if not _result(options.into, piece).exists()]
        for piece in left[: options.pieces]:
            longest = 60 * max(options.minutes)
            done = do_piece(options.workspace, options.into, piece, longest)
            print(json.dumps(done), flush=True)
        store(options.title, read_results(options.into, plan(options)))
    if options.render:
        minutes_report.render(FOLDER, DOCUMENT, PICTURES)


def plan(options: argparse.Namespace) -> Iterator[Piece]:
    """Yield the pieces: the yardsticks first, then what takes a person least."""
    for seed in options.seeds:
        yield Piece("none", seed=seed)
        yield Piece("everything", seed=seed)
    for minutes in options.minutes:
        for error_rate in options.errors:
            for way in options.ways:
                for seed in options.seeds:
                    yield Piece(way, minutes, error_rate, seed)


def do_piece(workspace: Path, into: Path, piece: Piece, longest_s: float) -> dict[str, Any]:
    """Label a copy of the workspace, repeat the run there, and store and return what came of it."""
    place = into / piece.name
    labelled = place / "labels.json"
    if not labelled.exists():  # interrupted before the run, or never started
        acts = _acts(workspace, into, piece, longest_s)
        shutil.rmtree(place, ignore_errors=True)
        copy_workspace(workspace, place)
        labelled.write_text(json.dumps(apply_acts(place, acts)), encoding="utf-8")
    labels = json.loads(labelled.read_text(encoding="utf-8"))
    figures = run_again(place, labels["run"], {"seed": piece.seed})
    result = vars(piece) | labels | figures
    _result(into, piece).write_text(json.dumps(result), encoding="utf-8")
    return result


def _result(into: Path, piece: Piece) -> Path:
    return into / piece.name / "result.json"


def _acts(workspace: Path, into: Path, piece: Piece, longest_s: float) -> list[TimedAct]:
    if piece.way == "none":
        return []
    if piece.way == "everything":
        with Workspace.open(workspace) as opened:
            return name_everyone(_truth(opened, opened.runs()[-1].run_id))
    whole = replace(piece, minutes=longest_s / 60)
    file = into / f"session-{whole.name}.json"
    if not file.exists():
        desk = into / "desk"  # where the suggestion index of the baseline is kept
        if not (desk / "pul.db").exists():
            copy_workspace(workspace, desk)
        acts = label(desk, piece, longest_s)
        aside = file.with_suffix(".part")
        aside.write_text(json.dumps([vars(act) for act in acts]), encoding="utf-8")
        aside.replace(file)
    acts = [TimedAct(**act) for act in json.loads(file.read_text(encoding="utf-8"))]
    return [act for act in acts if act.seconds <= 60 * piece.minutes]


def label(desk: Path, piece: Piece, longest_s: float) -> list[TimedAct]:
    """Let an oracle label on the baseline until the time is up; return its acts."""
    with Workspace.open(desk) as workspace:
        run_id = workspace.runs()[-1].run_id
        index = load_index(workspace, run_id, 0)
        truth = _truth(workspace, run_id)
    log = Log(longest_s)
    common = {"truth": truth, "store": log, "error_rate": piece.error_rate, "seed": piece.seed}
    try:
        if piece.way == "pairs":
            embedding = index.embedding
            PairOracle(index.image_ids, embedding, effort=log.effort, **common).label()
        else:
            oracle = Oracle(index, annotations=log.state, effort=log.effort, **common)
            oracle.label(len(truth))
    except TimeUpError:
        pass
    return log.acts


class Log:
    """Keeps acts and their times; the numbers of events are those of an empty workspace."""

    def __init__(self, longest_s: float) -> None:
        self.longest_s = longest_s
        self.effort = Effort()
        self.state = Annotations()
        self.acts: list[TimedAct] = []

    def __call__(self, act: Act) -> Annotations:
        if self.effort.seconds > self.longest_s:
            raise TimeUpError
        self.acts.append(TimedAct(self.effort.seconds, act.kind, act.payload))
        event = AnnotationEvent(len(self.acts), "", "oracle", act.kind, act.payload)
        self.state = fold([event], self.state)
        return self.state


def _truth(workspace: Workspace, run_id: int) -> dict[int, int]:
    images = workspace.run_images(run_id, "train")
    return dict(zip(images.image_ids.tolist(), images.pids.tolist(), strict=True))


def name_everyone(truth: Mapping[int, int]) -> list[TimedAct]:
    """Return the acts that label everything."""
    people: dict[int, list[int]] = {}
    for image, pid in truth.items():
        people.setdefault(pid, []).append(image)
    acts = (create(images) for pid, images in sorted(people.items()) if pid > 0)
    return [TimedAct(0.0, act.kind, act.payload) for act in acts]


def apply_acts(place: Path, acts: Sequence[TimedAct]) -> dict[str, Any]:
    """Store acts in a workspace without labels; return what they say of its last run's images."""
    with Workspace.open(place) as workspace:
        run_id = workspace.runs()[-1].run_id
        if workspace.annotation_events():
            raise SystemExit("The workspace already has labels; use one without.")
        numbers = workspace.append_annotation_events(
            lambda _: [NewEvent(act.kind, act.payload) for act in acts], "oracle"
        )
        if numbers != list(range(1, len(acts) + 1)):
            raise SystemExit("The workspace has had labels; use one that never had any.")
        guidance = read_guidance(workspace, run_id)
        pids = workspace.run_images(run_id, "train").pids.tolist()
    people: dict[int, list[int]] = {}
    for row, identity in guidance.annotations.items():
        people.setdefault(identity, []).append(row)
    groups = [*people.values(), *map(list, guidance.together)]
    return {"run": run_id, "acts": len(acts)} | describe(groups, pids)


def describe(groups: Iterable[Sequence[int]], pids: Sequence[int]) -> dict[str, Any]:
    """Return how many images are in groups, and which share of the pairs in them is one person."""
    n_images = n_pairs = n_right = 0
    for rows in groups:
        n_images += len(rows)
        n_pairs += _n_pairs(len(rows))
        n_right += sum(map(_n_pairs, Counter(pids[row] for row in rows).values()))
    return {"images": n_images, "precision": n_right / n_pairs if n_pairs else None}


def _n_pairs(n: int) -> int:
    return n * (n - 1) // 2


def read_results(into: Path, pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    """Return what came of the pieces that are done."""
    files = [_result(into, piece) for piece in pieces]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]


def store(title: str, results: list[dict[str, Any]]) -> Path:
    """Write the results of a title, in place of the last ones."""
    name = re.sub(r"\W+", "-", title.lower())
    path = FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"title": title, "results": results}, indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.minutes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workspace", nargs="?", type=Path, help="it is not changed")
    parser.add_argument("--into", type=Path, help="folder for the copies and what is done")
    parser.add_argument("--title", default="development", help="names the table and picture")
    parser.add_argument("--minutes", type=float, nargs="+", default=MINUTES)
    parser.add_argument("--errors", type=float, nargs="+", default=ERRORS, help="error rates")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--pieces", type=int, help="do so many at most; by default all")
    parser.add_argument("--render", action="store_true", help="put tables and pictures into docs")
    return parser


if __name__ == "__main__":
    main()
