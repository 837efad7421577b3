"""The feature of one picture, read from stdin: `-m pul.jobs.query_feature LOCATION RUN ITERATION`.

A process of its own, so that whoever shows pictures needs neither torch nor a decoder of foreign
files; the picture is kept nowhere. The answer is an .npz of `feature`, `thumbnail` (the bytes of a
small picture) and its `media_type`.
"""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pul.algorithm.features import extract_features
from pul.arrays import FloatArray
from pul.config import RunConfig
from pul.data.images import load_pixels, thumbnail
from pul.errors import ConfigError, PulError
from pul.models.hardware import prepare
from pul.models.network import load_network
from pul.store.workspace import Workspace


def extract_query(workspace: Workspace, run_id: int, iteration: int, picture: Path) -> FloatArray:
    """Extract a picture's feature as those of an iteration's training images were extracted.

    Args:
        workspace: Where the run is.
        run_id: The run.
        iteration: The iteration whose features it will be compared with.
        picture: An image file.

    Returns:
        The feature, not normalised, shape (D,).

    Raises:
        ConfigError: The model behind those features was not kept.
        ImageError: The picture cannot be decoded.
        StoreError: There is no such iteration.
    """
    record = workspace.iterations(run_id)[iteration]
    config = RunConfig(**workspace.run(run_id).config)
    if iteration == 1 and record.annotations_hash and config.init_on_annotations:
        raise ConfigError(
            "The features of iteration 1 are of a model that was fine-tuned on labels first and is "
            "not kept. Choose another iteration."
        )
    # Iteration t looked at the images with the model of iteration t - 1.
    network = load_network(workspace.checkpoint_path(run_id, max(0, iteration - 1)))
    size = network.config
    pixels = load_pixels(
        [picture],
        height=size.height,
        width=size.width,
        padding=size.padding,
        cache_dir=None,
        ranges=workspace.grey_ranges(),
    )
    device = prepare(config.replace(n_threads=1))
    features = extract_features(
        network, pixels, device=device, precision=config.extraction_precision
    )
    return np.asarray(features[0])


def main() -> None:
    """Answer one question; an error that we foresaw is one line on standard error."""
    location, run_id, iteration = sys.argv[1:]
    with TemporaryDirectory(prefix="pul-query-") as folder:
        picture = Path(folder) / "picture"
        picture.write_bytes(sys.stdin.buffer.read())
        try:
            with Workspace.open(location) as workspace:
                feature = extract_query(workspace, int(run_id), int(iteration), picture)
                small, media_type = thumbnail(picture, ranges=workspace.grey_ranges())
        except PulError as error:
            sys.exit(str(error).replace(repr(str(picture)), "The picture"))
    answer = io.BytesIO()
    shown = np.frombuffer(small, dtype=np.uint8)
    np.savez(answer, feature=feature, thumbnail=shown, media_type=np.array(media_type))
    sys.stdout.buffer.write(answer.getvalue())


if __name__ == "__main__":
    main()
