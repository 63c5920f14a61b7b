"""Recipe of the shipped source on Amazon reviews: a LoRA adapter on MiniLM.

    python -m tl_core.shipping.source_amazon --data DIR [--rows N]

DIR holds, in any sub-folder, `amazon_24_domains/{train,test}.csv` (may be gzip). The domains of films and series
are left out, so that film reviews are a new task.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tl_core.data.columns import Columns
from tl_core.data.examples import Examples, to_examples
from tl_core.data.tables import read_table_file
from tl_core.shipping.source import SourceData, SourceRecipe, run_source_recipe
from tl_core.shipping.steps import find_file
from tl_core.tasks.classify.config import LoraConfig

FOLDER = "amazon_24_domains"
LEFT_OUT = ("Movies_and_TV", "Amazon_Instant_Video")
AMAZON_SOURCES = (
    "- Amazon reviews of 24 domains (Ke et al. 2020, from McAuley's data), without films and series: no licence "
    "stated, research use",
)


def read_amazon(folder: Path) -> SourceData:
    """Reviews of all domains but films and series."""
    return SourceData(*(_reviews(find_file(folder, f"{FOLDER}/{part}.csv")) for part in ("train", "test")))


def _reviews(path: Path) -> Examples:
    table = read_table_file(path)
    domain = table.columns.index("domain")
    kept = [at for at, row in enumerate(table.rows) if row[domain] not in LEFT_OUT]
    left = replace(
        table, rows=[table.rows[at] for at in kept], row_numbers=[table.row_numbers[at] for at in kept]
    )
    return to_examples(left, Columns(("review",), "sentiment")).examples


RECIPE = SourceRecipe(
    name="source_amazon",
    place="amazon",
    title="Source: Amazon reviews on MiniLM",
    strategy="lora",
    config=LoraConfig(epochs=1, max_tokens=128),
    encoder="minilm",
    read=read_amazon,
    description=(
        "Good or bad, learned from product reviews of 22 domains. A LoRA adapter (rank 16, every linear layer) with "
        "a linear head on `sentence-transformers/all-MiniLM-L6-v2` (Apache-2.0), for sequential transfer."
    ),
    test="Amazon's own test rows of the same domains",
    sources=AMAZON_SOURCES,
    limits=("- English; texts are cut after 128 tokens; half of the rows are good, half bad.",),
)

if __name__ == "__main__":
    raise SystemExit(run_source_recipe(RECIPE))
