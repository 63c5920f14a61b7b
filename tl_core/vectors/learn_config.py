"""Settings of learning word vectors, and what the methods are called. Loads no gensim."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.knobs import check_knobs, knob
from tl_core.text.words import SPLITTERS

SMALLEST_RATE = 1e-4  # gensim's min_alpha, where the rate ends
METHOD_TITLES = {"skipgram": "Skip-gram", "cbow": "CBOW", "fasttext": "fastText"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnConfig:
    """Settings of learning word vectors."""

    method: str = knob(
        "skipgram",
        "skipgram predicts the words around each word, cbow each word from those around it (faster); fasttext "
        "is skipgram in which a word is also the sum of its runs of 3 to 6 letters.",
        choices=("skipgram", "cbow", "fasttext"),
    )
    width: int = knob(100, "Numbers a word.", low=2, high=1000)
    window: int = knob(
        5,
        "Most words between a word and one it predicts; for each word drawn from 1 to this.",
        low=1,
        high=50,
    )
    min_count: int = knob(5, "Words that occur fewer times are left out.", low=1, high=1000)
    epochs: int = knob(5, "Passes over the sentences.", low=1, high=200)
    negative: int = knob(
        5, "Words drawn at random against which each true neighbour is told apart.", low=1, high=50
    )
    sample: float = knob(
        1e-3,
        "Words that make up a larger share of the text are skipped at random, the more often the more frequent "
        "they are; 0 skips none.",
        low=0.0,
        high=0.1,
        advanced=True,
    )
    learning_rate: float = knob(
        0.025,
        f"First step of gradient descent; it falls to {SMALLEST_RATE:g} over all epochs.",
        low=SMALLEST_RATE,
        high=1.0,
        advanced=True,
    )
    splitter: str = knob(
        "words", "words cuts at blanks and punctuation, morphemes finds Korean's.", choices=SPLITTERS
    )
    lower: bool = knob(True, "Write every word in lower case.", advanced=True)
    seed: int = knob(0, "Start of the random numbers.", low=0, high=2**31 - 1, advanced=True)
    workers: int = knob(
        0,
        "Threads. 0 takes all this installation may use; only 1 gives the same vectors every time.",
        low=0,
        high=256,
        advanced=True,
    )

    def __post_init__(self) -> None:
        check_knobs(self)
