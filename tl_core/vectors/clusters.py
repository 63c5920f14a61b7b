"""Groups of words: k-means on vectors at length one, each group named by the words in its middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError, DataError

STARTS = 5
NAMING_WORDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """`labels` (N,) number the groups from 0, the largest first; `names` has one line a group."""

    labels: NDArray[np.intp]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def cluster_words(
    unit: NDArray[np.float32], words: Sequence[str], clusters: int, *, seed: int = 0
) -> Clusters:
    """Groups of N words from their vectors at length one (N, D), by k-means, best of 5 starts.

    On such vectors k-means puts a word to the centre of largest cosine, but for the centre's length (nearly
    the spherical k-means of Dhillon & Modha 2001). A group is named by its 3 words of largest cosine to its
    centre. There are at most as many groups as different vectors.
    """
    from sklearn.cluster import KMeans

    if len(words) != len(unit) or not len(words):
        raise DataError(
            "{words:,} words, but {unit:,} vectors to group; there must be one vector a word.",
            words=len(words),
            unit=len(unit),
        )
    if clusters < 1:
        raise ConfigError("The number of clusters must be at least 1; got {clusters}.", clusters=clusters)
    different = len(np.unique(unit, axis=0))
    model = KMeans(min(clusters, different), n_init=STARTS, random_state=seed).fit(unit)
    groups, firsts, sizes = np.unique(model.labels_, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -sizes))  # the largest first, equal ones in the order of words
    places = np.empty(groups.max() + 1, dtype=np.intp)
    places[groups[order]] = np.arange(len(groups))
    labels = places[model.labels_]
    names = []
    for group in range(len(groups)):
        members = np.flatnonzero(labels == group)
        near = np.argsort(-(unit[members] @ unit[members].mean(axis=0)), kind="stable")
        names.append(", ".join(words[row] for row in members[near[:NAMING_WORDS]]))
    return Clusters(labels, tuple(names))
