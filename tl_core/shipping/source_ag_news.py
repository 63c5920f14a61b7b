"""Recipe of the shipped source on AG News: a LoRA adapter on MiniLM.

    python -m tl_core.shipping.source_ag_news --data DIR [--rows N]

DIR holds, in any sub-folder, `ag_news/{train_part,test}.csv` (may be gzip).
"""

from __future__ import annotations

from pathlib import Path

from tl_core.shipping.source import SourceData, SourceRecipe, read_set, run_source_recipe
from tl_core.tasks.classify.config import LoraConfig


def read_ag_news(folder: Path) -> SourceData:
    """Titles and descriptions of news with their topics."""
    return SourceData(
        *(read_set(folder, f"ag_news/{part}.csv", "text", "topic") for part in ("train_part", "test"))
    )


RECIPE = SourceRecipe(
    name="source_ag_news",
    place="ag_news",
    title="Source: AG News topics on MiniLM",
    strategy="lora",
    config=LoraConfig(epochs=2, max_tokens=96),
    encoder="minilm",
    read=read_ag_news,
    description=(
        "Four topics of news. A LoRA adapter (rank 16, every linear layer) with a linear head on "
        "`sentence-transformers/all-MiniLM-L6-v2` (Apache-2.0), for sequential transfer."
    ),
    test="the official test rows",
    sources=("- AG News (Zhang et al. 2015), a part of its training rows: research, non-commercial",),
    limits=("- English; texts are cut after 96 tokens.",),
)

if __name__ == "__main__":
    raise SystemExit(run_source_recipe(RECIPE))
