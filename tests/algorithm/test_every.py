"""What a run does only every so many iterations: measuring, and laying out the map."""

import numpy as np
import pytest

from pul.evaluation.course import course_of
from pul.records import last_measured
from tests.support.loops import CONFIG, finished, tiny_evaluation, tiny_place
from tests.support.networks import tiny_network


def run_records(config, **options):
    return finished(tiny_network(), tiny_place()[0], config, **options)


@pytest.mark.parametrize(
    ("every", "measured"),
    [(1, [0, 1, 2, 3]), (2, [0, 2, 3]), (3, [0, 3]), (100, [0, 3])],  # the last one always
)
def test_evaluate_every__the_first_the_last_and_each_nth(every, measured):
    config = CONFIG.replace(evaluate_every=every)
    records = [each for each, _, _ in run_records(config, evaluation=tiny_evaluation())]
    assert [r.iteration for r in records if r.metrics is not None] == measured
    assert [r.iteration for r in records if "evaluate" in r.seconds] == measured


def test_evaluate_every__the_figures_are_those_of_a_run_that_measures_all():
    every = run_records(CONFIG, evaluation=tiny_evaluation())
    some = run_records(CONFIG.replace(evaluate_every=2), evaluation=tiny_evaluation())
    assert some[2][0].metrics == every[2][0].metrics
    assert some[3][0].metrics == every[3][0].metrics
    np.testing.assert_array_equal(some[3][1].features, every[3][1].features)


def test_evaluate_every__an_iteration_that_ends_the_run_by_convergence_is_measured():
    config = CONFIG.replace(
        n_iterations=9, convergence_window=2, convergence_tolerance=1.0, evaluate_every=5
    )
    records = [each for each, _, _ in run_records(config, evaluation=tiny_evaluation())]
    assert [r.iteration for r in records if r.metrics is not None] == [0, 2]
    assert records[-1].iteration == 2


def test_map_every__between_the_clusters_are_on_the_last_layout():
    config = CONFIG.replace(projection=True, map_every=2)
    found = run_records(config)
    assert [r.iteration for r, _, _ in found if "project" in r.seconds] == [0, 2, 3]
    points = [arrays.points for _, arrays, _ in found]
    np.testing.assert_array_equal(points[0], points[1])
    assert not np.array_equal(points[1], points[2])


def test_course__goes_to_the_last_iteration_that_was_measured():
    config = CONFIG.replace(evaluate_every=2)
    records = [each for each, _, _ in run_records(config, evaluation=tiny_evaluation())]
    running = records[:2]  # iteration 1 is not measured
    assert last_measured(running) is records[0]
    assert last_measured(records) is records[3]
    assert last_measured([]) is None
    assert course_of(running) is None
    assert [at for at, _ in course_of(records).levels] == [0, 2, 3]
    assert course_of(records[:3]).end == records[2].metrics.mean_ap
