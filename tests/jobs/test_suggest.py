"""A run's worker stores what labelling needs of each iteration, before the iteration is seen."""

import time

from pul import jobs
from pul.jobs import run
from pul.jobs.heartbeat import CHECK_S
from pul.jobs.worker import work
from pul.labelling.annotations import Annotations
from pul.labelling.loading import stored_index
from pul.labelling.suggestions import next_cards
from tests.jobs.conftest import CONFIG, WHOLE_DAY, start


def test_work__each_iteration_can_be_labelled_at_once(uninterrupted):
    for iteration in range(3):
        index = stored_index(uninterrupted, 1, iteration)
        assert index is not None
        assert next_cards(index, Annotations())


def test_work__goes_on_where_no_suggestion_index_can_be_stored(workspace):
    workspace.cache_path.mkdir(exist_ok=True)
    (workspace.cache_path / "suggestions").write_text("no folder")
    assert work(workspace, start(workspace).job_id).status == "finished"
    assert stored_index(workspace, 1, 2) is None


def test_work__stopped_while_suggestions_are_found_loses_no_iteration(workspace, monkeypatch):
    job = start(workspace, CONFIG.replace(finetune=WHOLE_DAY))
    store = run.store_index

    def stop(*args, on_step, **options):
        jobs.stop_job(workspace, job.job_id)
        time.sleep(3 * CHECK_S)  # until the request has come
        store(*args, on_step=on_step, **options)

    monkeypatch.setattr(run, "store_index", stop)
    assert work(workspace, job.job_id).status == "stopped"
    assert workspace.run(1).n_iterations_done == 0
    assert [record.iteration for record in workspace.iterations(1)] == [0]
    assert stored_index(workspace, 1, 0) is not None
