"""`python -m tests.faults.damage --mutations 2000 --seed 0`: damage a workspace; is it told?

Each mutation changes bytes of a workspace, as a failing disk or a hand that slipped would: in its
database, in arrays, networks and records, or files that change places. It is *silent* if `doctor`
finds no error though something that a figure depends on is not what it was.
"""

import argparse
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pul.config import RunConfig
from pul.models.network import dump_network, save_network
from pul.reports.workspace_check import examine_workspace
from pul.store.workspace import Workspace
from tests.support.fakes import image_dataset, iteration_arrays, iteration_record
from tests.support.networks import coloured_images, tiny_network

N_ITERATIONS = 3
Mutate = Callable[[Path, random.Random], str]


def make_workspace(folder: Path) -> None:
    """Make a workspace with images, a run of three iterations, a steered λ, and labels."""
    with Workspace.create(folder, name="damage") as workspace:
        workspace.add_dataset(image_dataset(folder / "images", *coloured_images(3, 4)))
        save_network(tiny_network(), folder / "start.safetensors")
        run = workspace.create_run(RunConfig(n_clusters=3), model=folder / "start.safetensors")
        workspace.set_control(run.run_id, "lambda_", 0.8, author="ann")
        for n in range(N_ITERATIONS):
            network = dump_network(tiny_network(seed=n))
            arrays = iteration_arrays(seed=n)
            workspace.add_iteration(run.run_id, iteration_record(n), arrays, network)
        workspace.append_annotation_event("create", {"images": [1, 2], "name": "Ann"}, "ann")
        workspace.append_annotation_event("add", {"identity": 1, "images": [3]}, "ben")
        workspace.append_annotation_event("junk", {"images": [9]}, "ann")
    with closing(sqlite3.connect(folder / "pul.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def outcome(folder: Path) -> object:
    """Return all that figures depend on; an error's text where it cannot be read."""
    try:
        with Workspace.open(folder) as workspace:
            images = workspace.images()
            run = workspace.run(1)
            stored = [
                {name: array.tobytes() for name, array in workspace.arrays(1, n).items()}
                | {"network": workspace.checkpoint_path(1, n).read_bytes()}
                for n in range(N_ITERATIONS)
            ]
            return (
                workspace.iterations(1),
                stored,
                (run.config, workspace.start_model(1).read_bytes()),
                [(control.name, control.value) for control in workspace.controls(1)],
                [(e.event_id, e.author, e.kind, e.payload) for e in workspace.annotation_events()],
                (images.image_ids.tolist(), images.pids.tolist(), images.camids.tolist()),
                (images.splits, images.tracklets, images.frames.tolist()),
                [Path(path).read_bytes() for path in images.paths],
            )
    except Exception as error:  # of any kind: it is not what it was
        return repr(error)


def _files(folder: Path) -> list[Path]:
    kept = [*folder.glob("runs/**/*"), folder / "start.safetensors", *folder.glob("images/**/*")]
    return sorted(path for path in kept if path.is_file())


def _change_bytes(path: Path, chosen: random.Random) -> str:
    content = bytearray(path.read_bytes())
    place, length = chosen.randrange(len(content)), chosen.choice([1, 2, 8, 64, 512])
    length = min(length, len(content) - place)
    kind = chosen.choice(["flip", "flip", "blank", "noise", "cut", "double"])
    if kind == "flip":
        content[place] ^= 1 << chosen.randrange(8)
    elif kind == "blank":
        content[place : place + length] = bytes(length)
    elif kind == "noise":
        content[place : place + length] = chosen.randbytes(length)
    elif kind == "cut":
        del content[place:]
    else:
        content[place:place] = content[place : place + length]
    path.write_bytes(content)
    return f"{kind} at {place} of {path.name}"


def change_file(folder: Path, chosen: random.Random) -> str:
    return _change_bytes(chosen.choice(_files(folder)), chosen)


def change_database(folder: Path, chosen: random.Random) -> str:
    return _change_bytes(folder / "pul.db", chosen)


def swap_files(folder: Path, chosen: random.Random) -> str:
    one = chosen.choice([path for path in _files(folder) if path.parent != folder])
    alike = [p for p in _files(folder) if p != one and one.name in (p.name, *_names(p))]
    other = chosen.choice(alike)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    return f"{one.name} of {one.parent.name} and {other.parent.name} change places"


def _names(path: Path) -> list[str]:
    """Return the names of the images beside an image."""
    is_image = path.suffix == ".png"
    return [other.name for other in path.parent.iterdir()] if is_image else []


def replace_values(folder: Path, chosen: random.Random) -> str:
    path = chosen.choice([path for path in _files(folder) if path.suffix == ".npy"])
    array = np.load(path)
    what = chosen.choice(["NaN", "zeros", "another shape", "another type", "shuffled"])
    if what == "NaN" and array.dtype.kind == "f":
        array.flat[chosen.randrange(array.size)] = np.nan
    elif what == "another shape":
        array = array[:-1]
    elif what == "another type":
        array = array.astype(np.float16)
    elif what == "shuffled":
        array = array[::-1].copy()
    else:
        array = np.zeros_like(array)
    np.save(path, array)
    return f"{what} in {path.name}"


def forget_file(folder: Path, chosen: random.Random) -> str:
    path = chosen.choice(_files(folder))
    path.unlink()
    return f"{path.name} gone"


KINDS: tuple[Mutate, ...] = (
    change_file,
    change_file,
    change_database,
    change_database,
    change_database,
    swap_files,
    replace_values,
    forget_file,
)


def damage(n_mutations: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Damage copies of a workspace.

    Returns:
        How often each thing came of it, and the mutations that were silent or that broke `doctor`.
    """
    counts: Counter[str] = Counter()
    problems = []
    with TemporaryDirectory(prefix="pul-damage-") as root:
        template, copy = Path(root, "template"), Path(root, "copy")
        make_workspace(template)
        shutil.copytree(template, copy)
        sound = outcome(copy)
        for number in range(n_mutations):
            chosen = random.Random(seed * 1_000_003 + number)
            shutil.rmtree(copy)
            shutil.copytree(template, copy)
            what = chosen.choice(KINDS)(copy, chosen)
            is_same = outcome(copy) == sound
            shutil.rmtree(copy)
            shutil.copytree(template, copy)
            chosen = random.Random(seed * 1_000_003 + number)
            chosen.choice(KINDS)(copy, chosen)
            try:
                found = examine_workspace(copy)
            except Exception as error:
                problems.append(f"{number}: {what}: doctor died: {error!r}")
                continue
            is_told = any(finding.level == "error" for finding in found)
            counts[f"{'told' if is_told else 'not told'}, {'same' if is_same else 'changed'}"] += 1
            if not is_told and not is_same:
                problems.append(f"{number}: {what}: silent")
    return counts, problems


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.damage", description=__doc__)
    parser.add_argument("--mutations", type=int, default=2000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    options = parser.parse_args()
    start = time.monotonic()
    counts, problems = damage(options.mutations, options.seed)
    print("\n".join([*problems, *(f"{n:>5}  {what}" for what, n in sorted(counts.items()))]))
    seconds = time.monotonic() - start
    print(f"{options.mutations} mutations in {seconds:.0f} s: {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
