from __future__ import annotations

import pytest

from tl_core.data.reading import (
    Answer,
    Passage,
    Question,
    ReadingSet,
    chosen_reference,
    distinct,
    joined,
    split_by_article,
    with_unanswerable,
)

FILLER = " The rest of this passage speaks of the weather, of the harbour and of the long road to the north."


def passage_of(number: int, article: int) -> Passage:
    return Passage(f"Person{number} lives in Town{number}.{FILLER}", article, f"Article {article}")


def question_of(number: int, passage: int, word: str = "Town") -> Question:
    text = f"{word}{number}"
    start = f"Person{number} lives in Town{number}.".index(text)
    return Question(f"{number}-{word}", f"Which {word.lower()}?", passage, (Answer(text, start),))


def set_of(articles: int, passages: int, name: str = "set") -> ReadingSet:
    """A set of articles with so many passages each, and two questions a passage."""
    texts = tuple(passage_of(at, at // passages) for at in range(articles * passages))
    questions = tuple(question_of(at, at, word) for at in range(len(texts)) for word in ("Town", "Person"))
    return ReadingSet(name, texts, questions)


def ids(data: ReadingSet) -> list[str]:
    return [question.id for question in data.questions]


def articles_of(data: ReadingSet) -> set[int]:
    return {data.passages[question.passage].article for question in data.questions}


def assert_answers_stand_where_they_say(data: ReadingSet) -> None:
    for question in data.questions:
        for answer in question.answers:
            assert data.passage_of(question)[answer.start : answer.end] == answer.text


def test_a_set_counts_its_questions_articles_and_answers() -> None:
    data = set_of(3, 2)
    more = ReadingSet("more", data.passages, (*data.questions, Question("x", "Who?", 0)))
    assert (len(more), more.articles, more.answerable) == (13, 3, 12)
    assert tuple(each for each in more.questions if each.answerable) == data.questions


def test_take_gives_the_questions_in_the_order_asked_for_and_keeps_all_passages() -> None:
    data = set_of(2, 1)
    taken = data.take([3, 0, 0])
    assert ids(taken) == ["1-Person", "0-Town", "0-Town"]
    assert taken.passages == data.passages
    assert len(data.take([])) == 0


def test_of_articles_gives_the_questions_of_those_articles_in_order() -> None:
    data = set_of(3, 2)
    kept = data.of_articles([2, 0])
    assert articles_of(kept) == {0, 2}
    assert ids(kept) == ids(data)[:4] + ids(data)[8:]
    assert len(data.of_articles([])) == 0


def test_joined_sets_keep_their_articles_apart_and_their_answers_in_place() -> None:
    first, second, third = set_of(2, 2, "a"), set_of(1, 3, "b"), set_of(2, 1, "c")
    whole = joined("whole", [first, second, third])
    assert whole.name == "whole"
    assert whole.articles == 5
    assert [passage.article for passage in whole.passages] == [0, 0, 1, 1, 2, 2, 2, 3, 4]
    assert ids(whole) == ids(first) + ids(second) + ids(third)
    assert_answers_stand_where_they_say(whole)


def test_joining_leaves_out_nothing_for_a_set_without_passages() -> None:
    data = set_of(2, 1)
    empty = ReadingSet("empty", (), ())
    assert joined("x", [empty, data, empty]).passages == data.passages
    assert len(joined("x", [])) == 0


def test_a_question_that_stands_in_two_files_is_taken_once() -> None:
    data = set_of(2, 2)
    twice = joined("twice", [data, set_of(2, 2), set_of(3, 2)])
    once = distinct(twice)
    assert [question.text for question in once.questions[: len(data)]] == [
        each.text for each in data.questions
    ]
    assert len(once) == len(set_of(3, 2))
    assert once.passages == twice.passages


@pytest.mark.parametrize("seed", range(5))
def test_a_split_keeps_articles_whole_and_holds_back_its_share(seed: int) -> None:
    data = set_of(10, 3)
    kept, held = split_by_article(data, 0.25, seed)
    assert not articles_of(kept) & articles_of(held)
    assert sorted(ids(kept) + ids(held)) == sorted(ids(data))
    assert 0.25 * len(data) <= len(held) < 0.25 * len(data) + 6  # an article has 6 questions


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("articles", [1, 2, 5])
def test_a_split_always_leaves_something_to_learn_from(articles: int, share: float) -> None:
    for seed in range(5):
        kept, held = split_by_article(set_of(articles, 1), share, seed)
        assert len(kept) > 0
        assert len(held) > 0 or share == 0.0 or articles == 1


def test_a_single_article_is_split_by_its_passages() -> None:
    data = set_of(1, 6)
    kept, held = split_by_article(data, 0.3, seed=1)
    assert not {each.passage for each in kept.questions} & {each.passage for each in held.questions}
    assert len(held) == 4


def test_a_split_depends_on_its_seed_alone() -> None:
    data = set_of(12, 2)
    first, again = (split_by_article(data, 0.3, seed=4) for _ in range(2))
    assert first == again
    assert any(split_by_article(data, 0.3, seed=seed) != first for seed in range(5))


def test_the_chosen_reference_is_the_most_frequent_then_the_shortest_then_the_first() -> None:
    long, short, later = Answer("the town of Seoul", 4), Answer("Seoul", 16), Answer("Seoul", 40)
    assert chosen_reference([short, long, long]) == long
    assert chosen_reference([long, later, short]) == short
    assert chosen_reference([later, later, short]) == later
    assert chosen_reference([long]) == long


def made_of(data: ReadingSet) -> dict[str, Question]:
    """The made questions by the id of the one that they were made of."""
    suffix = " (unanswerable)"
    return {each.id.removesuffix(suffix): each for each in data.questions if each.id.endswith(suffix)}


def assert_passages_hold_no_answer(data: ReadingSet, more: ReadingSet) -> None:
    made = made_of(more)
    assert made
    for question in data.questions:
        if question.id in made:
            assert not made[question.id].answerable
            text = more.passage_of(made[question.id])
            assert not any(answer.text in text for answer in question.answers)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_made_questions_are_as_many_as_their_share_and_come_after_the_given_ones(share: float) -> None:
    data = set_of(4, 5)
    more = with_unanswerable(data, share, seed=3)
    assert more.questions[: len(data)] == data.questions
    assert len(more) == len(data) + share * len(data)
    assert len(set(ids(more))) == len(more)


def test_a_made_question_stands_with_another_passage_of_its_article_that_lacks_the_answer() -> None:
    data = set_of(4, 5)
    more = with_unanswerable(data, 1.0, seed=3)
    assert more.passages == data.passages
    assert_passages_hold_no_answer(data, more)
    made = made_of(more)
    for question in data.questions:
        here, there = more.passages[question.passage], more.passages[made[question.id].passage]
        assert here.article == there.article


def test_without_another_passage_a_question_stands_with_the_rest_of_its_own() -> None:
    data = set_of(3, 1)
    more = with_unanswerable(data, 1.0, seed=3)
    assert len(more) == 2 * len(data)
    assert more.passages[:3] == data.passages
    assert {passage.article for passage in more.passages[3:]} == {0, 1, 2}
    assert_passages_hold_no_answer(data, more)
    assert all(
        more.passage_of(each) in f"{FILLER} " * 2 for each in made_of(more).values() if "Town" in each.id
    )


def test_no_question_is_made_where_too_little_of_the_passage_is_left() -> None:
    passage = Passage("Ann lives in Seoul, near the river.", 0)
    data = ReadingSet("a", (passage,), (Question("a", "Where?", 0, (Answer("Seoul", 13),)),))
    assert with_unanswerable(data, 1.0, seed=0) == data


def test_the_rest_of_a_passage_that_names_the_answer_again_is_not_taken() -> None:
    passage = Passage(f"Seoul is large.{FILLER}{FILLER} Many people like Seoul.", 0)
    data = ReadingSet("a", (passage,), (Question("a", "What is large?", 0, (Answer("Seoul", 0),)),))
    more = with_unanswerable(data, 1.0, seed=0)
    assert all("Seoul" not in more.passage_of(each) for each in made_of(more).values())


def test_questions_without_an_answer_are_not_made_again() -> None:
    data = set_of(2, 3)
    given = ReadingSet("a", data.passages, (*data.questions, Question("x", "Who?", 0)))
    assert "x" not in made_of(with_unanswerable(given, 1.0, seed=0))


def test_the_same_seed_makes_the_same_questions() -> None:
    data = set_of(4, 5)
    assert with_unanswerable(data, 0.5, seed=3) == with_unanswerable(data, 0.5, seed=3)
    assert with_unanswerable(data, 0.5, seed=3) != with_unanswerable(data, 0.5, seed=4)
