"""`python -m tests.fuzz --inputs 10000 --seed 0`: bad input for everything that reads."""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.fuzz.runner import feed_all
from tests.fuzz.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="how many, over all readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[target.name for target in TARGETS])
    options = parser.parse_args()
    targets = tuple(t for t in TARGETS if options.only in (None, t.name))
    warnings.simplefilter("ignore")
    start = time.monotonic()
    with TemporaryDirectory(prefix="pul-fuzz-") as folder:
        show = lambda text: print(text, flush=True)  # noqa: E731
        n_read, failed = feed_all(targets, Path(folder), options.inputs, options.seed, show)
    print(f"{n_read:,} inputs in {time.monotonic() - start:.0f} s: {len(failed)} readers failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
