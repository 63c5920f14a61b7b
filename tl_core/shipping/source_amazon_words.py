"""Recipe of the shipped source on Amazon reviews for classifiers on words: the CNN document model.

    python -m tl_core.shipping.source_amazon_words --data DIR [--rows N]

DIR holds, in any sub-folder, `amazon_24_domains/{train,test}.csv` (may be gzip). The domains of films and series
are left out. Words begin with GloVe; only words of the reviews are kept.
"""

from __future__ import annotations

from tl_core.shipping.source import SourceRecipe, run_source_recipe
from tl_core.shipping.source_amazon import AMAZON_SOURCES, read_amazon
from tl_core.tasks.classify.config import CnnConfig

RECIPE = SourceRecipe(
    name="source_amazon_words",
    place="amazon_words",
    title="Source: Amazon reviews in a CNN document model",
    strategy="cnn",
    config=CnnConfig(most_words=30_000, extra_words=0),
    encoder="",
    read=read_amazon,
    description=(
        "Good or bad, learned from product reviews of 22 domains. The convolutional document model of Denil et al. 2014 "
        "on GloVe vectors (Stanford, PDDL-1.0) that were trained with it; only words of the reviews, for sequential "
        "transfer."
    ),
    test="Amazon's own test rows of the same domains",
    sources=(*AMAZON_SOURCES, "- GloVe 6B, 50 dimensions (Pennington et al. 2014): PDDL-1.0"),
    limits=("- English, the 30,000 most frequent words; half of the rows are good, half bad.",),
)

if __name__ == "__main__":
    raise SystemExit(run_source_recipe(RECIPE))
