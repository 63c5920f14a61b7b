"""Word vectors learned from sentences by gensim, told as events: word2vec's skip-gram and CBOW, and fastText.

gensim trains in threads of its own, one epoch a call here, so that each epoch ends in facts, in the
neighbours of a few watched words, and in a checkpoint. gensim's own saving pickles and is not used.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from itertools import chain, takewhile

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError, ModelError
from tl_core.knobs import to_values
from tl_core.training.checkpoint import load_checkpoint, save_checkpoint
from tl_core.training.events import Metric, Note, Progress, Stopped, Training
from tl_core.training.loop import LoopControl
from tl_core.vectors.gensim_model import Tally, keep_used_buckets, make_model
from tl_core.vectors.learn_config import SMALLEST_RATE, LearnConfig
from tl_core.vectors.search import best_rows
from tl_core.vectors.vocabulary import UnknownWord, Vocabulary
from tl_core.wording import per_second

NEIGHBOURS = 10
LONGEST_SENTENCE = 10_000  # gensim drops what comes after, without a word
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class EpochFacts:
    """One pass over the sentences: `words` were trained, after min_count and the skipping of frequent ones.

    `words_per_second` counts every word of the sentences. `loss` is summed over the epoch's pairs of words;
    fastText has None.
    """

    epoch: int
    words: int
    seconds: float
    words_per_second: float
    loss: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """V words, most frequent first, with their vectors (V, D) and how they came to be.

    `neighbours` gives, for each watched word, its nearest words by cosine after each epoch. `seconds`
    counts training, over all resumptions.
    """

    words: list[str]
    rows: NDArray[np.float32]
    epochs: tuple[EpochFacts, ...]
    neighbours: dict[str, tuple[tuple[str, ...], ...]]
    seconds: float


def learn_vectors(
    sentences: Sequence[Sequence[str]],
    config: LearnConfig,
    *,
    threads: int,
    watched: Sequence[str] = (),
    control: LoopControl | None = None,
) -> Training[Learned]:
    """Learn a vector for each word that occurs `min_count` times; `threads` are used where `workers` is 0.

    Yields Progress in words read, several times a second, and after each epoch (`step` is the epoch,
    from 1) `words_per_second`, `loss` (not for fasttext) and, from the second on, `changed:<word>`: how
    many of a watched word's 10 neighbours were none an epoch before. With one thread the same seed gives
    the same vectors, also over a resume; with more, threads write into each other's rows, as word2vec
    is meant to, and no two runs are equal.

    Checkpoints are written after an epoch, at most every `control.checkpoint_seconds` and after the last;
    an epoch that is cut short is begun anew. Closing the generator, or `control.stop_requested` (then Stopped
    is raised), ends within a job of 10,000 words, and no thread of it stays. DataError if too few words
    are left to learn from, ModelError if the checkpoint is of other sentences or settings.
    """
    return (yield from _Learning(sentences, config, threads, watched, control or LoopControl()).run())


class _Learning:
    """The state of one `learn_vectors`."""

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        config: LearnConfig,
        threads: int,
        watched: Sequence[str],
        control: LoopControl,
    ) -> None:
        self.config, self.control = config, control
        self.sentences = list(_pieces(sentences))
        self.total = sum(map(len, self.sentences))
        counts = Counter(chain.from_iterable(self.sentences))
        _check(self.sentences, counts, config.min_count)
        self.tally = Tally()
        self.model = make_model(config, config.workers or threads, self.tally)
        self.model.build_vocab_from_freq(counts, corpus_count=len(self.sentences))
        if config.method == "fasttext":
            keep_used_buckets(self.model.wv, config.seed)
        self.words: list[str] = self.model.wv.index_to_key
        self.counts = [counts[word] for word in self.words]
        self.watched = dict.fromkeys(watched, -1)
        self.epochs: list[EpochFacts] = []
        self.neighbours: dict[str, list[list[str]]] = {}
        self.last_saved = time.perf_counter()

    def run(self) -> Training[Learned]:
        self._resume()
        self.epochs_earlier = len(self.epochs)
        vocabulary = Vocabulary(self.words)
        for word in list(self.watched):
            try:
                self.watched[word] = vocabulary.row(word)
            except UnknownWord as error:
                del self.watched[word]
                yield Note("{error} Its neighbours cannot be watched.", {"error": str(error)})
        for epoch in range(len(self.epochs), self.config.epochs):
            yield from self._epoch(epoch)
            yield from self._tell()
            self._save()
        yield Progress(self.config.epochs * self.total, self.config.epochs * self.total)
        return Learned(
            self.words,
            self.model.wv.vectors,
            tuple(self.epochs),
            {word: tuple(map(tuple, self.neighbours.get(word, ()))) for word in self.watched},
            sum(epoch.seconds for epoch in self.epochs),
        )

    def _epoch(self, epoch: int) -> Training[None]:
        """One pass (`epoch` from 0), the rate falling as in a single call of gensim over all epochs."""
        config, tally = self.config, self.tally
        tally.begin()
        fall = (config.learning_rate - SMALLEST_RATE) / config.epochs
        began = time.perf_counter()
        with ThreadPoolExecutor(max_workers=1) as pool:
            training = pool.submit(
                self.model.train,
                takewhile(lambda _: not tally.stopped, self.sentences),
                total_examples=len(self.sentences),
                epochs=1,
                start_alpha=config.learning_rate - fall * epoch,
                end_alpha=config.learning_rate - fall * (epoch + 1),
                compute_loss=config.method != "fasttext",
            )
            try:
                while not training.done():
                    wait([training], timeout=POLL_SECONDS)
                    if self.control.stop_requested():
                        raise Stopped
                    done = epoch * self.total + sum(tally.words)
                    yield Progress(done, config.epochs * self.total, self.epochs_earlier * self.total)
            finally:
                tally.stopped = True
        words, _ = training.result()
        for failure in tally.failures:
            raise failure
        seconds = time.perf_counter() - began
        loss = None if config.method == "fasttext" else sum(tally.losses)
        self.epochs.append(EpochFacts(epoch + 1, words, seconds, per_second(self.total, seconds), loss))

    def _tell(self) -> Training[None]:
        """The curves of the epoch that just ended, and its neighbours."""
        facts = self.epochs[-1]
        if facts.loss is not None:
            yield Metric("loss", facts.epoch, facts.loss)
        yield Metric("words_per_second", facts.epoch, facts.words_per_second)
        for word, near in self._near().items():
            history = self.neighbours.setdefault(word, [])
            if history:
                yield Metric(f"changed:{word}", facts.epoch, len(set(near) - set(history[-1])))
            history.append(near)

    def _near(self) -> dict[str, list[str]]:
        """The nearest words by cosine of each watched word, without a second table of vectors."""
        if not self.watched:
            return {}
        rows, near = self.model.wv.vectors, {}
        lengths = np.linalg.norm(rows, axis=1)
        lengths[lengths == 0] = 1
        for word, at in self.watched.items():
            best = best_rows(rows @ rows[at] / lengths, NEIGHBOURS, [at])
            near[word] = [self.words[row] for row in best]
        return near

    def _arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays that training changes."""
        wv = self.model.wv
        if self.config.method == "fasttext":
            return {"words": wv.vectors_vocab, "ngrams": wv.vectors_ngrams, "output": self.model.syn1neg}
        return {"words": wv.vectors, "output": self.model.syn1neg}

    def _save(self) -> None:
        due = time.perf_counter() - self.last_saved >= self.control.checkpoint_seconds
        if self.control.checkpoints is None or not (due or len(self.epochs) == self.config.epochs):
            return
        import torch

        tensors = {name: torch.from_numpy(array) for name, array in self._arrays().items()}
        _, keys, place, *_ = self.model.random.get_state()
        tensors["random"] = torch.from_numpy(keys.astype(np.int64))
        facts = {
            "settings": to_values(self.config),
            "words": self.words,
            "counts": self.counts,
            "random_place": place,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "neighbours": self.neighbours,
        }
        save_checkpoint(self.control.checkpoints, len(self.epochs), tensors, facts)
        self.last_saved = time.perf_counter()

    def _resume(self) -> None:
        folder = self.control.checkpoints
        saved = load_checkpoint(folder) if folder else None
        if saved is None:
            return
        mine = (to_values(self.config), self.words, self.counts)
        if mine != (saved.facts["settings"], saved.facts["words"], saved.facts["counts"]):
            raise ModelError(
                "The checkpoint in {folder} is of other sentences or settings. Delete it to learn from the start.",
                folder=folder,
            )
        for name, array in self._arrays().items():
            array[:] = saved.tensors[name].numpy()
        keys = saved.tensors["random"].numpy().astype(np.uint32)
        self.model.random.set_state(("MT19937", keys, saved.facts["random_place"]))
        self.epochs = [EpochFacts(**facts) for facts in saved.facts["epochs"]]
        self.neighbours = saved.facts["neighbours"]
        if self.config.method == "fasttext":
            self.model.wv.adjust_vectors()


def _pieces(sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The sentences, those too long for gensim in several parts."""
    for sentence in sentences:
        if len(sentence) <= LONGEST_SENTENCE:
            yield sentence
        else:
            for begin in range(0, len(sentence), LONGEST_SENTENCE):
                yield sentence[begin : begin + LONGEST_SENTENCE]


def _check(sentences: Sequence[Sequence[str]], counts: Counter[str], min_count: int) -> None:
    """DataError unless some sentence holds two words that occur often enough, of two kinds at least."""
    if not counts:
        raise DataError(
            "There is no word to learn from in {sentences:,} sentences. Give texts with words.",
            sentences=len(sentences),
        )
    kept = {word for word, count in counts.items() if count >= min_count}
    if len(kept) < 2:
        raise DataError(
            "The texts hold {counts:,} different words, but min_count {min_count} leaves "
            "{kept} of them; learning needs two at least. Lower min_count or give more text.",
            counts=len(counts),
            min_count=min_count,
            kept=len(kept) or "none",
        )
    if not any(sum(word in kept for word in sentence) > 1 for sentence in sentences):
        raise DataError(
            "None of the {sentences:,} sentences holds two words that occur {min_count} times or more, so no "
            "word has others around it to learn from. Give longer sentences or lower min_count.",
            sentences=len(sentences),
            min_count=min_count,
        )
