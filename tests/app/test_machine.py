"""What the studio's own process takes of the machine."""

import json
import subprocess
import sys

from tests.app.browser.browsing import ROOT

PROGRAM = """
import json, sys
import numpy, psutil
from threadpoolctl import threadpool_info
from app import services
from pul.models.resources import default_n_threads

if "saves" in sys.argv:
    services.machine.save_memory()
services.machine.leave_a_core()

def own_bytes():
    memory = psutil.Process().memory_info()
    return memory.rss - memory.shared

before, small = own_bytes(), []
for _ in range(8):
    large = numpy.ones(2**21)
    small.append(bytearray(100_000))  # on top of it, where both come from the heap
    del large
threads = {pool["num_threads"] for pool in threadpool_info()}
print(json.dumps([(own_bytes() - before) / 2**20, list(threads), [default_n_threads()]]))
"""


def told_by_a_process(*arguments: str) -> list:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: list = json.loads(child.stdout)
    return found


def test_save_memory__large_arrays_are_given_back() -> None:
    assert told_by_a_process("saves")[0] < 8  # MiB: of arrays of 16
    assert told_by_a_process()[0] > 12


def test_leave_a_core__holds_for_products_of_matrices() -> None:
    _, threads, wanted = told_by_a_process()
    assert threads == wanted
