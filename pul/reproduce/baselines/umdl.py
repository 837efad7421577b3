"""UMDL: dictionaries shared across datasets, learned without identities of the target dataset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment, minimize

from pul.arrays import DoubleArray, check_features
from pul.data.samples import Sample
from pul.errors import ConfigError, DataError, FeatureError

_MIN_COSINE = 0.05  # so that images of two cameras are a better match than none


@dataclass(frozen=True, slots=True)
class UmdlConfig:
    """Settings of UMDL; the defaults are those of its authors' demo.

    Attributes:
        n_atoms: Atoms of each of the shared, the unique and the residual dictionaries.
        alpha: How strongly linked images are drawn to the same code.
        gamma: Ridge of the codes in training.
        beta: Weight of the reconstruction that includes the residual.
        ridge: Ridge of the codes afterwards, λ2.
        n_iterations: Iterations of a round.
        n_rounds: Rounds; after each, the target's images are linked again. The first has no links.
    """

    n_atoms: int = 150
    alpha: float = 5.0
    gamma: float = 0.1
    beta: float = 0.8
    ridge: float = 0.25
    n_iterations: int = 40
    n_rounds: int = 3

    def __post_init__(self) -> None:
        if min(self.n_atoms, self.n_iterations, self.n_rounds) < 1:
            raise ConfigError(f"n_atoms, n_iterations and n_rounds must be at least 1: {self}.")
        if min(self.gamma, self.ridge) <= 0 or min(self.alpha, self.beta) < 0:
            raise ConfigError(
                f"gamma and ridge must be above 0, alpha and beta not negative: {self}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class UmdlEncoder:
    """Dictionaries for the images of the target dataset.

    Attributes:
        atoms: Shared, unique and residual atoms of the target, shape (3 · n_atoms, D).
        ridge: Ridge of the codes.
    """

    atoms: DoubleArray
    ridge: float

    def encode(self, features: ArrayLike) -> DoubleArray:
        """Return the shared and unique codes of images; compare them by cosine.

        The residual atoms explain what differs between views of one person, and are left out.

        Args:
            features: Features as in training, shape (N, D).

        Returns:
            Codes, shape (N, 2 · n_atoms).
        """
        matrix = check_features(features).astype(np.float64)
        codes = _ridge_codes(matrix, self.atoms, self.ridge)
        return codes[:, : len(self.atoms) * 2 // 3]


def fit_umdl(
    target_features: ArrayLike,
    target_camids: ArrayLike,
    sources: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    seed: int,
    config: UmdlConfig | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> UmdlEncoder:
    """Learn dictionaries from labelled sources and an unlabelled target (alternating minimisation).

    An image x of the target is explained by shared, by shared + unique, and by shared + unique +
    residual atoms; one of a source by shared, and by shared + residual ones. Codes of linked images
    are drawn together by a graph Laplacian: images of one person in a source; in the target, images
    of two cameras that are each other's in an assignment of the greatest sum of cosines.

    N target images, D feature dimensions.

    Args:
        target_features: BoW features of the target, shape (N, D).
        target_camids: Their cameras, shape (N,).
        sources: Features, shape (M, D), and identities, shape (M,), of each source.
        seed: Seed of the first dictionaries.
        config: Settings.
        on_progress: Called with (iterations done, iterations in total).

    Raises:
        FeatureError: Features are misshapen.
        ConfigError: There is no source.

    References:
        P. Peng et al.: Unsupervised cross-dataset transfer learning for person re-identification.
        CVPR 2016. Departures: the codes are the exact minimum instead of one sweep over the images,
        and the target's links are made symmetric.
    """
    settings = config or UmdlConfig()
    target = _matrix(target_features, target_camids)
    if not sources:
        raise ConfigError("UMDL needs at least one labelled source.")
    rng = np.random.default_rng(seed)
    domains = [
        _Domain(_matrix(features, pids), _same(np.asarray(pids)), False, settings, rng)
        for features, pids in sources
    ]
    own = _Domain(target, np.zeros((len(target), len(target))), True, settings, rng)
    domains.append(own)
    shared = _random_atoms(settings.n_atoms, target.shape[1], rng)
    n_all = settings.n_rounds * settings.n_iterations
    for iteration in range(n_all):
        if iteration and iteration % settings.n_iterations == 0:
            codes = own.encoder(shared).encode(target)
            own.link(match_across_cameras(codes, np.asarray(target_camids)))
        for domain in domains:
            domain.update_codes(shared)
        shared = _fit_shared(domains, shared)
        for domain in domains:
            domain.update_atoms(shared)
        if on_progress is not None:
            on_progress(iteration + 1, n_all)
    return own.encoder(shared)


def choose_images(samples: Sequence[Sample], n_images: int, *, seed: int) -> list[Sample]:
    """Choose images of the target at random; nobody's identity is read."""
    order = np.random.default_rng(seed).permutation(len(samples))
    return [samples[index] for index in sorted(order[:n_images])]


def choose_people(samples: Sequence[Sample], n_images: int, *, seed: int) -> list[Sample]:
    """Choose whole people of a source at random, until they have `n_images` images or more.

    Raises:
        DataError: No image has an identity.
    """
    pids = sorted({sample.pid for sample in samples if sample.pid is not None and sample.pid > 0})
    if not pids:
        raise DataError("No image of this source has an identity: UMDL needs labelled sources.")
    chosen: list[Sample] = []
    for pid in np.random.default_rng(seed).permutation(pids):
        if len(chosen) >= n_images:
            break
        chosen += [sample for sample in samples if sample.pid == pid]
    return chosen


def match_across_cameras(codes: DoubleArray, camids: ArrayLike) -> DoubleArray:
    """Link each image to one of another camera so that the sum of cosines is greatest.

    Args:
        codes: Shape (N, K).
        camids: Cameras, shape (N,).

    Returns:
        Weights of the links, cosines of at least 0.05, shape (N, N), symmetric.
    """
    lengths = np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-12)
    unit = codes / lengths
    cosines = np.maximum(unit @ unit.T, _MIN_COSINE)
    cosines[_same(np.asarray(camids)) > 0] = 0
    np.fill_diagonal(cosines, 0)
    links = np.zeros_like(cosines)
    pairs = linear_sum_assignment(cosines, maximize=True)
    links[pairs] = cosines[pairs]
    return np.asarray((links + links.T) / 2)


class _Domain:
    """One dataset's features, codes and atoms of its own."""

    def __init__(
        self,
        features: DoubleArray,
        links: DoubleArray,
        is_target: bool,
        config: UmdlConfig,
        rng: np.random.Generator,
    ) -> None:
        n_images, n_dims = features.shape
        self.features, self.is_target, self._config = features, is_target, config
        self.unique = _random_atoms(config.n_atoms if is_target else 0, n_dims, rng)
        self.residual = _random_atoms(config.n_atoms, n_dims, rng)
        self.codes = np.zeros((n_images, config.n_atoms + len(self.unique)))
        self.residual_codes = np.zeros((n_images, config.n_atoms))
        self.link(links)

    def link(self, links: DoubleArray) -> None:
        """Draw linked images together from now on."""
        laplacian = np.diag(links.sum(axis=1)) - links
        self._stiffness, self._modes = np.linalg.eigh(laplacian)

    def encoder(self, shared: DoubleArray) -> UmdlEncoder:
        """Return what is learned so far."""
        return UmdlEncoder(np.concatenate([shared, self.unique, self.residual]), self._config.ridge)

    def update_codes(self, shared: DoubleArray) -> None:
        """Set the codes to their minimum: a ridge regression with a Laplacian."""
        config, atoms = self._config, np.concatenate([shared, self.unique])
        n_shared, weight = len(shared), config.beta**2
        products = atoms @ atoms.T
        explained = self._explained()
        gram = (1 + weight) * products
        sums = ((1 + weight) * self.features - weight * explained) @ atoms.T
        if self.is_target:
            gram[:n_shared, :n_shared] += products[:n_shared, :n_shared]
            sums[:, :n_shared] += self.features @ shared.T
        # codes · gram + (α L + γ) codes = sums, solved where gram and L are diagonal
        spectrum, basis = np.linalg.eigh(gram)
        scales = spectrum + config.gamma + config.alpha * self._stiffness[:, None]
        self.codes = self._modes @ (self._modes.T @ sums @ basis / scales) @ basis.T
        rest = self.features - self.codes @ atoms
        self.residual_codes = _ridge_codes(rest, self.residual, config.gamma)

    def shared_sums(self, shared: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        """Return this dataset's part in the shared atoms: A'A and A'X."""
        weight, codes = self._config.beta**2, self.codes[:, : len(shared)]
        aim = (1 + weight) * self.features - weight * self._explained()
        if self.is_target:
            aim += self.features - (1 + weight) * self.codes[:, len(shared) :] @ self.unique
        return (1 + weight + self.is_target) * codes.T @ codes, codes.T @ aim

    def update_atoms(self, shared: DoubleArray) -> None:
        """Set the unique and the residual atoms to their minimum."""
        codes, weight = self.codes[:, : len(shared)], self._config.beta**2
        rest = self.features - codes @ shared
        if self.is_target:
            own = self.codes[:, len(shared) :]
            aim = (1 + weight) * rest - weight * self._explained()
            self.unique = _fit_atoms((1 + weight) * own.T @ own, own.T @ aim)
            rest -= own @ self.unique
        links = self.residual_codes.T
        self.residual = _fit_atoms(links @ links.T, links @ rest)

    def _explained(self) -> DoubleArray:
        return np.asarray(self.residual_codes @ self.residual)


def _fit_shared(domains: Sequence[_Domain], shared: DoubleArray) -> DoubleArray:
    parts = [domain.shared_sums(shared) for domain in domains]
    gram, sums = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
    return _fit_atoms(gram, sums)


def _fit_atoms(gram: DoubleArray, sums: DoubleArray) -> DoubleArray:
    """Return the atoms D that minimise tr(D' gram D) - 2 tr(D' sums), none longer than 1.

    By the Lagrange dual (Lee et al., Efficient sparse coding algorithms, NIPS 2006): with
    multipliers μ ≥ 0 of the lengths, D = (gram + diag μ)⁻¹ sums, and μ maximises
    -tr(sums' (gram + diag μ)⁻¹ sums) - Σ μ, which needs only products of atoms.

    Args:
        gram: Products of codes, shape (K, K).
        sums: Codes times what they are to explain, shape (K, D).

    Returns:
        Atoms, shape (K, D).
    """
    outer = sums @ sums.T
    floor = 1e-9 * max(float(np.trace(gram)) / len(gram), 1e-12)  # atoms that no image uses

    def dual(multipliers: DoubleArray) -> tuple[float, DoubleArray]:
        inverse = np.linalg.inv(gram + np.diag(multipliers + floor))
        explained = inverse @ outer
        squares = np.einsum("ij,ji->i", explained, inverse)
        return float(np.trace(explained) + multipliers.sum()), 1 - squares

    start = np.full(len(gram), float(np.sqrt(np.trace(outer) / len(gram))))
    found = minimize(dual, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(gram))
    atoms = np.linalg.solve(gram + np.diag(found.x + floor), sums)
    lengths = np.linalg.norm(atoms, axis=1, keepdims=True)
    return np.asarray(atoms / np.maximum(lengths, 1))  # the optimiser is not exact


def _ridge_codes(features: DoubleArray, atoms: DoubleArray, ridge: float) -> DoubleArray:
    gram = atoms @ atoms.T + ridge * np.eye(len(atoms))
    return np.asarray(np.linalg.solve(gram, atoms @ features.T).T)


def _random_atoms(n_atoms: int, n_dims: int, rng: np.random.Generator) -> DoubleArray:
    atoms = rng.random((n_atoms, n_dims))
    atoms -= atoms.mean(axis=1, keepdims=True)
    return np.asarray(atoms / np.linalg.norm(atoms, axis=1, keepdims=True))


def _same(ids: np.ndarray) -> DoubleArray:
    """Return 1 where two images have the same id and are not one image, shape (N, N)."""
    same: DoubleArray = np.equal.outer(ids, ids).astype(np.float64)
    np.fill_diagonal(same, 0)
    return same


def _matrix(features: ArrayLike, ids: ArrayLike) -> DoubleArray:
    matrix = check_features(features).astype(np.float64)
    if np.shape(ids) != (len(matrix),):
        raise FeatureError(f"{len(matrix)} features need as many ids, not shape {np.shape(ids)}.")
    return matrix
