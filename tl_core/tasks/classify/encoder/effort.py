"""The tokens that an encoder computes in the trainings of a strategy: what their time goes by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.tasks.classify.effort import Rates, Workload
from tl_core.tasks.classify.encoder.classifier import PREDICT_BATCH
from tl_core.training.batches import padded_tokens, sorted_batches


@dataclass(frozen=True, slots=True)
class WorkTokens:
    """The lengths of the training texts in tokens, (N,), and the padded tokens of each pass without training."""

    train: NDArray[np.int64]
    train_pass: int
    validation_pass: int
    test_pass: int

    def scoring_seconds(self, rates: Rates) -> float:
        """Seconds of loading and scoring one model: it is loaded to be trained, and again as it was saved."""
        return 2 * rates.load + rates.predict * self.test_pass


def work_tokens(work: Workload, max_tokens: int) -> WorkTokens:
    """Tokens of a workload that an encoder computes which keeps `max_tokens` of a text."""
    assert work.lengths is not None
    train, validation, test = (
        work.lengths(texts, max_tokens) for texts in (work.train, work.validation, work.test)
    )
    return WorkTokens(train, _padded(train), _padded(validation), _padded(test))


def _padded(lengths: NDArray[np.int64]) -> int:
    return padded_tokens(lengths, sorted_batches(lengths, PREDICT_BATCH))
