import numpy as np
import pytest


@pytest.fixture(scope="module")
def crowd():
    """Features of 600 images of 40 people in 24 dimensions, as a network's: ≥ 0, with a mean."""
    rng = np.random.default_rng(3)
    means = rng.standard_normal((40, 24))
    noisy = means[rng.integers(0, 40, 600)] + 1.6 * rng.standard_normal((600, 24))
    return np.maximum(noisy + 0.5, 0).astype(np.float32)
