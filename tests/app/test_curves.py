from itertools import pairwise

import pytest

from app.components.charts.curves import _AROUND, Curve, main_curve, other_curves, spread
from app.components.charts.palette import STEPS
from app.wording import STEP_NAMES
from tests.support.fakes import iteration_record


def test_spread__names_that_are_near_each_other_are_pushed_down():
    levels = {"rank-1": 70.0, "rank-10": 94.0, "rank-20": 95.0, "rank-5": 90.0}
    placed = spread(levels, gap=5.0)
    assert placed == {"rank-20": 95.0, "rank-10": 90.0, "rank-5": 85.0, "rank-1": 70.0}


def test_spread__names_with_room_stay():
    assert spread({"a": 3.0, "b": 1.0}, gap=2.0) == {"a": 3.0, "b": 1.0}


@pytest.mark.parametrize(("n_iterations", "levels"), [(1, []), (2, [25.0, 50.0])])
def test_curves__baseline_goes_on_as_a_dashed_line_once_something_follows(n_iterations, levels):
    run = Curve(1, "one", tuple(map(iteration_record, range(n_iterations))))
    drawn = (main_curve([run], {}), *other_curves([run], {}))
    shapes = [shape for figure in drawn for shape in figure.layout.shapes]
    lines = [shape.y0 for shape in shapes if shape.line.dash == "dash"]
    assert lines == levels  # mAP and rank-1 of the baseline


def test_curves__each_step_that_took_time_is_named_beside_the_bars():
    *lines, bars = other_curves([Curve(1, "one", tuple(map(iteration_record, range(2))))], {})
    named = {bar.name: bar.marker.color for bar in bars.data}
    assert named == {"features": STEPS["extract"], "clusters": STEPS["cluster"]}
    traces = [trace for figure in lines for trace in figure.data]
    assert {trace.type for trace in traces} == {"scatter"}
    assert {trace.showlegend for trace in traces} == {False}  # one run needs no name


def test_curves__names_at_the_ends_of_lines_are_apart():
    """In pixels: those are what the names are high."""
    figure = other_curves([Curve(1, "one", tuple(map(iteration_record, range(2))))], {})[0]
    axis = figure.layout.height - _AROUND
    top = figure.layout.yaxis.range[1]
    at = sorted(axis * a.y / top + a.yshift for a in figure.layout.annotations if a.text)
    assert len(at) == 4  # rank-1, 5, 10, 20
    assert all(above - below > 13.9 for below, above in pairwise(at))


def test_step_names__every_step_that_is_drawn_has_one():
    assert STEP_NAMES.keys() == STEPS.keys()
