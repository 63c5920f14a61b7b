"""Recipe of the shipped English reader: a LoRA adapter on MiniLM.

    python -m tl_core.shipping.reader_en --data DIR

DIR holds, in any sub-folder, the files that `WIKIPEDIA` and `OTHERS` name and, to measure on, `xquad_en.json` (each
may be gzip).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tl_core.data.reading import distinct, joined, split_by_article, with_unanswerable
from tl_core.data.reading_files import read_reading_file
from tl_core.shipping.reader import run_recipe
from tl_core.shipping.reader_recipe import Questions, ReaderRecipe, Stage
from tl_core.shipping.steps import find_file
from tl_core.tasks.read.config import ReadConfig

SQUAD = (
    "squad_v2_train_first_10_articles.json",
    "squad_v1_train_44_articles.json",
    "squad_v1_more_passages.json",
)
WIKIPEDIA = ("squadshifts_new_wiki.json", *SQUAD, "tydiqa_goldp_en_train.json")
OTHERS = ("squadshifts_reddit.json", "squadshifts_amazon_reviews.json")
TEST = "xquad_en.json"
HELD = "squadshifts_new_wiki.json"  # whole articles of it are held back, for the epoch and the calibration
HELD_SHARE = 0.05
UNANSWERABLE = 0.33  # of the held questions, for the threshold

WIKIPEDIA_SOURCES = (
    "- SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018), training articles: CC BY-SA 4.0",
    "- SQuADShifts (Miller et al. 2020), new Wikipedia: CC BY 4.0",
    "- TyDi QA, gold passages (Clark et al. 2020), English: Apache-2.0",
)
ENGLISH_SOURCES = (*WIKIPEDIA_SOURCES, "- SQuADShifts, Reddit and Amazon parts: CC BY 4.0")


def read_wikipedia(folder: Path) -> Questions:
    """English questions about Wikipedia, of which a few articles are held back."""
    return _with_held(folder, WIKIPEDIA)


def read_english(folder: Path) -> Questions:
    """All English training questions, of which a few Wikipedia articles are held back."""
    return _with_held(folder, (*WIKIPEDIA, *OTHERS))


def _with_held(folder: Path, names: Sequence[str]) -> Questions:
    kept, held = split_by_article(read_reading_file(find_file(folder, HELD)), HELD_SHARE, seed=0)
    rest = [read_reading_file(find_file(folder, name)) for name in names if name != HELD]
    train = distinct(joined("English", [kept, *rest]))
    return Questions(
        train, with_unanswerable(held, UNANSWERABLE, 0), read_reading_file(find_file(folder, TEST))
    )


RECIPE = ReaderRecipe(
    name="reader_en",
    title="English reader on MiniLM",
    encoder="minilm",
    stages=(
        Stage("english", read_english, ReadConfig(epochs=3, max_tokens=192, rank=32, alpha=64.0)),
        # Without dropout the third epoch learned by heart: one more at a lower rate, with other references.
        Stage(
            "again",
            read_english,
            ReadConfig(
                epochs=1,
                max_tokens=192,
                learning_rate=4e-4,
                head_learning_rate=4e-4,
                encoder_dropout=0.1,
                weight_decay=0.1,
                any_reference=True,
            ),
        ),
    ),
    description=(
        "Extractive reading comprehension in English: the place of an answer in a passage. A LoRA adapter "
        "(rank 32, every linear layer) with a span head on `sentence-transformers/all-MiniLM-L6-v2` "
        "(Apache-2.0)."
    ),
    test="XQuAD English, 1,190 questions from SQuAD 1.1's development set, not trained on (SQuAD's official rule)",
    sources=ENGLISH_SOURCES,
    limits=(
        "- It finds a place in the text and cannot count, reason over several places or say yes and no.",
        "- Three fifths of its questions are about Wikipedia, two fifths about Reddit posts and product reviews.",
        "- A passage in another language than English: use the Korean reader, whose encoder is multilingual.",
    ),
)

if __name__ == "__main__":
    raise SystemExit(run_recipe(RECIPE))
