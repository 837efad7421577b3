"""The examples in docstrings give what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Numeric functions that the library offers show how they are called.
SHOWN = (
    "pul.algorithm.selection.select_reliable",
    "pul.cluster.clustering.Clustering.from_labels",
    "pul.cluster.kmeans.cluster",
    "pul.evaluation.cluster_quality.cluster_quality",
    "pul.evaluation.reranking.k_reciprocal",
    "pul.evaluation.retrieval.evaluate",
)


def modules_with_examples() -> list[str]:
    """Return the modules of pul whose text holds an example, sorted."""
    paths = sorted((ROOT / "pul").rglob("*.py"))
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in paths
        if ">>> " in path.read_text(encoding="utf-8")
    ]


def examples(module: str) -> list[doctest.DocTest]:
    """Return the docstrings of a module that hold examples."""
    found = doctest.DocTestFinder().find(importlib.import_module(module))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("module", modules_with_examples())
def test_examples__give_what_they_show(module: str) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples(module):
        runner.run(test, out=report.append)
    result = runner.summarize(verbose=False)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


def test_examples__are_in_the_functions_that_the_library_offers() -> None:
    names = {test.name for module in modules_with_examples() for test in examples(module)}
    assert set(SHOWN) <= names
