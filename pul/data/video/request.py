"""What is asked for when videos are imported: which cameras, and how their tracks are read."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pul.config import Settings
from pul.data.video.sampling import USUAL_EVERY, USUAL_MOST, SamplingRule
from pul.errors import ConfigError

_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?", re.ASCII)


class Start(Settings):
    """When a video begins.

    Attributes:
        seconds: Since 1970 where a date is known, else since a moment that all cameras share.
        is_dated: Whether the date is known.
    """

    seconds: float
    is_dated: bool = False

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a date and time (ISO 8601), a time of day (`08:15:30`), or seconds.

        Raises:
            ConfigError: It is none of these.
        """
        if isinstance(value, datetime):
            return cls._of(value)
        if isinstance(value, time):
            value = value.isoformat()
        text = str(value).strip()
        clock = _CLOCK.fullmatch(text)
        if clock:
            hours, minutes, seconds = (float(part or 0) for part in clock.groups())
            return cls(seconds=3600 * hours + 60 * minutes + seconds)
        try:
            return cls(seconds=float(text))
        except ValueError:
            pass
        try:
            date.fromisoformat(text[:10])
            return cls._of(datetime.fromisoformat(text))
        except ValueError as error:
            raise ConfigError(
                f"The start time {text!r} cannot be read. Right: 2024-05-03T08:15:30, 08:15:30, or "
                "a number of seconds."
            ) from error

    @classmethod
    def _of(cls, moment: datetime) -> Self:
        # Cameras without a time zone share one: only differences count.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return cls(seconds=aware.timestamp(), is_dated=True)


class CameraVideo(Settings):
    """One video and its tracks.

    Attributes:
        video: Video file, or folder of frames; absolute.
        tracks: File of its tracks; absolute.
        name: Name of the camera.
        start: When it begins; None where that is not known.
        first_frame: What the tracks call the first frame; None leaves it to evidence.
    """

    video: Path
    tracks: Path
    name: str
    start: Start | None = None
    first_frame: int | None = None

    @field_validator("name")
    @classmethod
    def _has_a_name(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("a camera needs a name")
        return name.strip()


class VideoRequest(Settings):
    """An import of videos.

    Attributes:
        cameras: The videos.
        every: Every n-th frame of a track counts.
        per_track: Crops of a track at most.
        classes: Classes of boxes to cut; none takes people where the file names them, else all.
        fps: Frames a second of folders of frames that do not say it.
        track_size: Width and height of the pictures that the tracks were made on, where the file
            does not say it.
        has_people: Whether the ids of tracks are those of people, the same in all videos.
        split: `train`, or `test`: query and gallery.
    """

    cameras: tuple[CameraVideo, ...] = Field(min_length=1)
    every: int = Field(default=USUAL_EVERY, ge=1)
    per_track: int = Field(default=USUAL_MOST, ge=1)
    classes: tuple[str, ...] = ()
    fps: float | None = None
    track_size: tuple[int, int] | None = None
    has_people: bool = False
    split: Literal["train", "test"] = "train"

    @model_validator(mode="after")
    def _measures_people(self) -> Self:
        if self.split == "test" and not self.has_people:
            raise ConfigError(
                "Test images need identities: --split test goes with --ids-are-people only."
            )
        return self

    @property
    def rule(self) -> SamplingRule:
        """How many crops are taken of a track."""
        return SamplingRule(self.every, self.per_track)
