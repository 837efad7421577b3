"""Labels as MOTChallenge: a sequence for each camera, in which every image is a frame."""

import configparser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pul.data.decoding import decode
from pul.data.file_names import to_text
from pul.data.readers.columns import identity_in
from pul.data.readers.table_files import read_table
from pul.data.tracks import read_tracks
from pul.exchange.folders import check_files
from pul.exchange.labels import Label, Labels, Problem, Spot, as_role, one_person_each
from pul.exchange.snapshot import Shot, Snapshot
from pul.exchange.tables import plain_cell, write_rows
from pul.store.atomic_files import place_file

FRAMES = "frames.csv"
TRUTH = "gt/gt.txt"
_COLUMNS = ("frame", "path", "track", "identity", "role")


class _Frame(NamedTuple):
    shot: Shot
    number: int  # of the identity; 0 for junk
    name: str
    role: str


def write_mot(snapshot: Snapshot, folder: Path) -> None:
    """Fill a folder with a sequence for each camera, whose frames are the images of this camera.

    A sequence has `img1/000001.jpg` ..., `gt/gt.txt` with a box around each whole image,
    `gt/labels.txt` and `seqinfo.ini`. Numbers of identities are the same in all of them. What rows
    of numbers cannot say, the names and where an image comes from, is in `frames.csv`, from which
    `import-annotations` reads it back. Junk has no box; unsure images are left out.

    Raises:
        DataError: An image is gone.
        ImageError: An image cannot be decoded, so that its size is not known.
    """
    frames = [_Frame(s, p.number, p.name, p.role) for p in snapshot.people for s in p.shots]
    frames += [_Frame(shot, 0, "", "junk") for shot in snapshot.junk]
    check_files([frame.shot for frame in frames])
    by_camera: dict[int, list[_Frame]] = {}
    for frame in frames:
        by_camera.setdefault(frame.shot.camid or 0, []).append(frame)
    for camid, mine in sorted(by_camera.items()):
        mine.sort(key=lambda frame: (frame.shot.frame or 0, frame.shot.path))
        _write_sequence(folder / f"camera-{camid}", mine)


def label_tracks(path: Path, format: str) -> Labels:
    """Read labels from a file of tracks: MOTChallenge, or CVAT for video.

    Where `frames.csv` stands in the folder around `gt`, as exports have it, it names the images;
    else they are known by the numbers of frame and track in their names.

    Raises:
        DatasetError: It cannot be read, or is of no such format.
    """
    frames = path.parent.parent / FRAMES
    if frames.is_file():
        return _known_frames(path, frames)
    tracks = read_tracks(path)
    n_boxes = Counter((box.video, box.frame) for box in tracks.boxes)
    labels = [
        Label(
            f"{path.name}, frame {box.frame}, track {box.track}",
            box.image,
            identity_in(box.attributes) or box.track,
            as_role(box.attributes.get("role", "")),
            None if box.image else Spot(box.frame, box.track, n_boxes[box.video, box.frame] == 1),
        )
        for box in tracks.boxes
    ]
    kept, several = one_person_each(labels)
    skipped = [Problem(skip.place, skip.reason) for skip in tracks.skipped]
    return Labels(
        tuple(kept),
        (*skipped, *several),
        notes=tracks.notes,
        format=format,
        first_frame=tracks.first_frame,
    )


def _write_sequence(folder: Path, frames: Sequence[_Frame]) -> None:
    (folder / "gt").mkdir(parents=True)
    sizes = [decode(frame.shot.path).size for frame in frames]
    suffixes = [frame.shot.path.suffix.lower() for frame in frames]
    rows = []
    for number, (frame, size, suffix) in enumerate(
        zip(frames, sizes, suffixes, strict=True), start=1
    ):
        place_file(frame.shot.path, folder / "img1" / f"{number:06}{suffix}")
        if frame.number:  # the first pixel is 1 there; then: counts, class 1, fully visible
            rows.append(f"{number},{frame.number},1,1,{size[0]},{size[1]},1,1,1")
    (folder / TRUTH).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    (folder / "gt" / "labels.txt").write_text("person\n", encoding="utf-8")
    width, height = (max(edge) for edge in zip(*sizes, strict=True))
    info = configparser.ConfigParser()
    info.optionxform = str  # type: ignore[assignment,method-assign]  # keeps capitals
    info["Sequence"] = {
        "name": folder.name, "imDir": "img1", "frameRate": "1", "seqLength": str(len(frames)),
        "imWidth": str(width), "imHeight": str(height),
        "imExt": Counter(suffixes).most_common(1)[0][0],
    }  # fmt: skip
    with (folder / "seqinfo.ini").open("w", encoding="utf-8") as file:
        info.write(file, space_around_delimiters=False)
    write_rows(
        folder / FRAMES,
        _COLUMNS,
        (
            (n, to_text(f.shot.path), f.number or "", f.name, f.role)
            for n, f in enumerate(frames, 1)
        ),
    )


def _known_frames(path: Path, frames: Path) -> Labels:
    """Read tracks whose frames a list names; it also says what the numbers of tracks are called."""
    rows = {row.cells["frame"]: row.cells for row in read_table(frames).rows}
    names = {cells["track"]: cells for cells in rows.values() if cells["track"]}
    place = f"{path.parent.parent.name}/{path.name}"
    labels: list[Label] = []
    problems: list[Problem] = []
    boxes = read_tracks(path).boxes if path.stat().st_size else ()  # a camera with junk only
    for box in boxes:
        where, frame = f"{place}, frame {box.frame}", rows.get(str(box.frame))
        if frame is None:
            problems.append(Problem(where, f"there is no frame {box.frame} in {FRAMES}"))
        else:
            named = names.get(box.track, {})
            identity = plain_cell(named.get("identity", "")) or box.track
            role = as_role(named.get("role", ""))
            labels.append(Label(where, plain_cell(frame["path"]), identity, role))
    kept, several = one_person_each(labels)
    boxed = {label.path for label in labels}
    kept += [
        Label(f"{place}, frame {number}", plain_cell(cells["path"]), "", "junk")
        for number, cells in rows.items()
        if cells["role"] == "junk" and plain_cell(cells["path"]) not in boxed
    ]
    return Labels(tuple(kept), (*problems, *several), format="MOTChallenge")
