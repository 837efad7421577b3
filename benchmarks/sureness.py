"""How sure candidates are against how often they are right, and what a review finds again.

    python -m benchmarks.sureness WORKSPACE [--people 100] [--errors 0 0.02 0.05] [--seeds 0]

An oracle labels in memory on the newest iteration of the workspace's last run, as the Label page
asks; ground truth decides, and a share of its decisions is turned round. Nothing is stored. For
each share it prints what the labelling cost and how well it went; the reliability diagram as a
table, of the candidates of each card's first row by tenths of their probability; and, after a
review with no error, how many of the images in a wrong identity were taken out again, in what time.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from pul.arrays import DoubleArray
from pul.labelling.annotations import Act, Annotations, answer_pair, fold
from pul.labelling.effort import KEY_S, VIEW_S
from pul.labelling.label_quality import measure
from pul.labelling.loading import load_index
from pul.labelling.oracle import Oracle
from pul.labelling.suggestions import Candidate, Card, SuggestionIndex, review_questions
from pul.store.annotations import AnnotationEvent
from pul.store.workspace import Workspace

Shown = list[tuple[float, bool]]  # probability, and whether it is the person


class Log:
    """Keeps acts in memory."""

    def __init__(self) -> None:
        self.state = Annotations()

    def __call__(self, act: Act) -> Annotations:
        number = len(self.state.events) + 1
        self.state = fold(
            [AnnotationEvent(number, "", "oracle", act.kind, act.payload)], self.state
        )
        return self.state


@dataclass
class Observed(Oracle):
    """An oracle that notes how sure the candidates of each card are."""

    shown: Shown = field(default_factory=list)

    def _join_sure(self, card: Card) -> tuple[list[Candidate], list[Candidate]]:
        joined, others = super()._join_sure(card)
        person = self._most(card.images[card.chosen].tolist())
        for candidate in chain(joined, others):
            is_same = self._most(candidate.images.tolist()) == person
            self.shown.append((candidate.probability, is_same))
        return joined, others

    def _most(self, images: list[int]) -> int:
        return Counter(self.truth.get(image, -1) for image in images).most_common(1)[0][0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Label, review, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--errors", type=float, nargs="+", default=[0.0, 0.02, 0.05])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args(arguments)
    index, truth = load(options.workspace)
    for error_rate in options.errors:
        for seed in options.seeds:
            print(f"\n## {100 * error_rate:g} % of the decisions wrong, seed {seed}")
            log = Log()
            oracle = Observed(index, truth, log, Annotations(), error_rate=error_rate, seed=seed)
            report = oracle.label(options.people)
            effort = report.effort
            print(
                f"{len(report.identities)} people, {report.n_images} images: {effort.seconds:.0f} "
                f"s modelled, {report.actions_per_identity:.2f} actions each, {effort.n_cards} "
                f"cards ({effort.n_skipped} skipped), precision {100 * report.precision:.1f} %, "
                f"recall {100 * report.recall:.1f} %"
            )
            tell_reliability(oracle.shown)
            tell_review(index, truth, log)


def load(location: str) -> tuple[SuggestionIndex, dict[int, int]]:
    """Return the index of the newest iteration of the last run, and who is on its images."""
    with Workspace.open(location) as workspace:
        run_id = workspace.runs()[-1].run_id
        iteration = workspace.iterations(run_id)[-1].iteration
        table = workspace.run_images(run_id, "train")
        pairs = zip(table.image_ids.tolist(), table.pids.tolist(), strict=True)
        return load_index(workspace, run_id, iteration), {i: pid for i, pid in pairs if pid > 0}


def tell_reliability(shown: Shown) -> None:
    """Print the reliability diagram as a table, and the expected calibration error."""
    probability, is_same = (
        np.array(column, dtype=np.float64) for column in zip(*shown, strict=True)
    )
    print("| said % | candidates | mean said % | right % |\n|---|---|---|---|")
    tenths = np.minimum((10 * probability).astype(int), 9)
    for tenth in np.unique(tenths):
        at = tenths == tenth
        said, right = 100 * probability[at].mean(), 100 * is_same[at].mean()
        print(f"| {10 * tenth}-{10 * tenth + 10} | {at.sum()} | {said:.1f} | {right:.1f} |")
    print(f"expected calibration error {100 * calibration_error(probability, is_same):.1f} %")


def calibration_error(probability: DoubleArray, is_same: DoubleArray) -> float:
    """Return the mean distance of what is said from what is right, over tenths, in [0, 1]."""
    tenths = np.minimum((10 * probability).astype(int), 9)
    gaps = np.bincount(tenths, probability - is_same)
    return float(np.abs(gaps).sum() / len(probability))


def tell_review(index: SuggestionIndex, truth: dict[int, int], log: Log) -> None:
    """Review without an error, and print what was found."""
    before, n_people = wrong_images(log.state, truth), len(log.state.identities)
    questions = review_questions(index, log.state)
    n_no = 0
    for question in questions:
        left, right = (
            Counter(truth.get(image, -1) for image in images).most_common(1)[0][0]
            for images in (question.left_images, question.right_images)
        )
        n_no += left != right
        sides = question.left, question.right
        log(answer_pair(log.state, *sides, is_same=left == right))
    left_over = before & wrong_images(log.state, truth)
    seconds = len(questions) * (VIEW_S + KEY_S)
    share = 100 * (1 - len(left_over) / len(before)) if before else float("nan")
    print(
        f"review: {len(questions)} questions in {seconds:.0f} s, {n_no} answered no; "
        f"{len(before)} images were in a wrong identity, {len(left_over)} still are: "
        f"{share:.0f} % found; {n_people - len(log.state.identities)} people merged"
    )
    quality = measure(log.state, truth, index.image_ids)
    print(f"precision after {100 * np.mean([known.precision for known in quality]):.1f} %")


def wrong_images(state: Annotations, truth: dict[int, int]) -> set[int]:
    """Return the images in an identity that most of its images do not show."""
    wrong: set[int] = set()
    for known in state.identities:
        pids = Counter(truth.get(image, -1) for image in known.images)
        most = pids.most_common(1)[0][0]
        wrong |= {image for image in known.images if truth.get(image, -1) != most}
    return wrong


if __name__ == "__main__":
    main()
