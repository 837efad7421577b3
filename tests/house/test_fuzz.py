"""The short form of the fuzzers; the long one is `python -m tests.fuzz --inputs 10000`."""

from pathlib import Path

import pytest

from tests.fuzz.runner import feed
from tests.fuzz.targets import TARGETS, Target


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_fuzz__bad_input_is_refused_in_words(target: Target, tmp_path: Path) -> None:
    n_inputs = 40 if target.share == 1 else 4
    assert feed(target, tmp_path, n_inputs=n_inputs, number=1) >= n_inputs
