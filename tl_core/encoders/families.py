"""The transformer families that the engine knows: one row each, and what sets it apart.

Everything that differs between families is a field here, so that no other module asks for a
model's name. A `model_type` is what the `config.json` of a model says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tl_core.errors import ModelError

Pooling = Literal["mean", "first", "last", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family of encoders, by what sets it apart.

    `word_table` and `blocks` are attribute paths inside the base model: its (V, D) word embeddings,
    and the list of its L layers (ALBERT has one group that all layers share); `final_norm` that of a norm
    after the last layer, where it has one, and `first_norm` that of one that takes the word vectors alone: their
    length counts for nothing, so what it gives is what a network reads. `time_first`: blocks take (T, B, D).
    """

    model_type: str
    title: str
    word_table: str
    blocks: str
    final_norm: str = ""
    first_norm: str = ""
    time_first: bool = False
    pooling: Pooling = "mean"
    type_ids: bool = False
    has_pooler: bool = False  # takes `add_pooling_layer`; the engine pools on its own
    pad_left: bool = False
    position_offset: int = 0  # RoBERTa numbers its positions from pad_id + 1 = 2 on


FAMILIES: tuple[Family, ...] = (
    Family(
        model_type="bert",
        title="BERT",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
        type_ids=True,
        has_pooler=True,
    ),
    Family(
        model_type="distilbert",
        title="DistilBERT",
        word_table="embeddings.word_embeddings",
        blocks="transformer.layer",
    ),
    Family(
        model_type="albert",
        title="ALBERT",
        word_table="embeddings.word_embeddings",
        blocks="encoder.albert_layer_groups",
        type_ids=True,
        has_pooler=True,
    ),
    Family(
        model_type="roberta",
        title="RoBERTa",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
        has_pooler=True,
        position_offset=2,
    ),
    Family(
        model_type="xlm-roberta",
        title="XLM-RoBERTa",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
        has_pooler=True,
        position_offset=2,
    ),
    Family(
        model_type="mpnet",
        title="MPNet",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
        has_pooler=True,
        position_offset=2,
    ),
    Family(
        model_type="modernbert",
        title="ModernBERT",
        word_table="embeddings.tok_embeddings",
        blocks="layers",
        final_norm="final_norm",
        first_norm="embeddings.norm",
    ),
    Family(
        model_type="deberta",
        title="DeBERTa",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
    ),
    Family(
        model_type="deberta-v2",
        title="DeBERTa v2 and v3",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
        first_norm="embeddings.LayerNorm",
    ),
    Family(
        model_type="electra",
        title="ELECTRA",
        word_table="embeddings.word_embeddings",
        blocks="encoder.layer",
        type_ids=True,
    ),
    Family(
        model_type="xlnet",
        title="XLNet",
        word_table="word_embedding",
        blocks="layer",
        time_first=True,
        type_ids=True,
        pad_left=True,
    ),
    # Causal: only the last real token has seen the whole text. Its token types would be added as
    # word vectors, so none are passed.
    Family(model_type="gpt2", title="GPT-2", word_table="wte", blocks="h", final_norm="ln_f", pooling="last"),
)


def family_of(model_type: str) -> Family:
    """The row of a `model_type`; ModelError, with the list of what may be, if there is none."""
    for family in FAMILIES:
        if family.model_type == model_type:
            return family
    known = ", ".join(family.model_type for family in FAMILIES)
    raise ModelError(
        "Models of type {model_type!r} are not supported. The type must be one of: {known}. "
        "Choose a model of one of these families.",
        model_type=model_type,
        known=known,
    )
