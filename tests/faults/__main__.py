"""`python -m tests.faults --faults 500 --seed 0`: hurt the product, and count what it cost."""

import argparse
import os
import random
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of a library would not survive a fork

from tests.faults.harness import Harness, Tally, shuffled, strike_all
from tests.faults.kinds import drawn, systematic


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=500, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    options = parser.parse_args()
    start = time.monotonic()
    with TemporaryDirectory(prefix="pul-faults-") as folder:
        harness = Harness(Path(folder))
        chosen = random.Random(options.seed)
        faults = shuffled(list(systematic(harness)), options.faults // 2, options.seed)
        faults += [drawn(harness, chosen) for _ in range(options.faults - len(faults))]
        tally = strike_all(harness, faults, partial(print, flush=True))
    _report(tally, time.monotonic() - start)
    sys.exit(bool(tally.problems))


def _report(tally: Tally, seconds: float) -> None:
    for kind, n in sorted(tally.n.items()):
        print(f"{n:>5}  {kind}")
    ends = ", ".join(f"{n} {how}" for how, n in sorted(tally.ends.items()))
    print(f"{tally.n.total()} faults in {seconds:.0f} s ({ends}): {len(tally.problems)} problems")


if __name__ == "__main__":
    main()
