"""Words on a map of 2 or 3 dimensions: PCA, t-SNE or UMAP, and how many true neighbours the map keeps.

The metric is fixed: cosine. Words come as vectors at length one, where squared Euclidean distance is twice
the cosine distance, so PCA and t-SNE, which reckon with squares, see cosine distances too.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError, DataError
from tl_core.knobs import check_knobs, knob
from tl_core.vectors.search import batch_neighbours
from tl_core.vectors.space import make_vectors

FEWEST_WORDS = 3
LARGEST_LOADING_DECIMALS = 5  # loadings equal but for rounding must not decide an axis's direction
ONE_AT_A_TIME = threading.Lock()  # some of numba's thread pools end the process when two threads enter


@dataclass(frozen=True, slots=True, kw_only=True)
class MapConfig:
    """Settings of a map of words."""

    method: str = knob(
        "pca",
        "pca looks along the directions in which the words differ most; tsne and umap bend the space to keep "
        "near words together, so their distances between groups mean little.",
        choices=("pca", "tsne", "umap"),
    )
    dimensions: int = knob(2, "Axes of the map.", low=2, high=3)
    seed: int = knob(0, "Seed of t-SNE and UMAP; PCA draws nothing.", low=0, high=10**6)
    perplexity: int = knob(30, "t-SNE: about how many neighbours a word attends to.", low=2, high=200)
    neighbours: int = knob(15, "UMAP: neighbours that a word is tied to, itself counted.", low=2, high=200)
    min_dist: float = knob(0.1, "UMAP: how near two words may lie on the map.", low=0.0, high=0.99)
    iterations: int = knob(1_000, "t-SNE: steps of its descent.", low=250, high=10_000, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, eq=False)
class WordMap:
    """N words on a map: `points` (N, d) float32; `variance` is PCA's explained share of each axis, else ().

    `overlaps` (N,) is the share of each word's `k` nearest words, by cosine among the same words, that are
    also its k nearest on the map; `notes` say what was set other than asked for.
    """

    points: NDArray[np.float32]
    variance: tuple[float, ...]
    overlaps: NDArray[np.float64]
    k: int
    notes: tuple[str, ...]

    @property
    def overlap(self) -> float:
        """The mean share of neighbours kept, between 0 and 1."""
        return float(self.overlaps.mean())

    @property
    def chance(self) -> float:
        """The overlap that words strewn at random would have: k of the N - 1 others."""
        return self.k / (len(self.overlaps) - 1)


def make_map(unit: NDArray[np.float32], config: MapConfig, *, k: int = 10) -> WordMap:
    """A map of N words from their vectors at length one (N, D); DataError below 3 words.

    Perplexity, neighbours and k are lowered, with a note, where there are too few words for them.
    """
    if unit.ndim != 2 or len(unit) < FEWEST_WORDS:
        raise DataError(
            "A map needs at least {fewest_words} words; got {unit}. Add words, or choose more neighbours.",
            fewest_words=FEWEST_WORDS,
            unit=len(unit),
        )
    notes: list[str] = []
    points, variance = principal_components(unit, config.dimensions)
    if config.method == "tsne":
        points, variance = _tsne(unit, points, config, notes), ()
    elif config.method == "umap":
        points, variance = _umap(unit, config, notes), ()
    compared = comparable_neighbours(len(unit), k)
    if compared < k:
        notes.append(
            f"Nearest words compared in the overlap: {compared}, not {k}; with only {len(unit) - 1} others, most "
            "would agree by chance."
        )
    return WordMap(points, variance, overlap_at_k(unit, points, compared), compared, tuple(notes))


def comparable_neighbours(words: int, k: int) -> int:
    """Number of neighbours to compare among N words: k, but at most half of the others, and at least 1."""
    return max(1, min(k, (words - 1) // 2))


def principal_components(
    unit: NDArray[np.float32], dimensions: int
) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    """PCA of the centred vectors by a full SVD: points (N, d), and each axis's share of the variance (d,).

    An axis points to where its largest loading is positive; axes beyond the rank are zeros.
    """
    centred = unit.astype(np.float64) - unit.mean(axis=0, dtype=np.float64)
    left, singular, axes = np.linalg.svd(centred, full_matrices=False)
    kept = min(dimensions, len(singular))
    largest = np.abs(axes[:kept]).round(LARGEST_LOADING_DECIMALS).argmax(axis=1)
    signs = np.where(axes[np.arange(kept), largest] < 0, -1.0, 1.0)
    points = np.zeros((len(unit), dimensions), dtype=np.float32)
    points[:, :kept] = left[:, :kept] * (singular[:kept] * signs)
    shares = np.zeros(dimensions)
    shares[:kept] = singular[:kept] ** 2 / max(float((singular**2).sum()), np.finfo(np.float64).tiny)
    return points, tuple(shares.tolist())


def overlap_at_k(unit: NDArray[np.float32], points: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """The share of each word's k nearest by cosine (N, D) that are its k nearest points (N, d): (N,).

    Exact; 20,000 words take a few hundred MiB. Chance gives k / (N - 1), so all others agree by necessity.
    """
    from scipy.spatial import KDTree

    count = len(unit)
    if not 1 <= k < count:
        raise ConfigError("k must be between 1 and {count}, the other words; got {k}.", count=count - 1, k=k)
    _, nearest = KDTree(points).query(points, k + 1)
    others = nearest != np.arange(count)[:, None]
    others[others.all(axis=1), -1] = False  # more than k points in one place: the word itself is not listed
    return shared_share(_nearest(unit, k), nearest[others].reshape(count, k))


def shared_share(one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.float64]:
    """The share of rows that two lists (N, k) of different rows have in common, line by line: (N,)."""
    both = np.sort(np.concatenate([one, other], axis=1), axis=1)
    shares: NDArray[np.float64] = (both[:, 1:] == both[:, :-1]).sum(axis=1) / one.shape[1]
    return shares


def _nearest(unit: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    rows = np.arange(len(unit))
    return batch_neighbours(make_vectors("map", [str(row) for row in rows], unit), rows, k)


def _tsne(
    unit: NDArray[np.float32], start: NDArray[np.float32], config: MapConfig, notes: list[str]
) -> NDArray[np.float32]:
    """t-SNE (van der Maaten & Hinton 2008) from the PCA map, which keeps its layout (Kobak & Berens 2019).

    As in van der Maaten's own code, perplexity is at most a third of the other words.
    """
    from sklearn.manifold import TSNE

    count = len(unit)
    perplexity = max(1, min(config.perplexity, (count - 1) // 3))
    if perplexity < config.perplexity:
        notes.append(
            f"Perplexity {config.perplexity} needs more than {3 * config.perplexity} words; {perplexity} was "
            f"used for {count} words."
        )
    spread = float(start[:, 0].std())
    model = TSNE(
        n_components=config.dimensions,
        perplexity=perplexity,
        learning_rate="auto",
        max_iter=config.iterations,
        init=start / (spread or 1.0) * np.float32(1e-4),
        random_state=config.seed,
    )
    points: NDArray[np.float32] = model.fit_transform(unit).astype(np.float32)
    return points


def _umap(unit: NDArray[np.float32], config: MapConfig, notes: list[str]) -> NDArray[np.float32]:
    """UMAP (McInnes et al. 2018) on exact neighbours, from the spectral layout where there are enough words."""
    count = len(unit)
    neighbours = min(config.neighbours, count)
    if neighbours < config.neighbours:
        notes.append(
            f"{config.neighbours} neighbours need as many words; {neighbours} were used for {count} words."
        )
    notes.append("A fixed seed makes UMAP use one core.")
    near = _nearest(unit, neighbours - 1)
    itself = np.arange(count)[:, None]
    cosines = [np.einsum("nd,nd->n", unit, unit[column]) for column in near.T]
    distances = np.maximum(0, 1 - np.stack(cosines, axis=1))
    with ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optional packages, ends of search that nothing searches
        from umap import UMAP

        model = UMAP(
            n_components=config.dimensions,
            n_neighbors=neighbours,
            min_dist=config.min_dist,
            metric="cosine",
            init="spectral" if count > config.dimensions + 1 else "random",
            random_state=config.seed,
            n_jobs=1,
            disconnection_distance=np.inf,  # opposite words would be left without a place
            precomputed_knn=(
                np.concatenate([itself, near], axis=1),
                np.concatenate([np.zeros((count, 1), np.float32), distances], axis=1),
            ),
        )
        return np.asarray(model.fit_transform(unit), dtype=np.float32)
