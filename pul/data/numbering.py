"""Numbers of people, cameras and tracklets, when several datasets come together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pul.data.readers.numbers import counts_from_0
from pul.data.samples import Sample


def settle_pids(samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
    """Give the ids of every layout one meaning: -1 is junk, 0 a distractor in the gallery.

    A data set that counts its people from 0 has images of person 0 to train or to ask for: its ids
    are raised by one. One that has junk (-1) counts in Market-1501's way, where 0 is nobody:
    nobody's images can be distractors in the gallery, but neither train nor be asked for. An id
    below -1 is nobody known.

    Args:
        samples: Samples with ids as the data set has them.

    Returns:
        The samples in the same order, and remarks for people.
    """
    is_used = any(s.pid == 0 and s.split != "gallery" for s in samples)
    has_junk = any(s.pid == -1 for s in samples)
    from_0 = counts_from_0(has_0=is_used, has_junk=has_junk)
    settled = []
    for sample in samples:
        pid = sample.pid
        if pid is not None and pid < -1:
            pid = None
        elif pid is not None and pid >= 0 and from_0:
            pid += 1
        elif pid == 0 and sample.split != "gallery":
            pid = None
        settled.append(sample if pid == sample.pid else replace(sample, pid=pid))
    n_unknown = sum(
        new.pid is None and old.pid is not None for new, old in zip(settled, samples, strict=True)
    )
    notes = []
    if from_0:
        notes.append("Identities are counted from 0: they are numbered from 1 here.")
    if n_unknown:
        notes.append(
            f"{n_unknown:,} images have an id that means nobody (0 in a set with junk, or below "
            "-1): it is not known who they show."
        )
    return tuple(settled), tuple(notes)


def continue_numbering(samples: Sequence[Sample], earlier: Sequence[Sample]) -> tuple[Sample, ...]:
    """Number a later import: a new place with new numbers, one that is known in part as before.

    Args:
        samples: What was read now.
        earlier: What is known already, numbered.

    Returns:
        The samples in the same order; junk (-1), distractors (0) and unknown ones stay as they are.
    """
    known = {sample.path: sample for sample in earlier}
    if any(sample.path in known for sample in samples):
        return _renumber(samples, _known_numbering(samples, known))
    return number_anew(samples, earlier)


def number_anew(samples: Sequence[Sample], earlier: Sequence[Sample]) -> tuple[Sample, ...]:
    """Number samples so that no person, camera or tracklet collides with an earlier one.

    Args:
        samples: Samples of another place.
        earlier: What is known already; samples stay as they are if it is empty.

    Returns:
        The samples in the same order; junk (-1), distractors (0) and unknown ones stay as they are.
    """
    if not earlier:
        return tuple(samples)
    numbering = _Numbering(
        _shift([s.pid for s in earlier], [s.pid for s in samples], lowest=1),
        _shift([s.camid for s in earlier], [s.camid for s in samples], lowest=0),
        f"{len(earlier)}:",
    )
    return _renumber(samples, numbering)


@dataclass(frozen=True, slots=True)
class _Numbering:
    """What is added to a dataset's own numbers, and put before its tracklets."""

    pid_shift: int = 0
    camid_shift: int = 0
    tracklet_prefix: str = ""


def _renumber(samples: Sequence[Sample], numbering: _Numbering) -> tuple[Sample, ...]:
    return tuple(
        replace(
            sample,
            pid=sample.pid + numbering.pid_shift if sample.pid and sample.pid > 0 else sample.pid,
            camid=None if sample.camid is None else sample.camid + numbering.camid_shift,
            tracklet=sample.tracklet and numbering.tracklet_prefix + sample.tracklet,
        )
        for sample in samples
    )


def _known_numbering(samples: Sequence[Sample], known: Mapping[Path, Sample]) -> _Numbering:
    """Return the numbering that samples were given when some of them were read before."""
    pid_shift = camid_shift = 0
    prefix = ""
    for new in samples:
        old = known.get(new.path)
        if old is None:
            continue
        if new.pid and old.pid and new.pid > 0:
            pid_shift = old.pid - new.pid
        if new.camid is not None and old.camid is not None:
            camid_shift = old.camid - new.camid
        if new.tracklet and old.tracklet:
            prefix = old.tracklet.removesuffix(new.tracklet)
    return _Numbering(pid_shift, camid_shift, prefix)


def _shift(earlier: Sequence[int | None], later: Sequence[int | None], *, lowest: int) -> int:
    used = [value for value in earlier if value is not None and value >= lowest]
    new = [value for value in later if value is not None and value >= lowest]
    return max(used) + 1 - min(new) if used and new else 0
