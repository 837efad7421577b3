"""BoW: a bag of colour-name words in horizontal strips, the baseline that came with Market-1501."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.io import loadmat

from pul.arrays import ByteArray, DoubleArray, IntArray
from pul.cluster.kmeans import cluster
from pul.errors import ConfigError, DataError, FeatureError
from pul.reproduce.baselines.color_names import LEVELS, focal_color_names
from pul.reproduce.baselines.pixels import batches, check_images

_CELL = 4  # pixels; a cell is one local feature
_STRIP = 2 * _CELL  # pixels of a strip's height
_N_NEAREST = 10  # words that a cell counts for
_SCALE = 9.0  # of the distance to a word, by which its weight decays
_N_SAMPLES = 50_000  # cells that the codebook is fitted on


@dataclass(frozen=True, slots=True, eq=False)
class BowExtractor:
    """Turns images into weighted histograms of colour words.

    S strips, V words, C colour names.

    Attributes:
        color_names: Probability of each name, shape (32768, C), row R/8 + 32 · G/8 + 1024 · B/8.
        codebook: Words, each a mixture of names, shape (V, C).
        evidence: Mean histogram of the training images, shape (S, V). It is subtracted, so that a
            word which is missing where most images have it counts too (negative evidence).
        idf: Inverse document frequency of each word in each strip, shape (S, V), not negative.

    References:
        L. Zheng, L. Shen, L. Tian, S. Wang, J. Wang, Q. Tian: Scalable person re-identification: a
        benchmark. ICCV 2015. With the authors' tables it equals their code.
    """

    color_names: DoubleArray
    codebook: DoubleArray
    evidence: DoubleArray
    idf: DoubleArray

    @classmethod
    def from_files(cls, color_names: Path, codebook: Path, params: Path) -> "BowExtractor":
        """Read the authors' tables, which we may not distribute: see their publications.

        Args:
            color_names: `w2c.mat` (van de Weijer et al. 2009): w2c, (32768, 11).
            codebook: `codebook_350.mat`: codebook, (350, 11).
            params: `params_350.mat`: par.ne and par.idf, 16 strips × 350 words each.

        Raises:
            DataError: A file cannot be read, or holds something else.
        """
        names = _read_mat(color_names, "w2c")
        words = _read_mat(codebook, "codebook")
        fields = _read_mat(params, "par")
        try:
            evidence, idf = (
                np.asarray(fields[name][0, 0], dtype=np.float64).reshape(-1, len(words))
                for name in ("ne", "idf")
            )
        except (IndexError, ValueError) as error:
            raise DataError(
                f"par in {str(params)!r} must have the fields ne and idf with {len(words)} numbers "
                f"for each strip: {error}."
            ) from error
        if names.shape != (LEVELS**3, words.shape[1]) or evidence.shape != idf.shape:
            raise DataError(
                f"The tables do not fit each other: {names.shape} colour names, {words.shape} "
                f"codebook, {evidence.shape} ne, {idf.shape} idf. Expected are (32768, C), (V, C), "
                "(S, V) and (S, V)."
            )
        return cls(names.astype(np.float64), words.astype(np.float64), evidence, idf)

    @classmethod
    def fit(cls, images: ArrayLike, *, seed: int, n_words: int = 350) -> "BowExtractor":
        """Fit tables on training images; no identities are read.

        Colour names are from published focal colours, words from k-means on the images' cells.

        Args:
            images: Training images, shape (N, H, W, 3), uint8, H a multiple of 8, W of 4.
            seed: Seed of the sample of cells and of k-means.
            n_words: Size of the codebook V.

        Raises:
            FeatureError: Images are misshapen.
            ConfigError: Fewer than 10 words, no images, or fewer cells than words.
        """
        array = check_images(images)
        n_strips = _n_strips(array)
        if n_words < _N_NEAREST or not len(array):
            raise ConfigError(
                f"{n_words} words from {len(array)} images: at least {_N_NEAREST} words and one "
                "image are needed."
            )
        names = focal_color_names()
        words = _fit_codebook(array, names, seed=seed, n_words=n_words)
        plain = cls(names, words, np.zeros((n_strips, n_words)), np.ones((n_strips, n_words)))
        total, n_images_with = np.zeros((2, n_strips, n_words))
        for rows in batches(len(array)):
            histograms = plain._histograms(array[rows])
            total += histograms.sum(axis=0)
            n_images_with += np.count_nonzero(histograms, axis=0)
        idf = np.log(len(array) / np.maximum(n_images_with, 1))
        return cls(names, words, total / len(array), idf)

    @property
    def height(self) -> int:
        """Height in pixels of the images that it takes: 128 with the authors' tables."""
        return _STRIP * len(self.idf)

    def extract(self, images: ArrayLike) -> DoubleArray:
        """Describe images by their colour words, strip by strip.

        Cells of 4×4 pixels have the mean of their pixels' colour names. A cell counts for the 10
        words nearest to it, by exp(-d/9) times a Gaussian about the middle of the image. Counts are
        summed in strips of 2 rows of cells, divided by √tf (tf: cells of the image that count for
        the word), minus the training mean, times √idf, and scaled to unit length.

        Args:
            images: RGB images, shape (N, height, W, 3), uint8, W a multiple of 4. The authors take
                128 × 64.

        Returns:
            Features, shape (N, S · V), float64, strip by strip; 5,600 with the authors' tables.

        Raises:
            FeatureError: Images are misshapen.
        """
        array = check_images(images)
        if _n_strips(array) != len(self.idf):
            raise FeatureError(
                f"These tables have {len(self.idf)} strips: images must be {self.height} pixels "
                f"high, not {array.shape[1]}."
            )
        features = np.empty((len(array), self.idf.size))
        scale = np.sqrt(self.idf)
        for rows in batches(len(array)):
            weighted = (self._histograms(array[rows]) - self.evidence) * scale
            features[rows] = weighted.reshape(len(weighted), -1)
            lengths = np.linalg.norm(features[rows], axis=1, keepdims=True)
            features[rows] /= np.maximum(lengths, np.finfo(np.float64).tiny)
        return features

    def _histograms(self, images: ByteArray) -> DoubleArray:
        """Return the words' weights in each strip over √tf, shape (B, S, V)."""
        cells = _cells(images, self.color_names)
        n_images, n_rows, n_columns = cells.shape[:3]
        words, distances = _nearest_words(cells.reshape(-1, cells.shape[3]), self.codebook)
        window = np.tile(_window(n_rows, n_columns).ravel(), n_images)
        weights = np.exp(-distances / _SCALE) * window[:, None]
        n_words, per_strip = len(self.codebook), n_columns * _STRIP // _CELL
        image, strip = (np.arange(len(words)) // n for n in (n_rows * n_columns, per_strip))
        shape = (n_images, n_rows * _CELL // _STRIP, n_words)
        histograms = np.bincount(
            (strip[:, None] * n_words + words).ravel(),
            weights=weights.ravel(),
            minlength=int(np.prod(shape)),
        ).reshape(shape)
        tf = np.bincount(
            (image[:, None] * n_words + words).ravel(), minlength=n_images * n_words
        ).reshape(n_images, 1, n_words)
        return np.asarray(histograms / np.sqrt(np.maximum(tf, 1)))


def _n_strips(images: ByteArray) -> int:
    height, width = int(images.shape[1]), int(images.shape[2])
    if not height or not width or height % _STRIP or width % _CELL:
        raise FeatureError(
            f"BoW needs images of a height that is a multiple of {_STRIP} and a width that is a "
            f"multiple of {_CELL}, not {height} × {width}: resize them to 128 × 64."
        )
    return height // _STRIP


def _cells(images: ByteArray, color_names: DoubleArray) -> DoubleArray:
    """Return the mean colour names of each cell, shape (B, H / 4, W / 4, C)."""
    levels = (images // (256 // LEVELS)).astype(np.int64)
    codes = levels[..., 0] + LEVELS * (levels[..., 1] + LEVELS * levels[..., 2])
    n_images, height, width = codes.shape
    tiles = codes.reshape(n_images, height // _CELL, _CELL, width // _CELL, _CELL)
    pixels = color_names[tiles.transpose(2, 4, 0, 1, 3)]  # (4, 4, B, H / 4, W / 4, C)
    return np.asarray(pixels.mean(axis=(0, 1)))


def _nearest_words(cells: DoubleArray, codebook: DoubleArray) -> tuple[IntArray, DoubleArray]:
    """Return the 10 words nearest to each cell and their distances, both of shape (M, 10).

    Found by matrix product, which is fast, and measured by differences, which is exact.
    """
    scores = np.einsum("vc,vc->v", codebook, codebook) / 2 - cells @ codebook.T
    words = np.argpartition(scores, _N_NEAREST - 1, axis=1)[:, :_N_NEAREST]
    differences = cells[:, None] - codebook[words]
    return words, np.sqrt(np.einsum("mnc,mnc->mn", differences, differences))


def _window(n_rows: int, n_columns: int) -> DoubleArray:
    """Return how much each cell counts: exp(-x² - y²), x and y from -1 to 1 over the image."""
    y, x = np.linspace(-1, 1, n_rows), np.linspace(-1, 1, n_columns)
    return np.exp(-(y[:, None] ** 2) - x**2)


def _fit_codebook(images: ByteArray, names: DoubleArray, *, seed: int, n_words: int) -> DoubleArray:
    """Return words by k-means on a sample of cells, shape (V, C)."""
    rng = np.random.default_rng(seed)
    n_cells = images.shape[1] * images.shape[2] // _CELL**2
    n_used = min(len(images), _N_SAMPLES)
    used = np.sort(rng.choice(len(images), n_used, replace=False))
    per_image = min(n_cells, -(-_N_SAMPLES // n_used))
    samples = []
    for rows in batches(n_used):
        cells = _cells(images[used[rows]], names)
        flat = cells.reshape(len(cells), n_cells, -1)
        samples += [image[rng.choice(n_cells, per_image, replace=False)] for image in flat]
    found = cluster(np.concatenate(samples), n_clusters=n_words, seed=seed, max_iterations=100)
    return found.centroids.astype(np.float64)


def _read_mat(path: Path, name: str) -> np.ndarray:
    try:
        content = loadmat(path)
    except Exception as error:  # scipy raises a dozen unrelated kinds on damaged files
        raise DataError(f"Cannot read {str(path)!r} as a MATLAB file: {error}.") from error
    if name not in content:
        found = ", ".join(key for key in content if not key.startswith("__"))
        raise DataError(f"{str(path)!r} has no variable {name!r}, but: {found or 'nothing'}.")
    return np.asarray(content[name])
