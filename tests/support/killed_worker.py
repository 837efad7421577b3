"""A worker that kills itself: `python -m tests.support.killed_worker LOCATION JOB_ID CALL N`.

CALL is `finetune`, for the n-th batch of fine-tuning, or what `tests.store.crashing.die_at` knows.
"""

import itertools
import os
import signal
import sys

from pul.algorithm.events import Event, Progress
from pul.jobs.worker import work
from pul.store.workspace import Workspace
from tests.store.crashing import die_at


def main() -> None:
    location, job_id, call, n = sys.argv[1:]
    batches = itertools.count(1)

    def die_at_batch(event: Event) -> None:
        is_batch = isinstance(event, Progress) and event.progress.step == call
        if is_batch and next(batches) == int(n):
            os.kill(os.getpid(), signal.SIGKILL)

    if call != "finetune":
        die_at(call, int(n))
    with Workspace.open(location) as workspace:
        work(workspace, int(job_id), on_event=die_at_batch)


if __name__ == "__main__":
    main()
