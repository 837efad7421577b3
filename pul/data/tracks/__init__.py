"""Files of tracks, as trackers and annotation tools write them: boxes of people, frame by frame."""

from pul.data.tracks.boxes import SkippedBox, TrackBox, TrackFile, track_order
from pul.data.tracks.reading import TRACK_FORMATS, detect_track_format, read_tracks

__all__ = [
    "TRACK_FORMATS",
    "SkippedBox",
    "TrackBox",
    "TrackFile",
    "detect_track_format",
    "read_tracks",
    "track_order",
]
