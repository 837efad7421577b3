from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from pul.arrays import ByteArray, DoubleArray
from pul.errors import ConfigError, DataError, FeatureError
from pul.reproduce.baselines.bow import BowExtractor

RED, BLUE = (255, 0, 0), (0, 0, 255)


def one_name(words: list[float], **tables: DoubleArray) -> BowExtractor:
    """An extractor with one colour name: 0 for red, 1 for blue, one half for every other."""
    names = np.full((32768, 1), 0.5)
    names[31], names[31 * 1024] = 0, 1
    shape = (1, len(words))
    plain = {"evidence": np.zeros(shape), "idf": np.ones(shape)}
    return BowExtractor(names, np.array(words)[:, None], **(plain | tables))


def halves(n_blue_rows: int) -> ByteArray:
    """One image of 8×8 pixels, red above, blue below."""
    image = np.full((1, 8, 8, 3), RED, dtype=np.uint8)
    image[:, 8 - n_blue_rows :] = BLUE
    return image


def random_images(*shape: int, seed: int = 0) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def random_extractor(n_strips: int, *, n_words: int = 15, n_names: int = 3) -> BowExtractor:
    rng = np.random.default_rng(5)
    evidence, idf = rng.random((2, n_strips, n_words)) / 4
    return BowExtractor(rng.random((32768, n_names)), rng.random((n_words, n_names)), evidence, idf)


def unit(vector: list[float]) -> DoubleArray:
    array = np.array(vector)
    return array / np.linalg.norm(array)


# By hand


def test_extract__two_colors_by_hand() -> None:
    # 2 red and 2 blue cells, each at a corner of the window, and words at 0, 1, ..., 10. Red is 0,
    # blue is 1; nearest to both are the words 0 to 9, which all 4 cells count for.
    feature = one_name([float(word) for word in range(11)]).extract(halves(4))[0]
    counts = [(exp(-word / 9) + exp(-abs(word - 1) / 9)) / sqrt(4) for word in range(10)]
    np.testing.assert_allclose(feature, unit([*counts, 0.0]), atol=1e-12)


def test_extract__burstiness_by_hand() -> None:
    # Words of their own for each: 3 red cells count √3 times as much as 1 blue one.
    steps = [word / 20 for word in range(10)]
    extractor = one_name([-step for step in steps] + [1 + step for step in steps])
    image = halves(4)
    image[:, 4:, :4] = RED
    decay = [exp(-step / 9) for step in steps]
    expected = unit([sqrt(3) * value for value in decay] + decay)
    np.testing.assert_allclose(extractor.extract(image)[0], expected, atol=1e-12)


def test_extract__a_cell_is_the_mean_of_its_pixels() -> None:
    # The 2 lower cells have 2 of 4 rows in blue: 0.5, as any other colour has in these names.
    other = halves(4)
    other[:, 4:] = (0, 255, 0)
    extractor = one_name([word / 10 for word in range(12)])
    np.testing.assert_allclose(extractor.extract(halves(2)), extractor.extract(other), atol=1e-12)


def test_extract__evidence_and_idf_by_hand() -> None:
    evidence, idf = np.zeros((1, 11)), np.ones((1, 11))
    evidence[0, 10], idf[0, 10] = 0.25, 4.0
    feature = one_name([float(word) for word in range(11)], evidence=evidence, idf=idf).extract(
        halves(0)
    )[0]
    # 4 red cells at the corners, exp(-2) each, over √4; the absent word is -0.25 · √4
    counts = [4 * exp(-2) * exp(-word / 9) / sqrt(4) for word in range(10)]
    np.testing.assert_allclose(feature, unit([*counts, -0.5]), atol=1e-12)


def test_extract__strips_come_one_after_the_other() -> None:
    image = np.full((1, 16, 8, 3), RED, dtype=np.uint8)
    image[:, 8:] = BLUE
    words = [-word / 20 for word in range(10)] + [1 + word / 20 for word in range(10)]
    tables = {"evidence": np.zeros((2, 20)), "idf": np.ones((2, 20))}
    above, below = one_name(words, **tables).extract(image)[0].reshape(2, 20)
    assert (above[:10] > 0).all()
    assert (above[10:] == 0).all()
    np.testing.assert_allclose(below, above[[*range(10, 20), *range(10)]], atol=1e-12)


# Against loops, and properties


def test_extract__equals_loops() -> None:
    images, extractor = random_images(3, 24, 12), random_extractor(3)
    expected = [_reference_bow(image, extractor) for image in images]
    np.testing.assert_allclose(extractor.extract(images), expected, atol=1e-12)


def test_extract__each_image_by_itself() -> None:
    images, extractor = random_images(20, 16, 8), random_extractor(2)
    alone = [extractor.extract(image[None])[0] for image in images]
    np.testing.assert_allclose(extractor.extract(images), alone, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_extract__bears_a_mirror(seed: int) -> None:
    images, extractor = random_images(1, 16, 12, seed=seed), random_extractor(2)
    np.testing.assert_allclose(
        extractor.extract(images), extractor.extract(images[:, :, ::-1]), atol=1e-9
    )


# Fitted tables


def test_fit__tables_of_the_training_images() -> None:
    images = random_images(6, 16, 8)
    extractor = BowExtractor.fit(images, seed=3, n_words=12)
    again = BowExtractor.fit(images, seed=3, n_words=12)
    assert extractor.codebook.shape == (12, 11)
    assert extractor.height == 16
    np.testing.assert_allclose(extractor.codebook.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(extractor.codebook, again.codebook)
    features = extractor.extract(images)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1)


def test_fit__idf_and_evidence_are_what_the_images_have() -> None:
    images = random_images(5, 16, 8)
    extractor = BowExtractor.fit(images, seed=0, n_words=14)
    plain = BowExtractor(
        extractor.color_names, extractor.codebook, np.zeros((2, 14)), np.ones((2, 14))
    )
    counts = np.array([_reference_histogram(image, plain) for image in images])
    np.testing.assert_allclose(extractor.evidence, counts.mean(axis=0), atol=1e-12)
    present = np.maximum((counts > 0).sum(axis=0), 1)
    np.testing.assert_allclose(extractor.idf, np.log(5 / present), atol=1e-12)


def test_fit__same_clothes_are_nearer() -> None:
    rng = np.random.default_rng(0)
    people = rng.integers(0, 256, (8, 2, 3))  # shirt and trousers
    colors = np.repeat(np.repeat(people, 2, axis=0), 64, axis=1)[:, :, None]
    images = np.clip(colors + rng.normal(0, 12, (16, 128, 64, 3)), 0, 255).astype(np.uint8)
    features = BowExtractor.fit(images[::2], seed=0, n_words=40).extract(images)
    assert ((features[::2] @ features[1::2].T).argmax(axis=1) == np.arange(8)).all()


@pytest.mark.parametrize(("n_images", "n_words"), [(0, 350), (2, 9), (1, 33)])
def test_fit__says_what_is_too_few(n_images: int, n_words: int) -> None:
    with pytest.raises(ConfigError):
        BowExtractor.fit(random_images(n_images, 16, 32), seed=0, n_words=n_words)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 128, 62), "not 128 × 62"), ((1, 120, 64), "must be 128 pixels high, not 120")],
)
def test_extract__says_what_size_would_be_right(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        random_extractor(16).extract(random_images(*shape))


# Files


def write_tables(folder: Path, *, n_words: int = 12, n_idf: int = 24) -> tuple[Path, Path, Path]:
    rng = np.random.default_rng(1)
    paths = (folder / "names.mat", folder / "words.mat", folder / "params.mat")
    savemat(paths[0], {"w2c": rng.random((32768, 11))})
    savemat(paths[1], {"codebook": rng.random((n_words, 11)).astype(np.float32)})
    savemat(paths[2], {"par": {"ne": rng.random((24, 1)), "idf": np.arange(n_idf)[:, None]}})
    return paths


def test_from_files__reads_strip_by_strip(tmp_path: Path) -> None:
    extractor = BowExtractor.from_files(*write_tables(tmp_path))
    assert extractor.idf.tolist() == [list(range(12)), list(range(12, 24))]
    assert extractor.extract(random_images(1, 16, 64)).shape == (1, 24)


def test_from_files__says_which_file_is_wrong(tmp_path: Path) -> None:
    _, words, params = write_tables(tmp_path)
    (tmp_path / "text.mat").write_text("no matrix")
    for wrong in (tmp_path / "absent.mat", tmp_path / "text.mat"):
        with pytest.raises(DataError, match=f"Cannot read .*{wrong.name}"):
            BowExtractor.from_files(wrong, words, params)
    with pytest.raises(DataError, match=r"words\.mat' has no variable 'w2c', but: codebook"):
        BowExtractor.from_files(words, words, params)


@pytest.mark.parametrize(("n_words", "n_idf"), [(7, 24), (12, 12)])
def test_from_files__says_what_does_not_fit(tmp_path: Path, n_words: int, n_idf: int) -> None:
    with pytest.raises(DataError, match=r"must have the fields|do not fit"):
        BowExtractor.from_files(*write_tables(tmp_path, n_words=n_words, n_idf=n_idf))


# An independent implementation, cell by cell


def _reference_bow(image: ByteArray, extractor: BowExtractor) -> DoubleArray:
    weighted = _reference_histogram(image, extractor) - extractor.evidence
    return unit((weighted * np.sqrt(extractor.idf)).ravel().tolist())


def _reference_histogram(image: ByteArray, extractor: BowExtractor) -> DoubleArray:
    n_rows, n_columns = image.shape[0] // 4, image.shape[1] // 4
    histogram = np.zeros((n_rows // 2, len(extractor.codebook)))
    tf = np.zeros(len(extractor.codebook))
    for row, column in np.ndindex(n_rows, n_columns):
        pixels = image[4 * row : 4 * row + 4, 4 * column : 4 * column + 4].reshape(16, 3)
        cell = sum(
            extractor.color_names[int(r) // 8 + 32 * (int(g) // 8) + 1024 * (int(b) // 8)] / 16
            for r, g, b in pixels
        )
        distances = [sqrt(np.sum((cell - word) ** 2)) for word in extractor.codebook]
        y, x = 2 * row / (n_rows - 1) - 1, 2 * column / (n_columns - 1) - 1
        for word in np.argsort(distances)[:10]:
            histogram[row // 2, word] += exp(-distances[word] / 9) * exp(-(x**2) - y**2)
            tf[word] += 1
    return histogram / np.sqrt(np.maximum(tf, 1))
