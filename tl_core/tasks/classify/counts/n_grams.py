"""The n-grams of a text as a sparse row: how often each stands in it, or whether it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.errors import DataError
from tl_core.tasks.classify.counts.config import BagOfWordsConfig
from tl_core.tasks.classify.counts.tfidf import MANY_N_GRAMS, VIEWS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer


class BagOfWords:
    """The n-grams of a text, `words` and perhaps `characters`, as counts or as presence."""

    def __init__(self, views: Mapping[str, CountVectorizer], ngrams: int, weights: str) -> None:
        self.views, self.ngrams, self.weights = dict(views), ngrams, weights

    @property
    def size(self) -> int:
        """V: the n-grams of all views together."""
        return sum(len(view.vocabulary_) for view in self.views.values())

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """The views of N texts side by side: sparse (N, V) float32."""
        from scipy.sparse import hstack

        return hstack([view.transform(list(texts)) for view in self.views.values()], format="csr")

    def n_grams(self) -> dict[str, list[str]]:
        """The n-grams of each view in the order of their ids."""
        return {
            name: [str(n_gram) for n_gram in view.get_feature_names_out()]
            for name, view in self.views.items()
        }


def make_view(name: str, ngrams: int, weights: str, **options: Any) -> CountVectorizer:
    """The counter of a view, `words` or `characters`, before or with its vocabulary."""
    from sklearn.feature_extraction.text import CountVectorizer

    kind = VIEWS[name] | ({"ngram_range": (1, ngrams)} if name == "words" else {})
    return CountVectorizer(binary=weights == "presence", dtype=np.float32, **kind, **options)


def fit_view(name: str, texts: Sequence[str], config: BagOfWordsConfig) -> tuple[CountVectorizer, csr_matrix]:
    """The counter of a view over the n-grams worth keeping, and the texts counted: sparse (N, V).

    Everything is counted once and thinned out after, since counting bigrams takes longer than training.
    """
    everything = make_view(name, config.ngrams, config.weights)
    least = config.least_rows or 1
    try:
        counts = everything.fit_transform(list(texts)).tocsr()
    except ValueError:  # sklearn's word for texts without a single n-gram
        kept = np.array([], dtype=np.int64)
    else:
        in_rows = np.bincount(counts.indices, minlength=counts.shape[1])
        if config.least_rows == 0 and len(in_rows) > MANY_N_GRAMS:
            least = 2
        often = np.asarray(counts.sum(axis=0)).ravel()
        order = np.argsort(-often, kind="stable")
        kept = np.sort(order[in_rows[order] >= least][: config.largest_vocabulary])
    if not len(kept):
        raise DataError(
            "No n-gram stands in at least {least} of the {texts:,} training rows. "
            "Choose texts that hold words, or a smaller least_rows.",
            least=least,
            texts=len(texts),
        )
    n_grams = everything.get_feature_names_out()[kept]
    return make_view(name, config.ngrams, config.weights, vocabulary=list(n_grams)).fit([]), counts[:, kept]
