"""Videos and their tracks: crops of people cut out of them, and where each comes from."""

from pul.data.video.cameras import is_video, pair_videos, read_manifest
from pul.data.video.cutting import cut_videos, describe_plans
from pul.data.video.planning import CameraPlan, plan_videos
from pul.data.video.recordings import (
    CLOCK_FPS,
    FOLDER,
    Recording,
    crop_tracks,
    read_boxes,
    read_recordings,
)
from pul.data.video.request import CameraVideo, Start, VideoRequest

__all__ = [
    "CLOCK_FPS",
    "FOLDER",
    "CameraPlan",
    "CameraVideo",
    "Recording",
    "Start",
    "VideoRequest",
    "crop_tracks",
    "cut_videos",
    "describe_plans",
    "is_video",
    "pair_videos",
    "plan_videos",
    "read_boxes",
    "read_manifest",
    "read_recordings",
]
