"""The head of a model's card as the Hugging Face hub reads it, so that a card can be uploaded as it is."""

from __future__ import annotations

from collections.abc import Sequence


def with_metadata(
    card: str, *, task: str, language: Sequence[str] = (), base: str = "", tags: Sequence[str] = ()
) -> str:
    """A Markdown card under its YAML head.

    `task` is a pipeline tag of the hub (text-classification, question-answering), `language` ISO 639-1 codes, `base` the
    hub's name of the base model, '' for none. The licence is told in the card, since base and data have their own.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        language=list(language) or None,
        license="other",
        base_model=base or None,
        pipeline_tag=task,
        tags=list(tags) or None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{card}"
