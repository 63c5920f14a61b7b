"""Attention between a question, a passage and an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.encoders.attention.maps import attention_maps
from tl_core.encoders.attention.rollout import shares_of_words
from tl_core.encoders.attention.subject import Subject
from tl_core.encoders.attention.units import Matrix, unit_maps, units_of
from tl_core.text.inputs import ModelInput


@dataclass(frozen=True, slots=True)
class QuestionAttention:
    """Attention between words in each layer, the mean over heads; every row sums to one.

    `to_passage` is (L, Q, P), `to_question` (L, P, Q); `answer_to_passage` (L, P) and
    `answer_to_question` (L, Q) are the answer's rows. Words receive and give as in `unit_maps`; special
    tokens are left out and the rows made to sum to one again.
    """

    to_passage: Matrix
    to_question: Matrix
    answer_to_passage: Matrix
    answer_to_question: Matrix


def question_attention(subject: Subject, shown: ModelInput, answer: tuple[int, int]) -> QuestionAttention:
    """Attention between question and passage; the answer is tokens `answer`, first and last of all T.

    ModelError if the encoder does not tell its attention.
    """
    maps = attention_maps(subject, shown).mean(1, keepdims=True)  # (L, 1, T, T)
    between = unit_maps(maps, shown).maps[:, 0]  # (L, U, U)
    groups = units_of(shown).groups
    tokens = range(answer[0], answer[1] + 1)
    given = np.stack([shares_of_words(layer[0], tokens, groups) for layer in maps])  # (L, U)
    asked, read = (np.flatnonzero([word.side == side for word in shown.words]) for side in (0, 1))
    return QuestionAttention(
        _shares(between[:, asked][:, :, read]),
        _shares(between[:, read][:, :, asked]),
        _shares(given[:, read]),
        _shares(given[:, asked]),
    )


def _shares(given: Matrix) -> Matrix:
    """Rows made to sum to one; those of zeros stay."""
    total = given.sum(-1, keepdims=True)
    shares: Matrix = np.divide(given, total, out=np.zeros_like(given), where=total > 0)
    return shares
