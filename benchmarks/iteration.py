"""Where the time of an iteration goes: `python -m benchmarks.iteration WORKSPACE [RUN]`.

Prints, as a Markdown table, the median seconds of every step over the iterations of a run that
trained, and each step's share: read from the store, so nothing is run again.
"""

import argparse
import statistics
from collections.abc import Sequence

from pul.records import IterationRecord
from pul.store.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.iteration", description=__doc__)
    parser.add_argument("workspace", help="folder or URL")
    parser.add_argument("run", type=int, nargs="?", help="its number; by default the newest")
    options = parser.parse_args(arguments)
    with Workspace.open(options.workspace) as workspace:
        run_id = options.run or workspace.runs()[-1].run_id
        print(table(workspace.iterations(run_id)))


def table(iterations: Sequence[IterationRecord]) -> str:
    """Return the table of the iterations that trained.

    Raises:
        SystemExit: No iteration has trained.
    """
    trained = [record.seconds for record in iterations if record.iteration > 0]
    if not trained:
        raise SystemExit("No iteration of this run has trained yet.")
    names = dict.fromkeys(name for seconds in trained for name in seconds)
    medians = {
        name: statistics.median(seconds.get(name, 0.0) for seconds in trained) for name in names
    }
    total = sum(medians.values())
    rows = [
        f"| {name} | {seconds:.1f} | {100 * seconds / total:.0f} |"
        for name, seconds in sorted(medians.items(), key=lambda item: -item[1])
    ]
    head = f"| step | median s of {len(trained)} iterations | share % |"
    return "\n".join([head, "|---|---|---|", *rows, f"| all | {total:.1f} | 100 |"])


if __name__ == "__main__":
    main()
