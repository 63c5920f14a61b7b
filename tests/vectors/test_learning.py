"""Learning word vectors: equal to gensim's own, told epoch by epoch, stopped and resumed."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tl_core.errors import ConfigError, DataError, ModelError
from tl_core.training.events import Metric, Note, Progress, Stopped
from tl_core.training.loop import LoopControl
from tl_core.vectors.learn_config import LearnConfig
from tl_core.vectors.learning import Learned, learn_vectors
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import make_vectors

PROJECT = Path(__file__).resolve().parents[2]
METHODS = ("skipgram", "cbow", "fasttext")
TOPICS = [[f"{topic}{at}" for at in range(20)] for topic in ("sea", "city", "farm")]


def made_sentences(count: int = 3_000, seed: int = 0) -> list[list[str]]:
    """Sentences of 1 to 12 words, each of one topic, words of a topic ever rarer."""
    chance = random.Random(seed)
    drawn = (chance.choice(TOPICS) for _ in range(count))
    return [chance.choices(topic, weights=range(40, 20, -1), k=chance.randint(1, 12)) for topic in drawn]


SENTENCES = made_sentences()


def settings(**changes) -> LearnConfig:
    return LearnConfig(**{"width": 8, "epochs": 3, "min_count": 1, "sample": 0.0, "workers": 1, **changes})


def learn(sentences=None, config=None, **how):
    training = learn_vectors(sentences or SENTENCES, config or settings(), threads=1, **how)
    events = []
    while True:
        try:
            events.append(next(training))
        except StopIteration as end:
            return end.value, events


def curve(events, name: str) -> list[tuple[int, float]]:
    return [(each.step, each.value) for each in events if isinstance(each, Metric) and each.name == name]


def learn_by_gensim(config: LearnConfig) -> tuple[list[str], np.ndarray, list[float]]:
    """Words, vectors and the running loss after each epoch of one plain call."""
    from gensim.models import FastText, Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    losses: list[float] = []

    class Listener(CallbackAny2Vec):
        def on_epoch_end(self, model) -> None:
            losses.append(model.get_latest_training_loss())

    names = {"width": "vector_size", "learning_rate": "alpha"}
    same = (
        "width",
        "learning_rate",
        "epochs",
        "min_count",
        "negative",
        "sample",
        "seed",
        "workers",
        "window",
    )
    given = {names.get(name, name): getattr(config, name) for name in same}
    if config.method == "fasttext":
        model = FastText(SENTENCES, sg=1, **given)
    else:
        sg = int(config.method == "skipgram")
        model = Word2Vec(SENTENCES, sg=sg, compute_loss=True, callbacks=[Listener()], **given)
    return model.wv.index_to_key, model.wv.vectors, losses


@pytest.mark.parametrize("method", METHODS)
def test_vectors_and_losses_are_those_of_one_call_of_gensim(method):
    config = settings(method=method, sample=1e-2, seed=3)
    learned, events = learn(config=config)
    words, rows, running = learn_by_gensim(config)
    assert learned.words == words
    assert np.array_equal(learned.rows, rows)
    losses = [value for _, value in curve(events, "loss")]
    np.testing.assert_allclose(losses, np.diff([0, *running]), rtol=5e-3)  # theirs is rounded more
    assert len(losses) == (0 if method == "fasttext" else 3)
    assert [each.loss for each in learned.epochs] == (losses or [None] * 3)


def test_words_of_a_topic_lie_together_and_the_frequent_ones_come_first():
    learned, events = learn(config=settings(epochs=5, learning_rate=0.1), watched=["sea0"])
    assert [each.words for each in learned.epochs] == [sum(map(len, SENTENCES))] * 5
    assert sum(each.words for each in learned.epochs) == 5 * sum(map(len, SENTENCES))
    counts = [sum(each.count(word) for each in SENTENCES) for word in learned.words]
    assert counts == sorted(counts, reverse=True)
    assert all(word.startswith("sea") for word in learned.neighbours["sea0"][-1])
    losses = [value for _, value in curve(events, "loss")]
    assert losses[-1] < losses[0]


def test_progress_rises_to_its_total():
    learned, events = learn()
    progress = [each for each in events if isinstance(each, Progress)]
    assert [each.done for each in progress] == sorted(each.done for each in progress)
    assert progress[-1].done == progress[-1].total == 3 * sum(map(len, SENTENCES))
    assert [step for step, _ in curve(events, "words_per_second")] == [1, 2, 3]
    assert learned.seconds == pytest.approx(sum(each.seconds for each in learned.epochs))


@pytest.mark.parametrize("method", METHODS)
def test_neighbours_of_watched_words_are_exact_and_their_changes_counted(method):
    learned, events = learn(config=settings(method=method), watched=["sea0", "farm3", "sea0"])
    vectors = make_vectors("learned", learned.words, learned.rows)
    assert list(learned.neighbours) == ["sea0", "farm3"]
    for word, history in learned.neighbours.items():
        assert list(history[-1]) == [each.word for each in neighbours(vectors, word, 10)]
        changes = [len(set(after) - set(before)) for before, after in pairwise(history)]
        assert curve(events, f"changed:{word}") == [(2, changes[0]), (3, changes[1])]


def test_a_watched_word_that_is_not_learned_is_noted_and_left_out():
    learned, events = learn(watched=["SEA1", "seaa1"])
    assert list(learned.neighbours) == ["SEA1"]  # found in lower case
    (note,) = [each.text for each in events if isinstance(each, Note)]
    assert note.startswith("'seaa1' is not among the 60 words of these vectors. Did you mean sea1")


def digest(learned: Learned) -> str:
    return hashlib.sha256(repr(learned.words).encode() + learned.rows.tobytes()).hexdigest()


def test_the_same_seed_gives_the_same_vectors_whatever_python_hashes_to():
    code = "from tests.vectors.test_learning import digest, learn; print(digest(learn()[0]))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(PROJECT)}
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=PROJECT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    mine, _ = learn()
    assert other.stdout.strip() == digest(mine)
    assert digest(learn(config=settings(seed=1))[0]) != digest(mine)


def test_the_loss_of_several_threads_is_that_of_one():
    alone, _ = learn(config=settings(epochs=1))
    together, _ = learn(config=settings(epochs=1, workers=4))
    # threads that write into each other's rows learn a little differently; gensim's own sum would lose most of it
    assert together.epochs[0].loss == pytest.approx(alone.epochs[0].loss, rel=0.2)


def cut_after_second_epoch(config: LearnConfig, folder: Path) -> None:
    training = learn_vectors(SENTENCES, config, threads=1, watched=["sea0"], control=LoopControl(folder, 0.0))
    for event in training:
        if isinstance(event, Metric) and event.step == 3:
            break  # the third epoch is trained and not yet saved
    training.close()


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_learning_resumes_to_the_vectors_of_an_unbroken_one(method, tmp_path):
    config = settings(method=method, epochs=4, sample=1e-2)
    unbroken, whole = learn(config=config, watched=["sea0"])
    cut_after_second_epoch(config, tmp_path)
    resumed, events = learn(config=config, watched=["sea0"], control=LoopControl(tmp_path, 1e9))
    assert np.array_equal(resumed.rows, unbroken.rows)
    assert resumed.neighbours == unbroken.neighbours
    assert [each.words for each in resumed.epochs] == [each.words for each in unbroken.epochs]
    assert curve(events, "loss") == curve(whole, "loss")[2:]
    told = [each for each in events if isinstance(each, Progress)]
    assert min(each.share for each in told) >= 0.5
    assert {each.earlier_share for each in told[:-1]} == {0.5}


def test_a_checkpoint_is_arrays_and_json_and_a_finished_one_is_not_trained_again(tmp_path):
    learned, _ = learn(control=LoopControl(tmp_path, 1e9))
    assert [each.name for each in tmp_path.rglob("*")] == [
        "step-000000003",
        "tensors.safetensors",
        "facts.json",
    ]
    again, events = learn(control=LoopControl(tmp_path, 1e9), watched=["sea0"])
    assert np.array_equal(again.rows, learned.rows)
    assert again.epochs == learned.epochs
    assert again.neighbours == {"sea0": ()}
    assert [type(each) for each in events] == [Progress]


def test_a_checkpoint_of_other_sentences_or_settings_is_refused(tmp_path):
    learn(control=LoopControl(tmp_path))
    for changed in ({"sentences": made_sentences(seed=1)}, {"config": settings(window=2)}):
        with pytest.raises(ModelError, match="is of other sentences or settings. Delete it"):
            learn(**changed, control=LoopControl(tmp_path))


MANY_JOBS = [["a", "b"] * 5_000] * 200  # gensim's threads take 10,000 words at once


def slow_jobs(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make each job of gensim's threads last a little; the rates of those that were begun."""
    rates: list[float] = []

    def train_batch(model, sentences, rate, work, compute_loss) -> int:
        rates.append(rate)
        time.sleep(0.05)
        return 1

    monkeypatch.setattr("gensim.models.word2vec.train_batch_sg", train_batch)
    return rates


def threads_left(before: set[threading.Thread]) -> set[threading.Thread]:
    """gensim does not wait for its own threads' last line."""
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
    return set(threading.enumerate()) - before


def test_closing_ends_an_epoch_at_once_and_leaves_no_thread(monkeypatch):
    rates, before = slow_jobs(monkeypatch), set(threading.enumerate())
    training = learn_vectors(MANY_JOBS, settings(workers=0), threads=2)
    assert isinstance(next(training), Progress)
    training.close()
    assert 0 < len(rates) < len(MANY_JOBS)
    assert not threads_left(before)


def test_a_stop_that_is_asked_for_ends_an_epoch_and_leaves_no_thread(monkeypatch):
    rates, before = slow_jobs(monkeypatch), set(threading.enumerate())
    with pytest.raises(Stopped):
        learn(MANY_JOBS, control=LoopControl(stop_requested=lambda: len(rates) > 2))
    assert len(rates) < len(MANY_JOBS)
    assert not threads_left(before)


def test_an_error_in_gensims_threads_is_raised_and_not_waited_for(monkeypatch):
    def train_batch(*given) -> int:
        raise MemoryError("no room")

    monkeypatch.setattr("gensim.models.word2vec.train_batch_sg", train_batch)
    before = set(threading.enumerate())
    with pytest.raises(MemoryError, match="no room"):
        learn(MANY_JOBS)
    assert not threads_left(before)


def test_nothing_of_a_very_long_sentence_is_lost():
    learned, _ = learn([["a", "b"] * 5_000 + ["c", "d"] * 700], settings(epochs=1))
    assert sum(each.words for each in learned.epochs) == 11_400


@pytest.mark.parametrize(
    ("sentences", "min_count", "message"),
    [
        ([], 5, "no word to learn from in 0 sentences"),
        ([[], []], 5, "no word to learn from in 2 sentences"),
        (
            [["a", "b", "c"]],
            2,
            "hold 3 different words, but min_count 2 leaves none of them; .* Lower min_count",
        ),
        ([["a", "b", "a"]], 2, "hold 2 different words, but min_count 2 leaves 1 of them"),
        ([["a"], ["b"]] * 3, 1, "None of the 6 sentences holds two words"),
        (
            [["a", "x"], ["b", "y"], ["a"], ["b"]],
            2,
            "None of the 4 sentences holds two words that occur 2 times",
        ),
    ],
)
def test_too_little_to_learn_from_is_refused_with_what_to_do(sentences, min_count, message):
    with pytest.raises(DataError, match=message):
        next(learn_vectors(sentences, settings(min_count=min_count), threads=1))


def test_settings_out_of_bounds_are_refused():
    with pytest.raises(ConfigError, match="LearnConfig.width must be between 2 and 1000; got 1"):
        settings(width=1)
    with pytest.raises(ConfigError, match="LearnConfig.method must be one of skipgram, cbow, fasttext"):
        settings(method="glove")
