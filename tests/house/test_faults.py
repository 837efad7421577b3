"""Short forms of `python -m tests.faults --faults 500` and `python -m tests.faults.damage`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.damage import damage

ROOT = Path(__file__).resolve().parents[2]
N_FAULTS = 24


@pytest.mark.slow
def test_faults__nothing_is_lost_and_runs_end_the_same() -> None:
    # A process of its own: it forks, which one that has computed before had better not.
    struck = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--faults", str(N_FAULTS), "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert struck.returncode == 0, struck.stdout + struck.stderr
    assert re.search(rf"^{N_FAULTS} faults in .*: 0 problems$", struck.stdout, re.MULTILINE)


N_MUTATIONS = 40


@pytest.mark.slow
def test_damage__none_that_changes_a_figure_is_silent() -> None:
    counts, problems = damage(N_MUTATIONS, seed=11)
    assert problems == []
    assert counts.total() == N_MUTATIONS
    assert counts["told, changed"] >= N_MUTATIONS // 2
