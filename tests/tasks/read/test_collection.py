"""Collections: BM25 by hand, passages cut where they should be, answers in their own document."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import WORDS
from tests.tasks.read.tiny_reader import tiny_reader
from tl_core.errors import ConfigError, DataError
from tl_core.tasks.read.answers import FoundAnswer, Reply
from tl_core.tasks.read.calibration import Calibration, probabilities
from tl_core.tasks.read.collection import (
    Collection,
    CollectionReply,
    Part,
    RankedPart,
    ask_collection,
    passage_ranges,
    search_tokens,
)
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.reader import Asked
from tl_core.training.events import Progress, Training, drain


def named(*texts: str) -> Collection:
    return Collection([(f"document {at}", text) for at, text in enumerate(texts)])


# --- ranking ---------------------------------------------------------------------------------------

THREE = ("The king saw the queen.", "The queen ate!", "A dog ran in the city park today")  # 5, 3, 8 tokens


def test_scores_are_those_reckoned_by_hand() -> None:
    # Mean length 16/3; "queen" is in two of three passages, "king" in one, "the" in all.
    queen, king, the = log(1 + 1.5 / 2.5), log(1 + 2.5 / 1.5), log(1 + 0.5 / 3.5)
    long, short, longest = (1.5 * (0.25 + 0.75 * length * 3 / 16) for length in (5, 3, 8))
    found = dict(named(*THREE).candidates("queen king"))
    assert found == pytest.approx({0: (queen + king) / (1 + long), 1: queen / (1 + short)})
    found = dict(named(*THREE).candidates("THE"))
    assert found == pytest.approx({0: the * 2 / (2 + long), 1: the / (1 + short), 2: the / (1 + longest)})


def test_a_word_asked_twice_counts_twice_and_an_unknown_one_not_at_all() -> None:
    collection = named(*THREE)
    once, twice = (collection.candidates(each)[0][1] for each in ("king", "king unheard king"))
    assert twice == pytest.approx(2 * once)


def by_hand(documents: Sequence[str], question: str) -> dict[int, float]:
    """BM25 of whole documents, in plain loops."""
    tokens = [search_tokens(each) for each in documents]
    mean = sum(map(len, tokens)) / len(tokens)
    scores = {}
    for at, mine in enumerate(tokens):
        score = 0.0
        for token in search_tokens(question):
            holding = sum(token in each for each in tokens)
            often = mine.count(token)
            rarity = log(1 + (len(tokens) - holding + 0.5) / (holding + 0.5))
            score += rarity * often / (often + 1.5 * (1 - 0.75 + 0.75 * len(mine) / mean))
        if score:
            scores[at] = score
    return scores


def test_random_collections_rank_as_the_formula_says() -> None:
    dice = random.Random(6)
    vocabulary = [*WORDS[:30], "서울은", "서울에서", "대한민국의", "수도"]
    for _ in range(30):
        documents = [" ".join(dice.choices(vocabulary, k=dice.randint(1, 40))) for _ in range(12)]
        question = " ".join(dice.choices(vocabulary, k=4))
        wanted = by_hand(documents, question)
        found = named(*documents).candidates(question, count=12)
        assert dict(found) == pytest.approx(wanted)
        scores = [score for _, score in found]
        assert scores == sorted(scores, reverse=True)


def test_equal_documents_keep_their_order() -> None:
    collection = named(*(["the king saw it"] * 5), "nothing here", *(["the king saw it"] * 5))
    assert [at for at, _ in collection.candidates("king", count=7)] == [0, 1, 2, 3, 4, 6, 7]


def test_a_document_counts_by_its_best_passage_and_comes_once() -> None:
    filler = "one two three four five six seven eight nine ten. " * 15
    collection = named(filler + "The king saw a queen. " + filler, "A queen.")
    assert len(collection.parts) > 2
    found = collection.candidates("king queen")
    assert [at for at, _ in found] == [0, 1]
    ranked = collection.ranked("king queen")
    assert found[0][1] == ranked[0].score
    assert "king" in collection.text_of(ranked[0].part)


def test_documents_that_share_no_token_are_left_out() -> None:
    assert [at for at, _ in named(*THREE).candidates("dog")] == [2]
    for question in ("zebra", "?!", "", "  "):
        assert named(*THREE).candidates(question) == []
        assert named(*THREE).ranked(question) == []
    assert named("?!", "…").candidates("who") == []


def test_a_korean_word_is_found_behind_any_particle() -> None:
    collection = named("부산은 항구 도시이다.", "임금이 서울에서 살았다.", "수도권의 인구")
    assert [at for at, _ in collection.candidates("서울은?")] == [1]
    assert collection.candidates("항구도시")[0][0] == 0  # spaces differ, too


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The King, 서울에서", ["the", "king", "서울에서", "서울", "울에", "에서"]),
        ("서울 강", ["서울", "강"]),  # two letters are their own pair
        ("BTS는 2024년", ["bts", "는", "2024", "년"]),
        ("cafe\u0301 ＦＵＬＬ ﬁne", ["café", "full", "fine"]),
        ("\u1109\u1165\u110b\u116e\u11af", ["서울"]),  # in parts, as macOS writes it
        ("東京都の", ["東京都の", "東京", "京都", "都の"]),
        ("a_b well-known don't", ["a", "b", "well", "known", "don", "t"]),
        ("?! … \n", []),
    ],
)
def test_tokens_of_a_search(text: str, tokens: list[str]) -> None:
    assert search_tokens(text) == tokens


# --- passages --------------------------------------------------------------------------------------


def passages(text: str) -> list[str]:
    return [text[start:end] for start, end in passage_ranges(text)]


def test_a_short_document_is_one_passage() -> None:
    text = "\n\nOne word.\n\nAnd  " + "more " * 196 + "words. \n"
    assert len(text.split()) == 200
    assert passages(text) == [text.strip()]
    assert passages("x") == ["x"]
    assert passages(" \n ") == []


def test_a_long_document_is_cut_at_ends_of_sentences() -> None:
    text = "One two three four five six seven. " * 100
    cut = passages(text)
    assert {each[-6:] for each in cut} == {"seven."}
    assert [len(each.split()) for each in cut] == [196, 196, 196, 112]


def test_the_end_of_a_paragraph_is_better_than_that_of_a_sentence_and_this_than_that_of_a_line() -> None:
    words = "word " * 9
    sentence = words + "end.\n"
    assert passages(sentence * 12 + "\n" + sentence * 12)[0].count("end.") == 12
    assert passages((words + "line\n") * 15 + words + "end. " + (words + "line\n") * 15)[0].endswith("end.")
    assert passages((words + "line\n") * 30)[0].endswith("line")
    assert len(passages("word " * 500)[0].split()) == 200


def test_closing_quotes_belong_to_the_sentence() -> None:
    text = "He said “one two three four.” " * 60
    assert {each[-1] for each in passages(text)} == {"”"}


def test_a_script_without_spaces_is_cut_at_its_sentences() -> None:
    text = "東京は日本の首都である。人口は多い。" * 100
    cut = passages(text)
    assert "".join(cut) == text
    assert len(cut) > 2
    assert {each[-1] for each in cut} == {"。"}


@pytest.mark.parametrize("seed", range(20))
def test_passages_cover_every_word_in_order_and_none_is_short_or_long(seed: int) -> None:
    dice = random.Random(seed)
    gaps = (" ", " ", " ", ". ", "! ", "\n", "\n\n", ".\r\n\r\n", "\u00a0")
    text = "".join(dice.choice(WORDS) + dice.choice(gaps) for _ in range(dice.randrange(150, 1200)))
    ranges = passage_ranges(text)
    assert [word for passage in passages(text) for word in passage.split()] == text.split()
    for (_, end), (start, _) in pairwise(ranges):
        assert text[end:start].strip() == ""
    counts = [len(passage.split()) for passage in passages(text)]
    assert max(counts) <= 200
    assert len(counts) == 1 or min(counts) >= 100


def test_a_text_of_one_endless_word_is_cut_too() -> None:
    cut = passages("x" * 40_000)
    assert "".join(cut) == "x" * 40_000
    assert max(map(len, cut)) == 8000


# --- what a collection may be ----------------------------------------------------------------------


@pytest.mark.parametrize("documents", [[], [("a", ""), ("b", " \n")]])
def test_a_collection_without_text_is_refused(documents: list[tuple[str, str]]) -> None:
    with pytest.raises(DataError, match="holds no text"):
        Collection(documents)


def test_a_thousand_documents_are_enough() -> None:
    assert len(Collection([("x", "a king")] * 1000).parts) == 1000
    with pytest.raises(DataError, match="1,001 documents; at most 1,000"):
        Collection([("x", "a king")] * 1001)


def test_a_blank_document_among_others_is_never_found() -> None:
    collection = named(" ", "the king", "")
    assert collection.parts == (Part(1, 0, 8),)
    assert [at for at, _ in collection.candidates("king")] == [1]


# --- asking ----------------------------------------------------------------------------------------


class FakeReader:
    """Finds given words wherever they stand, each with its score; notes what it was given to read."""

    def __init__(self, words: dict[str, float], calibration: Calibration | None = None) -> None:
        self.words, self.calibration = words, calibration or Calibration()
        self.read: list[str] = []

    def ask_events(
        self, asked: Sequence[Asked], reading: Reading | None = None, *, strict: bool = False
    ) -> Training[list[Reply]]:
        assert strict
        self.read = [each.passage for each in asked]
        replies = []
        for at, each in enumerate(asked, start=1):
            yield Progress(at, len(asked))
            replies.append(Reply(tuple(self.answers(each.passage)), 1))
        return replies

    def answers(self, passage: str) -> Iterable[FoundAnswer]:
        for word, score in self.words.items():
            at = passage.find(word)
            if at >= 0:
                yield FoundAnswer(word, at, at + len(word), score, 0)


def ask(
    reader: object, collection: Collection, question: str, top: int = 5, candidates: int = 10
) -> CollectionReply:
    return drain(ask_collection(reader, collection, question, Reading(top=top), candidates))  # type: ignore[arg-type]


def test_answers_are_ranked_by_the_reader_and_not_by_the_search() -> None:
    collection = named("king king king: queen", "a king and a dog in the park", "no such thing")
    reply = ask(FakeReader({"queen": 1.0, "dog": 2.0}), collection, "king")
    assert [(each.found.text, each.document, each.name) for each in reply.answers] == [
        ("dog", 1, "document 1"),
        ("queen", 0, "document 0"),
    ]
    assert [each.part.document for each in reply.passages] == [0, 1]
    assert reply.answers[0].passage == reply.passages[1]
    assert reply.answers[0].passage.score < reply.answers[1].passage.score
    assert (reply.text, reply.has_answer, reply.matched) == ("dog", True, True)


def test_offsets_are_those_of_the_document() -> None:
    filler = "one two three four five six seven eight nine ten.  " * 40
    collection = named("A king.", filler + "The king saw the castle. " + filler)
    reply = ask(FakeReader({"castle": 1.0}), collection, "king castle")
    (answer,) = reply.answers
    text = collection.documents[answer.document][1]
    assert text[answer.found.start : answer.found.end] == "castle"
    assert answer.passage.part.start > 0
    passage, part = collection.text_of(answer.passage.part), answer.passage.part
    inside = passage[answer.found.start - part.start : answer.found.end - part.start]
    assert inside == answer.found.text == "castle"


def test_no_more_passages_are_read_than_asked_for() -> None:
    collection = named(*(f"king {'and ' * at}" for at in range(20)))
    reader = FakeReader({})
    reply = ask(reader, collection, "king", candidates=3)
    assert len(reader.read) == len(reply.passages) == 3
    assert reader.read == ["king", "king and", "king and and"]
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        ask(reader, collection, "king", candidates=0)


def test_no_more_answers_are_given_than_asked_for() -> None:
    collection = named(*(["king one two three"] * 4))
    reply = ask(FakeReader({"one": 1.0, "two": 3.0, "three": 2.0}), collection, "king", top=6)
    assert [(each.found.text, each.document) for each in reply.answers] == [
        *(("two", at) for at in range(4)),
        ("three", 0),
        ("three", 1),
    ]


def test_overlapping_answers_fall_together_within_a_document_only() -> None:
    collection = named("the king saw", "the king saw")
    reply = ask(FakeReader({"king saw": 2.0, "the king": 1.0}), collection, "king")
    assert [(each.found.text, each.document) for each in reply.answers] == [("king saw", 0), ("king saw", 1)]


def test_a_question_that_no_document_shares_a_token_with_gets_an_empty_reply() -> None:
    reader = FakeReader({"king": 1.0})
    reply = ask(reader, named(*THREE), "zebra?")
    assert reply == CollectionReply((), (), 0.0)
    assert (reply.matched, reply.has_answer, reply.text) == (False, False, "")
    assert reader.read == []


def test_passages_without_an_answer_are_matched_all_the_same() -> None:
    reply = ask(FakeReader({}), named(*THREE), "king")
    assert (reply.matched, reply.answers) == (True, ())


@pytest.mark.parametrize("question", ["", " \n"])
def test_an_empty_question_is_refused(question: str) -> None:
    with pytest.raises(DataError, match="question is empty"):
        ask(FakeReader({}), named(*THREE), question)


def test_the_readers_progress_comes_through() -> None:
    work = ask_collection(FakeReader({}), named(*THREE), "queen")  # type: ignore[arg-type]
    assert list(work) == [Progress(1, 2), Progress(2, 2)]


def test_probabilities_are_shared_among_the_answers_given() -> None:
    reader = FakeReader({"queen": 2.0, "ate": -1.0}, Calibration(threshold=1.5, temperature=2.0))
    reply = ask(reader, named(*THREE), "queen")
    assert [each.found.score for each in reply.answers] == [2.0, 2.0, -1.0]
    wanted = probabilities(np.array([2.0, 2.0, -1.0]), 2.0)
    assert [each.found.probability for each in reply.answers] == pytest.approx(wanted.tolist())
    assert (reply.threshold, reply.text) == (1.5, "queen")
    assert [
        each.found.probability for each in ask(FakeReader({"queen": 2.0}), named(*THREE), "queen").answers
    ] == [
        None,
        None,
    ]


def test_a_real_reader_gives_the_best_of_what_it_says_to_each_passage(tmp_path: Path) -> None:
    reader, dice = tiny_reader(tmp_path), random.Random(9)
    texts = [" ".join(dice.choices(WORDS, k=count)) for count in (4, 30, 300, 700)]
    collection = named(*texts)
    question, reading = "who was the king", Reading(top=4, longest_answer=5)
    reply = drain(ask_collection(reader, collection, question, reading, candidates=6))
    assert len(reply.passages) == 6
    wanted = []
    for each in reply.passages:
        passage = collection.text_of(each.part)
        alone = reader.ask(question, passage, reading)
        wanted += [
            (answer.score, each.part.document, answer.start + each.part.start, answer.text)
            for answer in alone.answers
        ]
    wanted.sort(reverse=True)
    assert len(reply.answers) == 4
    for answer, (score, document, start, text) in zip(reply.answers, wanted, strict=False):
        assert (answer.document, answer.found.start, answer.found.text) == (document, start, text)
        assert answer.found.score == pytest.approx(score, abs=1e-4)
        assert texts[document][answer.found.start : answer.found.end] == text


def test_a_question_too_long_for_the_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Ask a shorter question"):
        ask(tiny_reader(tmp_path), named(*THREE), "king " * 100)


def test_the_module_loads_nothing_heavy() -> None:
    code = (
        "import sys, tl_core.tasks.read.collection;"
        "print([each for each in ('torch', 'bm25s', 'transformers') if each in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert told.stdout.strip() == "[]"


def test_a_ranked_passage_says_where_it_stands() -> None:
    collection = named(*THREE)
    (ranked,) = collection.ranked("dog")
    assert ranked == RankedPart(Part(2, 0, len(THREE[2])), pytest.approx(ranked.score))
    assert collection.text_of(ranked.part) == THREE[2]
