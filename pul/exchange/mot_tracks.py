"""Identities as merged tracks in MOTChallenge's form: one file for each video."""

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pul.data.tracks import TrackBox, track_order
from pul.data.video import Recording, crop_tracks, read_boxes, read_recordings
from pul.errors import DataError
from pul.exchange.snapshot import Snapshot

_MERGED = "tracks.csv"
_COLUMNS = ("file", "camera", "track", "number", "identity", "n_crops", "n_boxes", "remark")
_NOBODY = "nobody said who it is, and no cluster that was exported does"
_PIXEL_1 = 1.0  # MOTChallenge calls the first pixel of a line 1
_DIGITS = 6


_Votes = dict[int, tuple[int, int]]  # labelled crops, and all crops, of each person


@dataclass(slots=True)
class _Track:
    """A track of one video, and the number that it is written with."""

    track: str
    frames: frozenset[int]
    number: int = 0
    identity: str = ""
    n_crops: int = 0  # of that identity
    remark: str = ""


def write_mot_tracks(snapshot: Snapshot, folder: Path) -> None:
    """Fill a folder with the tracks of each video, where one person has one number in all of them.

    Every box of the tracks that were imported is there, in frames that were not sampled too. A
    track takes the identity that most of its labelled crops have, else that of most crops; tracks
    without one keep numbers of their own, above those of identities, and their remark says so. One
    person cannot be at two places of a picture: where two tracks of one identity share a frame, the
    one with more labelled crops of it, then with more crops, takes it. `tracks.csv` says what
    became of each track.

    A row is `frame, id, left, top, width, height, confidence, -1, -1, -1`; frames count as in the
    imported file if that was MOTChallenge's, else from 1.

    Raises:
        DataError: No image of the workspace was cut from a video.
    """
    recordings = read_recordings(snapshot.folder)
    if not recordings:
        raise DataError(
            "No image of this workspace was cut from a video, so that there are no tracks. Import "
            "one with `python -m pul import VIDEO --tracks FILE`."
        )
    votes = _count_votes(snapshot, recordings)
    names = {person.number: person.name for person in snapshot.people}
    n_numbers = len(names)
    rows: list[Sequence[object]] = []
    for recording in recordings:
        boxes = list(read_boxes(snapshot.folder, recording))
        tracks = _find_tracks(boxes)
        _settle(tracks, votes[recording.key], names)
        for track in tracks.values():
            if not track.number:
                n_numbers += 1
                track.number = n_numbers
                track.remark = track.remark or _NOBODY
        name = f"{recording.key}.txt"
        lines = (_line(box, tracks[box.track].number, recording) for box in boxes)
        (folder / name).write_text("".join(lines), encoding="utf-8")
        counts = Counter(box.track for box in boxes)
        rows += (_row(name, recording, track, counts) for track in tracks.values())
    with (folder / _MERGED).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)


def _count_votes(
    snapshot: Snapshot, recordings: Sequence[Recording]
) -> dict[str, dict[str, _Votes]]:
    """Count the crops of each person, by recording and track."""
    places = {
        str(path): (recording.key, track)
        for recording in recordings
        for path, track in crop_tracks(snapshot.folder, recording)
    }
    votes: dict[str, dict[str, _Votes]] = defaultdict(lambda: defaultdict(dict))
    for person in snapshot.people:
        for shot in person.shots:
            if str(shot.path) in places:
                key, track = places[str(shot.path)]
                found = votes[key][track]
                n_labelled, n_crops = found.get(person.number, (0, 0))
                is_labelled = shot.path not in snapshot.guessed
                found[person.number] = n_labelled + is_labelled, n_crops + 1
    return votes


def _find_tracks(boxes: Sequence[TrackBox]) -> dict[str, _Track]:
    frames: dict[str, set[int]] = defaultdict(set)
    for box in boxes:
        frames[box.track].add(box.frame)
    ordered = sorted(frames, key=track_order)
    return {track: _Track(track, frozenset(frames[track])) for track in ordered}


def _settle(tracks: dict[str, _Track], votes: dict[str, _Votes], names: dict[int, str]) -> None:
    """Give tracks the numbers of identities, the surest first, so that none is twice in a frame."""
    claims = []
    for name, track in tracks.items():
        if name in votes:
            number, vote = max(votes[name].items(), key=lambda item: (item[1], -item[0]))
            claims.append((vote, len(track.frames), number, track))
    # Stable: of equal claims, the first track's.
    claims.sort(key=lambda claim: claim[:2], reverse=True)
    holders: dict[int, list[_Track]] = defaultdict(list)
    for (_, n_crops), _, number, track in claims:
        rival = next((other for other in holders[number] if other.frames & track.frames), None)
        if rival is not None:
            track.remark = f"not {names[number]}: shares frames with track {rival.track}"
            continue
        track.number, track.identity, track.n_crops = number, names[number], n_crops
        holders[number].append(track)


def _line(box: TrackBox, number: int, recording: Recording) -> str:
    is_mot = recording.track_format == "mot"
    frame = box.frame if is_mot else box.frame - recording.first_frame + 1
    confidence = 1.0 if box.confidence is None else box.confidence
    edges = (box.left + _PIXEL_1, box.top + _PIXEL_1, box.width, box.height, confidence)
    values = ",".join(f"{round(value, _DIGITS):.15g}" for value in edges)
    return f"{frame},{number},{values},-1,-1,-1\n"


def _row(name: str, recording: Recording, track: _Track, counts: Counter[str]) -> Sequence[object]:
    return (
        name, recording.camera, track.track, track.number, track.identity, track.n_crops,
        counts[track.track], track.remark,
    )  # fmt: skip
