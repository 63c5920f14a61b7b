"""Recipe of the shipped source on NSMC: a LoRA adapter on the multilingual E5.

    python -m tl_core.shipping.source_nsmc --data DIR [--rows N]

DIR holds, in any sub-folder, the published `nsmc/{train,test}.csv` (may be gzip).
"""

from __future__ import annotations

from pathlib import Path

from tl_core.shipping.source import SourceData, SourceRecipe, read_set, run_source_recipe, some
from tl_core.tasks.classify.config import LoraConfig

TEST_ROWS = 5_000


def read_nsmc(folder: Path) -> SourceData:
    """Film reviews; a drawn part of the 50,000 test rows is measured on."""
    train, test = (read_set(folder, f"nsmc/{part}.csv", "review", "sentiment") for part in ("train", "test"))
    return SourceData(train, some(test, TEST_ROWS))


RECIPE = SourceRecipe(
    name="source_nsmc",
    place="nsmc",
    title="Source: NSMC film reviews on E5",
    strategy="lora",
    config=LoraConfig(epochs=1, max_tokens=64),
    encoder="e5",
    language="ko",
    read=read_nsmc,
    description=(
        "Good or bad, learned from Korean film reviews. A LoRA adapter (rank 16, every linear layer) with a linear "
        "head on `intfloat/multilingual-e5-small` (MIT), for sequential transfer."
    ),
    test=f"{TEST_ROWS:,} of the official test rows, drawn with a seed",
    sources=("- NSMC (Park 2015): CC0 1.0",),
    limits=("- Short Korean reviews of films; texts are cut after 64 tokens.",),
)

if __name__ == "__main__":
    raise SystemExit(run_source_recipe(RECIPE))
