import numpy as np
import pytest

from pul.reproduce.baselines.color_names import FOCAL_COLORS, focal_color_names, to_lab


def test_to_lab__published_values() -> None:
    # Lindbloom's calculator, sRGB under D65
    known = {
        (255, 255, 255): (100.0, 0.0, 0.0),
        (255, 0, 0): (53.24, 80.09, 67.20),
        (0, 0, 255): (32.30, 79.19, -107.86),
        (0, 0, 0): (0.0, 0.0, 0.0),
    }
    for rgb, lab in known.items():
        assert to_lab(np.array(rgb, dtype=np.float64)).tolist() == pytest.approx(lab, abs=0.02)


def test_focal_color_names__are_probabilities() -> None:
    names = focal_color_names()
    assert names.shape == (32768, 11)
    assert names.min() >= 0
    np.testing.assert_allclose(names.sum(axis=1), 1)


def test_focal_color_names__a_focal_color_has_its_own_name() -> None:
    names = focal_color_names()
    for index, (r, g, b) in enumerate(FOCAL_COLORS.values()):
        assert names[r // 8 + 32 * (g // 8) + 1024 * (b // 8)].argmax() == index


def test_focal_color_names__softer_is_less_certain() -> None:
    hard, soft = focal_color_names(5.0), focal_color_names(50.0)
    assert hard.max(axis=1).mean() > soft.max(axis=1).mean()
