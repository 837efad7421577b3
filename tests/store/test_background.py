"""A worker of its own process finds a workspace by its URL, wherever that is."""

import time

import numpy as np

from pul import jobs
from tests.support.fakes import image_dataset


def test_start_import__works_on_every_kind_of_workspace(workspace, tmp_path):
    image_dataset(tmp_path / "crops", np.zeros((2, 8, 4, 3), dtype=np.uint8))
    job = jobs.start_import(workspace, tmp_path / "crops" / "train")
    deadline = time.monotonic() + 60
    while not workspace.job(job.job_id).finished_at:
        assert time.monotonic() < deadline, workspace.log_path(job.job_id).read_text()
        time.sleep(0.02)
    assert workspace.job(job.job_id).status == "finished"
    assert len(workspace.images()) == 2
