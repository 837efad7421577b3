"""Features that trackers' own code computes with an exported model, beside the model's own.

    python -m benchmarks.trackers MODEL --python VENV/bin/python

VENV is an environment with boxmot, ultralytics, or both. Their re-ID classes get a picture and
boxes, as a tracker calls them, and the file that `pul export-model` wrote; what they return is
compared with what MODEL computes of the same crops. Nothing is timed.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pul.exchange.models import export_model
from pul.models.network import Network, load_network

TOLERANCE = 1e-4  # of the largest feature
_PICTURE = (480, 640)
# x1, y1, x2, y2 in pixels. BoxMOT's feeds are 256×128: boxes of that size are not scaled.
_BOXES = [[0, 0, 128, 256], [200, 100, 328, 356], [500, 220, 628, 476]]

_BOXMOT = """
import sys
import numpy as np
from boxmot.reid.core import ReID
model, folder = sys.argv[1:]
picture, boxes = np.load(folder + "/picture.npy"), np.load(folder + "/boxes.npy")
features = ReID(model, device="cpu")(picture, boxes)
crops = np.stack([picture[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes.astype(int)])
np.savez(folder + "/result.npz", features=features, **{f"crop{n}": c for n, c in enumerate(crops)})
"""
_ULTRALYTICS = """
import sys
import numpy as np
from ultralytics.trackers.utils.reid import ReID
model, folder = sys.argv[1:]
picture, boxes = np.load(folder + "/picture.npy"), np.load(folder + "/boxes.npy")
low, high = boxes[:, :2], boxes[:, 2:]
centred = np.hstack([(low + high) / 2, high - low]).astype(np.float32)
encoder = ReID(model, device="cpu")
features = np.stack(encoder(picture, centred))
crops = encoder._crop_detections(picture, centred)  # larger than the boxes, by its own rule
np.savez(folder + "/result.npz", features=features, **{f"crop{n}": c for n, c in enumerate(crops)})
"""


@dataclass(frozen=True)
class Case:
    """A tracker and a form of the model."""

    tracker: str
    format: str
    file: str
    program: str
    is_normalised: bool  # whether the tracker L2-normalises features

    def size(self, network: Network) -> tuple[int, int]:
        """Return height and width of what the tracker feeds."""
        side = max(network.config.height, network.config.width)
        return (256, 128) if self.tracker == "boxmot" else (side, side)


CASES = (
    Case("boxmot", "boxmot", "osnet_x0_25_mine.onnx", _BOXMOT, True),
    Case("boxmot", "boxmot-torchscript", "osnet_x0_25_mine.torchscript", _BOXMOT, True),
    Case("ultralytics", "ultralytics", "reid.onnx", _ULTRALYTICS, False),
)


def draw(folder: Path) -> None:
    """Write a picture (H, W, 3) in BGR, and boxes."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (_PICTURE[0] // 8, _PICTURE[1] // 8, 3), dtype=np.uint8)
    np.save(folder / "picture.npy", coarse.repeat(8, axis=0).repeat(8, axis=1))
    np.save(folder / "boxes.npy", np.array(_BOXES, dtype=np.float32))


@torch.inference_mode()
def expected(network: Network, crops: list[np.ndarray], case: Case) -> np.ndarray:
    """Return what a model computes of crops in BGR, scaled to what the tracker feeds."""
    size, own = case.size(network), (network.config.height, network.config.width)
    rows = []
    for crop in crops:
        images = torch.from_numpy(crop[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255.0
        for each in (size, own):
            if tuple(images.shape[2:]) != each:
                images = torch.nn.functional.interpolate(images, each, mode="bilinear")
        rows.append(network((images - network.mean) / network.std)[0])
    features = torch.stack(rows)
    if case.is_normalised:
        features = torch.nn.functional.normalize(features)
    return features.numpy()


def run_case(model: Path, case: Case, python: str) -> str:
    """Return the largest difference of a feature, relative to the largest; or what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder)
        export_model(model, folder / case.file, format=case.format)
        child = subprocess.run(
            [python, "-c", case.program, str(folder / case.file), name],
            **{"capture_output": True, "text": True, "check": False},
        )
        if child.returncode:
            return (child.stderr.strip().splitlines() or ["failed"])[-1]
        with np.load(folder / "result.npz") as result:
            features = result["features"]
            crops = [result[f"crop{n}"] for n in range(len(_BOXES))]
    own = expected(load_network(model), crops, case)
    if features.shape != own.shape:
        return f"features of shape {features.shape}, not {own.shape}"
    return f"{np.abs(features - own).max() / np.abs(own).max():.1e}"


def main() -> None:
    """Print a line for each tracker and form; fail if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a .safetensors file of a run or a start model")
    parser.add_argument("--python", required=True, help="Python with boxmot or ultralytics")
    arguments = parser.parse_args()
    is_equal = True
    print("| tracker | file | largest difference |\n|---|---|---|")
    for case in CASES:
        outcome = run_case(arguments.model, case, arguments.python)
        is_number = outcome[0].isdigit() and " " not in outcome
        is_equal &= is_number and float(outcome) <= TOLERANCE
        print(f"| {case.tracker} | {case.file} | {outcome} |", flush=True)
    if not is_equal:
        sys.exit(f"Features differ by more than {TOLERANCE:g}, or a tracker failed.")


if __name__ == "__main__":
    main()
