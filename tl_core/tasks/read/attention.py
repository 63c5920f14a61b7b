"""Where attention goes between a question, a passage and an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.encoders.attention.maps import plain_attention
from tl_core.errors import ModelError
from tl_core.tasks.read.opened import OpenWindow, window_inputs
from tl_core.tasks.read.reader import Reader
from tl_core.text.places import Numbers, members
from tl_core.training.precision import as_float64


@dataclass(frozen=True, slots=True)
class QuestionAttention:
    """Attention between words in each layer, the mean over heads; every row sums to one.

    `to_passage` is (L, Q, P), `to_question` (L, P, Q); `answer_to_passage` (L, P) and
    `answer_to_question` (L, Q) are the answer's rows. A word receives the sum of what its tokens
    receive and gives the mean of what they give (Clark et al. 2019, section 4.1); special tokens are
    left out and the rows made to sum to one again.
    """

    to_passage: Numbers
    to_question: Numbers
    answer_to_passage: Numbers
    answer_to_question: Numbers


def question_attention(reader: Reader, opened: OpenWindow) -> QuestionAttention:
    """Attention between question and passage; ModelError if the encoder does not tell it."""
    import torch

    encoder, inputs = reader.encoder, window_inputs(reader, opened)
    with reader.lock, torch.inference_mode(), plain_attention(encoder):
        maps = encoder.model(**inputs, output_attentions=True).attentions
    if not maps or len(maps) != encoder.layers or any(each is None for each in maps):
        raise ModelError(
            f"{encoder.name} told the attention of {len(maps or ())} of its {encoder.layers} layers, so it "
            "cannot be shown. Choose a reader on another encoder."
        )
    attention = np.stack([as_float64(each[0].mean(0)) for each in maps])  # (L, T, T)
    asked = members(opened.question_of, len(opened.question_words))
    read = members(opened.passage_of, len(opened.passage_words))
    answer = np.zeros((1, attention.shape[-1]))
    answer[0, opened.answer[0] : opened.answer[1] + 1] = 1
    return QuestionAttention(
        _flow(attention, asked, read),
        _flow(attention, read, asked),
        _flow(attention, answer, read)[:, 0],
        _flow(attention, answer, asked)[:, 0],
    )


def _flow(attention: Numbers, giving: Numbers, receiving: Numbers) -> Numbers:
    """Attention between groups of tokens, rows made to sum to one: (L, giving, receiving)."""
    given = giving @ attention @ receiving.T
    total = given.sum(-1, keepdims=True)
    shares: Numbers = np.divide(given, total, out=np.zeros_like(given), where=total > 0)
    return shares
