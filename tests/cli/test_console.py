"""What the command line shows of work that goes on."""

import io

import pytest
from rich.console import Console

from pul.cli import console
from pul.records import JobProgress


@pytest.fixture
def log(monkeypatch):
    """Standard error as a file."""
    text = io.StringIO()
    monkeypatch.setattr(console, "ERR", Console(file=text, soft_wrap=True))
    return text


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_progress_bar__is_a_line_every_half_minute_in_a_log(log, clock):
    with console.progress_bar("training") as show:
        for clock[0] in (0.0, 29.9, 30.0, 59.9, 61.0):
            show(int(100 * clock[0]), 204_000)
    assert log.getvalue().splitlines() == [
        "training: 3,000 of 204,000",
        "training: 6,100 of 204,000",
    ]


def test_job_bar__says_in_a_log_where_a_job_stands(log, clock):
    progress = JobProgress(step="training", iteration=1, n_iterations=3, epoch=2, n_epochs=4)
    with console.job_bar() as show:
        clock[0] = 31.0
        show(progress)
    assert log.getvalue() == "iteration 1/3 · training · epoch 2/4\n"


def test_progress_bar__moves_in_a_terminal(monkeypatch):
    text = io.StringIO()
    terminal = Console(file=text, force_terminal=True, width=100)
    monkeypatch.setattr(console, "ERR", terminal)
    with console.progress_bar("training") as show:
        show(50, 100)
    assert "training" in text.getvalue()
    assert "50/100" in text.getvalue()
