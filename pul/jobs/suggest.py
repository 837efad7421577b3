"""The job of a suggestion index: for an iteration that has none, as it was stored before."""

from threadpoolctl import threadpool_limits

from pul.jobs.heartbeat import Heartbeat
from pul.labelling.loading import load_index
from pul.models.resources import default_n_threads
from pul.records import JobProgress, JobRecord
from pul.store.workspace import Workspace


def do_suggest(workspace: Workspace, job: JobRecord, heartbeat: Heartbeat) -> None:
    """Make the suggestion index of the iteration that the job names, and store it.

    Raises:
        StoreError: There is no such run or iteration, or the disk refuses.
        ArtifactError: An array is missing or damaged.
    """

    def report(text: str, done: int, total: int) -> None:
        heartbeat.report_progress(JobProgress(step="suggest", done=done, total=total, message=text))

    with threadpool_limits(default_n_threads()):
        load_index(workspace, job.params["run_id"], job.params["iteration"], on_step=report)
