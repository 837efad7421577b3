import sys
from pathlib import Path

import numpy as np
import pytest

from pul.arrays import (
    check_features,
    drop_pages,
    group_means,
    l2_normalize,
    row_blocks,
    rows_within,
)
from pul.errors import FeatureError


def test_check_features__says_which_rows_are_not_finite():
    features = np.ones((4, 2))
    features[2, 1] = np.nan
    features[3, 0] = np.inf
    with pytest.raises(FeatureError, match=r"2 of 4 rows .* row 2"):
        check_features(features)


def test_check_features__refuses_a_vector():
    with pytest.raises(FeatureError, match=r"\(N, D\).*\(3,\)"):
        check_features(np.ones(3))


def test_check_features__makes_float32_without_copying_what_is():
    good = np.ones((2, 3), dtype=np.float32)
    assert check_features(good) is good
    assert check_features(np.ones((2, 3))).dtype == np.float32


def test_l2_normalize__three_four_five_and_zero():
    normalized = l2_normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(normalized, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)


def test_group_means__by_hand():
    features = np.array([[3, 4], [0, 2], [5, 0]], dtype=np.float32)
    found = group_means(features, np.array([1, 1, 0]))
    assert found.dtype == np.float32
    assert found.tolist() == [[5, 0], [1.5, 3]]


def test_group_means__weighted_by_hand():
    features = np.array([[1], [4], [10]], dtype=np.float32)
    found = group_means(features, np.array([0, 0, 1]), weights=np.array([3, 1, 2]))
    assert found.dtype == np.float32
    assert found.tolist() == [[(3 + 4) / 4], [10]]


@pytest.mark.parametrize(("n_rows", "size"), [(0, 3), (1, 3), (3, 3), (7, 3), (6, 1)])
def test_row_blocks__cover_every_row_once(n_rows, size):
    rows = [range(n_rows)[block] for block in row_blocks(n_rows, size)]
    assert [row for block in rows for row in block] == list(range(n_rows))
    assert all(1 <= len(block) <= size for block in rows)


def test_rows_within__by_hand():
    assert rows_within(800, 10) == 20  # 40 bytes a row
    assert rows_within(799, 10) == 19
    assert rows_within(39, 10) == 1  # one row at least
    assert rows_within(8, 0) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_drop_pages__what_is_mapped_is_no_memory_of_the_process_any_more(tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.ones((4096, 2048), dtype=np.float32))
    mapped = np.asarray(np.load(tmp_path / "large.npy", mmap_mode="r"))[:, :]

    def resident() -> int:
        text = Path("/proc/self/smaps").read_text()
        part = text[text.index("large.npy") :]
        return int(part[part.index("Rss:") :].split()[1]) * 1024

    total = mapped.sum()
    assert resident() > 24 << 20
    drop_pages(mapped, np.ones(3))
    assert resident() < 1 << 20
    assert mapped.sum() == total
