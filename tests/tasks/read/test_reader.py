"""A reader gives true places, the best span of all windows, and the same however it is asked."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.encoders.tiny import WORDS
from tests.tasks.read.tiny_reader import READING_TYPES, tiny_encoder, tiny_reader
from tl_core.errors import DataError, ModelError
from tl_core.tasks.read.answers import Reply
from tl_core.tasks.read.calibration import Calibration, probabilities
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.network import make_reader_network
from tl_core.tasks.read.reader import Asked, Reader
from tl_core.text.windows import pair_form, span_characters, tokenise, windows
from tl_core.training.events import Progress, drain

MANY = Reading(top=20, longest_answer=6)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return tiny_reader(tmp_path)


def random_passage(dice: random.Random, words: int) -> str:
    gaps = (" ", " ", " ", "  ", "\n", ", ", ". ")
    return "".join(dice.choice(WORDS) + dice.choice(gaps) for _ in range(words))


def check_places(reply: Reply, passage: str) -> None:
    for each in reply.answers:
        assert passage[each.start : each.end] == each.text
        assert each.text == each.text.strip() != ""
        assert 0 <= each.window < reply.windows
    scores = [each.score for each in reply.answers]
    assert scores == sorted(scores, reverse=True)


NASTY = [
    "The King's café — naïve? ÉCOLE!\r\nthe\u00a0queen\tsaw 서울을 대한민국의 수도에서.",
    "Caf\u0065\u0301  \u1112\u1161\u11ab\u1100\u116e\u11a8 ＦＵＬＬ ㎏ 👨‍👩‍👧 king ❤️ x",
    " \n king \n ",
    "[SEP] the [CLS] king [UNK] </s> <pad> saw <cls>",
    "a" * 300,
    "." * 200,
]


@pytest.mark.parametrize("model_type", READING_TYPES)
def test_every_answer_stands_where_it_says(model_type: str, tmp_path: Path) -> None:
    reader, dice = tiny_reader(tmp_path, model_type), random.Random(3)
    for passage in (*NASTY, *(random_passage(dice, count) for count in (1, 2, 30, 150))):
        reply = reader.ask("who saw the king?", passage, MANY)
        assert reply.answers
        assert len(reply.answers) <= MANY.top
        check_places(reply, passage)


# --- windows ---------------------------------------------------------------------------------------


def brute_force(reader: Reader, question: str, passage: str, longest: int) -> tuple[float, str, int, int]:
    """Score, text, window and number of windows of the best span of all windows, each read on its own."""
    encoder = reader.encoder
    asked, read = tokenise(encoder.tokenizer, [question, passage])
    most = encoder.max_tokens if encoder.max_tokens < 384 else 384
    found = []
    number = 0
    for number, window in enumerate(
        windows(pair_form(encoder.tokenizer), asked, read, max_tokens=most, overlap=min(128, most // 3))
    ):
        ids = torch.tensor([window.encoded.ids])
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if encoder.family.type_ids:
            inputs["token_type_ids"] = torch.tensor([window.encoded.type_ids])
        with torch.inference_mode():
            start, end = reader.network(inputs)[0].T.double().numpy()
        null = start[window.null] + end[window.null]
        for first in range(window.count):
            for last in range(first, min(window.count, first + longest)):
                score = start[window.first + first] + end[window.first + last] - null
                found.append((float(score), window.at + first, window.at + last, number))
    found.sort(reverse=True)
    for score, first, last, where in found:
        begin, behind = span_characters(passage, read, first, last)
        if begin < behind:
            return score, passage[begin:behind], where, number + 1
    raise AssertionError("no span at all")


@pytest.mark.parametrize("model_type", READING_TYPES)
def test_the_best_answer_of_many_windows_is_that_of_brute_force(model_type: str, tmp_path: Path) -> None:
    reader, dice = tiny_reader(tmp_path, model_type), random.Random(8)
    for words in (5, 80, 400):
        question, passage = random_passage(dice, 4), random_passage(dice, words)
        reply = reader.ask(question, passage, Reading(longest_answer=7))
        score, text, window, count = brute_force(reader, question, passage, longest=7)
        best = reply.answers[0]
        assert (best.text, best.window, reply.windows) == (text, window, count)
        assert best.score == pytest.approx(score, abs=1e-4)
    assert model_type == "xlnet" or count > 10


def test_an_answer_is_no_longer_than_asked_for(reader: Reader) -> None:
    passage = random_passage(random.Random(1), 60).replace(",", "").replace(".", "")
    for longest in (1, 2):
        reply = reader.ask("who", passage, Reading(longest_answer=longest, top=50))
        tokens = tokenise(reader.encoder.tokenizer, [each.text for each in reply.answers])
        assert max(len(each) for each in tokens) == longest


def test_smaller_windows_are_more_windows(reader: Reader) -> None:
    passage = random_passage(random.Random(1), 100)
    counts = [
        reader.ask("who", passage, Reading(max_tokens=most, overlap=8)).windows for most in (32, 40, 64, 512)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == counts[-2]  # the encoder takes 64


# --- many questions --------------------------------------------------------------------------------


def many_questions() -> list[Asked]:
    dice = random.Random(2)
    passages = [random_passage(dice, dice.choice((1, 5, 20, 90, 200))) for _ in range(8)]
    return [Asked(random_passage(dice, dice.randint(1, 8)), dice.choice(passages)) for _ in range(40)]


def check_alike(one: Reply, other: Reply) -> None:
    assert (one.windows, one.threshold) == (other.windows, other.threshold)
    assert [(each.text, each.start, each.window) for each in one.answers] == [
        (each.text, each.start, each.window) for each in other.answers
    ]
    assert [each.score for each in one.answers] == pytest.approx(
        [each.score for each in other.answers], abs=1e-4
    )


@pytest.mark.parametrize("model_type", ["bert", "xlnet"])
def test_asking_together_is_asking_one_by_one(
    model_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tl_core.tasks.read.reader.CHUNK", 20)  # several chunks, passages kept and dropped
    reader, asked = tiny_reader(tmp_path, model_type), many_questions()
    together = drain(reader.ask_events(asked, MANY))
    for each, reply in zip(asked, together, strict=True):
        check_alike(reply, reader.ask(each.question, each.passage, MANY))


def test_no_questions_get_no_replies(reader: Reader) -> None:
    assert drain(reader.ask_events([])) == []


def events_of(reader: Reader, asked: list[Asked]) -> list[Progress]:
    events = list(reader.ask_events(asked))
    assert all(isinstance(each, Progress) for each in events)
    return events  # type: ignore[return-value]


def test_progress_grows_with_what_was_read_and_ends_at_its_total(reader: Reader) -> None:
    long = [Asked("who", random_passage(random.Random(1), 2000))]  # about 60 windows of one passage
    for asked in (many_questions(), long):
        events = events_of(reader, asked)
        done = [each.done for each in events]
        assert len(done) >= 3
        assert done == sorted(done)
        assert {each.total for each in events} == {len(asked)}
        assert done[-1] == len(asked)
        assert done[0] < 0.6 * len(asked)
        assert done[-2] < len(asked)


@pytest.mark.parametrize("words", [43 * 21, 700])  # the last chunk is full, or not
def test_progress_ends_at_its_total_where_the_last_passages_are_empty(
    words: int, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tl_core.tasks.read.reader.CHUNK", 2)
    asked = [Asked("who", "king " * words), Asked("who", " "), Asked("who", "")]
    assert events_of(reader, asked)[-1] == Progress(3, 3)
    assert events_of(reader, asked[1:])[-1] == Progress(2, 2)
    assert events_of(reader, asked[:1])[-1] == Progress(1, 1)


def test_the_generator_can_be_closed_in_the_middle(reader: Reader) -> None:
    work = reader.ask_events(many_questions(), MANY)
    next(work)
    work.close()
    assert reader.lock.acquire(blocking=False)
    reader.lock.release()
    assert reader.ask("who", "the king").answers


def test_threads_may_ask_at_once(reader: Reader) -> None:
    asked = many_questions()[:12]
    alone = [reader.ask(each.question, each.passage, MANY) for each in asked]
    start = threading.Barrier(2)

    def ask_all(rows: Iterator[int]) -> list[tuple[int, Reply]]:
        start.wait(timeout=30)
        return [(row, reader.ask(asked[row].question, asked[row].passage, MANY)) for row in rows]

    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(ask_all, (iter(range(12)), iter(reversed(range(12))))))
    for half in halves:
        assert len(half) == 12
        for row, reply in half:
            check_alike(reply, alone[row])


# --- what there is to read -------------------------------------------------------------------------


@pytest.mark.parametrize("passage", ["", "  \n\t", "\u00a0\u3000"])
def test_an_empty_passage_is_refused(passage: str, reader: Reader) -> None:
    with pytest.raises(DataError, match="passage is empty"):
        reader.ask("who?", passage)


@pytest.mark.parametrize("question", ["", " \n"])
def test_an_empty_question_is_refused(question: str, reader: Reader) -> None:
    with pytest.raises(DataError, match="question is empty"):
        reader.ask(question, "the king")


def test_a_passage_of_one_word_is_its_own_answer(reader: Reader) -> None:
    reply = reader.ask("who?", "king")
    assert [(each.text, each.start, each.end) for each in reply.answers] == [("king", 0, 4)]


@pytest.mark.parametrize("model_type", READING_TYPES)
def test_a_passage_of_white_space_among_others_gets_a_reply_without_answers(
    model_type: str, tmp_path: Path
) -> None:
    reader = tiny_reader(tmp_path, model_type)
    asked = [Asked("who", "the king"), Asked("who", " \n \u00a0 "), Asked("who", ""), Asked("who", "a queen")]
    first, *blank, last = drain(reader.ask_events(asked))
    assert first.answers
    assert last.answers
    for reply in blank:
        assert reply.answers == ()
        assert (reply.text, reply.has_answer, reply.no_answer_score) == ("", False, float("inf"))


def test_a_question_that_is_too_long_is_refused_alone_and_cut_among_many(reader: Reader) -> None:
    question, passage = "who saw the king " * 30, random_passage(random.Random(0), 50)
    with pytest.raises(DataError, match="Ask a shorter question"):
        reader.ask(question, passage)
    (reply,) = drain(reader.ask_events([Asked(question, passage)]))
    assert reply.answers
    check_places(reply, passage)


# --- how it answers --------------------------------------------------------------------------------


def test_threshold_and_probabilities_come_from_the_calibration(tmp_path: Path) -> None:
    told = Calibration(threshold=1e6, temperature=2.0, error=0.1, rows=50)
    reply = tiny_reader(tmp_path, calibration=told).ask("who", "the king saw the queen", MANY)
    assert (reply.threshold, reply.has_answer) == (1e6, False)
    scores = np.array([each.score for each in reply.answers])
    assert [each.probability for each in reply.answers] == pytest.approx(probabilities(scores, 2.0).tolist())
    bare = tiny_reader(tmp_path / "bare").ask("who", "the king saw the queen", MANY)
    assert [each.probability for each in bare.answers] == [None] * len(bare.answers)


def test_particles_are_cut_only_if_asked_for(reader: Reader) -> None:
    passage = "대한민국의 수도는 서울특별시이며, 임금은 서울특별시에서 살았다."
    found = {}
    for strip in (True, False):
        reply = reader.ask(
            "임금은 어디에서 살았나?", passage, Reading(strip_josa=strip, top=20, longest_answer=1)
        )
        check_places(reply, passage)
        found[strip] = {each.text for each in reply.answers}
    assert "서울특별시에서" in found[False]
    assert "서울특별시" in found[True]


def test_an_encoder_without_special_tokens_makes_no_reader(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "gpt2")
    with pytest.raises(ModelError, match="cannot read"):
        Reader(encoder, make_reader_network(encoder), title="x")
