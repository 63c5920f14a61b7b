"""gensim's Word2Vec and FastText as this project trains them: work tallied, stopped at once, sparing of memory.

Everything here mends or measures gensim 4.4; what is learned, and how it is told, `learning` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tl_core.vectors.learn_config import SMALLEST_RATE, LearnConfig

BUCKETS = 2_000_000  # gensim's rows for n-grams of letters
ROWS_AT_ONCE = 50_000


@dataclass(slots=True)
class Tally:
    """Counts that gensim's threads hand in during an epoch (appending is atomic), and what they are told."""

    words: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    stopped: bool = False

    def begin(self) -> None:
        self.words, self.losses, self.failures, self.stopped = [], [], [], False


def make_model(config: LearnConfig, workers: int, tally: Tally) -> Any:
    """gensim's model without a vocabulary, which keeps a tally of its threads' work and heeds its stop.

    gensim's running loss is one float32 (`word2vec_inner.pyx`): past some ten million what is added gets
    lost, and each thread writes it back without what the others added meanwhile. Here every job begins at
    zero and hands in its own sum. A thread that dies would leave gensim waiting for ever, so its error is
    kept until the epoch's end.
    """
    from gensim.models import FastText, Word2Vec

    subwords = config.method == "fasttext"
    base: Any = FastText if subwords else Word2Vec

    class Tallied(base):  # type: ignore[misc]
        @property
        def running_training_loss(self) -> float:
            return 0.0

        @running_training_loss.setter
        def running_training_loss(self, loss: float) -> None:
            tally.losses.append(float(loss))

        def _do_train_job(self, sentences: list[Sequence[str]], alpha: float, inits: Any) -> tuple[int, int]:
            if tally.stopped:
                return 0, 0
            try:
                trained, read = super()._do_train_job(sentences, alpha, inits)
            except Exception as error:
                tally.failures.append(error)
                tally.stopped = True
                return 0, 0
            tally.words.append(read)
            return trained, read

        def _log_epoch_end(self, *facts: Any) -> None:
            """gensim would warn of the sentences that a stop left out."""

    return Tallied(
        sg=int(config.method != "cbow"),
        vector_size=config.width,
        window=config.window,
        min_count=config.min_count,
        negative=config.negative,
        sample=config.sample,
        alpha=config.learning_rate,
        min_alpha=SMALLEST_RATE,
        seed=config.seed,
        workers=workers,
        **({"bucket": 1} if subwords else {}),
    )


def keep_used_buckets(wv: Any, seed: int) -> None:
    """Give fastText's n-grams the rows that gensim would, but only those this vocabulary touches.

    All 2,000,000 would take 800 MB at width 100; the n-grams of 30,000 words touch about a tenth.
    """
    wv.bucket = BUCKETS
    wv.recalc_char_ngram_buckets()
    used, compact = np.unique(np.concatenate(wv.buckets_word), return_inverse=True)
    ends = np.cumsum([len(buckets) for buckets in wv.buckets_word])[:-1]
    wv.buckets_word = np.split(compact.astype(np.uint32), ends)
    wv.bucket, rows = len(used), np.empty((len(used), wv.vector_size), dtype=np.float32)
    random = np.random.default_rng(seed + 1)  # as gensim's prep_vectors
    for begin in range(0, BUCKETS, ROWS_AT_ONCE):
        drawn = random.random((ROWS_AT_ONCE, wv.vector_size), dtype=np.float32)
        first, last = np.searchsorted(used, (begin, begin + ROWS_AT_ONCE))
        rows[first:last] = (drawn[used[first:last] - begin] * 2 - 1) / wv.vector_size
    wv.vectors_ngrams = rows
    wv.adjust_vectors()
