"""Seconds and events of the steps of an iteration, by a clock that is set by hand."""

from contextlib import suppress

import pytest

from pul.algorithm.events import Progress
from pul.algorithm.steps import Steps


@pytest.fixture
def clock(monkeypatch):
    """A list whose one number is the time; whoever works adds to it."""
    now = [100.0]
    monkeypatch.setattr("pul.algorithm.steps.time.perf_counter", lambda: now[0])
    return now


def test_timed__adds_up_by_step_and_starts_again_when_taken(clock):
    steps = Steps(3, 1)
    for step, seconds in (("extract", 2.0), ("cluster", 0.5), ("extract", 1.2504)):
        with steps.timed(step):
            clock[0] += seconds
        clock[0] += 50  # between two steps nothing counts
    assert steps.take_seconds() == {"extract": 3.25, "cluster": 0.5}
    assert steps.take_seconds() == {}


def test_timed__counts_a_step_that_fails(clock):
    steps = Steps(3, 1)
    with suppress(ZeroDivisionError), steps.timed("cluster"):
        clock[0] += 2
        raise ZeroDivisionError
    assert steps.take_seconds() == {"cluster": 2.0}


def test_drive__times_the_batches_and_not_who_asks_for_them(clock):
    def batches():
        for n in (1, 2):
            clock[0] += 10
            yield n
        clock[0] += 5
        return "features"

    def drive():
        steps = Steps(4, 2)
        progress = lambda n: steps.progress("extract", done=n, total=2)  # noqa: E731
        result = yield from steps.drive("extract", batches(), progress)
        assert result == "features"
        assert steps.take_seconds() == {"extract": 25.0}

    events = []
    for event in drive():
        events.append(event)
        clock[0] += 1000  # a pause
    assert all(isinstance(event, Progress) for event in events)
    found = [(e.progress.step, e.progress.done, e.progress.total) for e in events]
    assert found == [("extract", 1, 2), ("extract", 2, 2)]
    assert {(e.progress.iteration, e.progress.n_iterations) for e in events} == {(2, 4)}
