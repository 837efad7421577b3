"""Agreement of the hand-crafted features with the authors' code and tables, frozen in files."""

import os
from pathlib import Path

import numpy as np
import pytest

from pul.reproduce.baselines.bow import BowExtractor
from pul.reproduce.baselines.lomo import extract_lomo

ORACLES = Path(os.environ["PUL_ORACLES"])
TABLES = ORACLES.parent / "bow"


@pytest.fixture(scope="module")
def frozen() -> dict[str, np.ndarray]:
    with np.load(ORACLES / "handcrafted.npz") as file:
        return dict(file)


@pytest.mark.parametrize("size", ["128x48", "128x64"])
def test_extract_lomo__equals_the_authors_code(frozen: dict[str, np.ndarray], size: str) -> None:
    feature = extract_lomo(frozen[f"image_{size}"][None])[0]
    expected = frozen[f"lomo_{size}"]
    np.testing.assert_allclose(feature[20_480:], expected[20_480:], atol=1e-9)
    # asked is a cosine of 0.9998; in this order of operations colours agree as well
    np.testing.assert_allclose(feature[:20_480], expected[:20_480], atol=1e-9)


def test_extract_bow__equals_the_authors_code(frozen: dict[str, np.ndarray]) -> None:
    names = ("w2c.mat", "codebook_350.mat", "params_350.mat")
    extractor = BowExtractor.from_files(*(TABLES / name for name in names))
    feature = extractor.extract(frozen["image_128x64"][None])[0]
    np.testing.assert_allclose(feature, frozen["bow_128x64"], atol=1e-9)
