"""What a reader learns from: the window holds the reference, and padding on the left moves all alike."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.encoders.tiny import WORDS
from tests.tasks.read.tiny_reader import READING_TYPES, tiny_encoder
from tl_core.data.reading import Answer, Passage, Question, ReadingSet
from tl_core.encoders.load import Encoder
from tl_core.errors import DataError
from tl_core.tasks.read.examples import SpanExamples, WindowDrawer, span_examples
from tl_core.tasks.read.network import allowed_logits, make_batch, make_reader_network
from tl_core.tasks.read.train import make_problem
from tl_core.text.windows import span_characters, tokenise

CPU = torch.device("cpu")


@pytest.fixture(params=READING_TYPES)
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Encoder:
    return tiny_encoder(tmp_path, request.param)


def made_set(*, words: int, count: int = 20, seed: int = 0, unanswerable: bool = False) -> ReadingSet:
    """Questions on random passages; each answer is one to three whole words, anywhere."""
    dice = random.Random(seed)
    passages, questions = [], []
    for at in range(count):
        spoken = [
            dice.choice(WORDS).capitalize() if dice.random() < 0.2 else dice.choice(WORDS)
            for _ in range(words)
        ]
        text = "  ".join(spoken) + "."
        first = dice.randrange(words)
        answer = "  ".join(spoken[first : first + dice.randint(1, 3)])
        start = len("  ".join(spoken[:first])) + (2 if first else 0)
        answers = () if unanswerable else (Answer(answer, start),)
        passages.append(Passage(text, at))
        questions.append(Question(str(at), "who saw the king?", at, answers))
    return ReadingSet("made", tuple(passages), tuple(questions))


def answers_read_back(encoder: Encoder, data: ReadingSet, examples: SpanExamples) -> list[str]:
    """The characters of each example's token span."""
    found = []
    for question, window, start, end in zip(
        data.questions, examples.windows, examples.starts, examples.ends, strict=True
    ):
        text = data.passage_of(question)
        (passage,) = tokenise(encoder.tokenizer, [text])
        inside = slice(window.at, window.at + window.count)
        assert window.encoded.ids[window.first : window.first + window.count] == passage.ids[inside]
        assert window.first <= start <= end < window.first + window.count
        moved = window.at - window.first
        found.append(text[slice(*span_characters(text, passage, int(start) + moved, int(end) + moved))])
    return found


@pytest.mark.parametrize(("words", "max_tokens"), [(8, 64), (60, 40), (200, 64)])
def test_the_token_span_is_the_reference(encoder: Encoder, words: int, max_tokens: int) -> None:
    data = made_set(words=words, seed=words)
    examples = span_examples(encoder, data, max_tokens=max_tokens, seed=0)
    assert len(examples) == len(data)
    assert answers_read_back(encoder, data, examples) == [each.answers[0].text for each in data.questions]
    assert examples.lengths.max() <= max_tokens
    assert examples.lengths.tolist() == [len(each.encoded) for each in examples.windows]


def test_a_passage_that_fits_is_taken_whole(encoder: Encoder) -> None:
    data = made_set(words=6)
    for question, window in zip(
        data.questions, span_examples(encoder, data, max_tokens=64, seed=0).windows, strict=True
    ):
        own = encoder.tokenizer.encode(question.text, data.passage_of(question))
        assert window.encoded.ids == own.ids


def test_parts_of_long_passages_are_full_and_stand_anywhere_around_the_answer(encoder: Encoder) -> None:
    data = made_set(words=150, count=60)
    examples = span_examples(encoder, data, max_tokens=48, seed=0)
    assert set(examples.lengths.tolist()) == {48}
    places = [(start - each.first) / each.count for start, each in zip(examples.starts, examples.windows)]
    assert min(places) < 0.25
    assert max(places) > 0.75


def test_an_unanswerable_question_points_to_the_null_position(encoder: Encoder) -> None:
    data = made_set(words=150, unanswerable=True)
    examples = span_examples(encoder, data, max_tokens=48, seed=0)
    nulls = [each.null for each in examples.windows]
    assert examples.starts.tolist() == examples.ends.tolist() == nulls
    assert len({each.at for each in examples.windows}) > 5  # any part of the passage


def test_the_same_seed_takes_the_same_parts(tmp_path: Path) -> None:
    encoder, data = tiny_encoder(tmp_path, "bert"), made_set(words=150)
    one, same, other = (
        [each.at for each in span_examples(encoder, data, max_tokens=48, seed=seed).windows]
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_an_answer_that_fits_no_window_is_left_out_and_nothing_left_is_an_error(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "bert")
    text = "the king saw the queen " * 30
    long = Question("long", "who?", 0, (Answer(text[:400], 0),))
    short = Question("short", "who?", 0, (Answer("queen", 17),))
    passages = (Passage(text, 0),)
    examples = span_examples(encoder, ReadingSet("x", passages, (long, short)), max_tokens=64, seed=0)
    assert len(examples) == 1
    with pytest.raises(DataError, match="x holds no question whose answer fits into 64 tokens"):
        span_examples(encoder, ReadingSet("x", passages, (long,)), max_tokens=64, seed=0)


def test_a_long_question_is_cut_and_leaves_half_of_the_window(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "bert")
    question = Question("q", "who saw the king " * 40, 0, (Answer("queen", 4),))
    data = ReadingSet("x", (Passage("the queen " * 80, 0),), (question,))
    (window,) = span_examples(encoder, data, max_tokens=64, seed=0).windows
    assert (window.first, window.count, len(window.encoded)) == (31, 32, 64)


def test_questions_that_share_an_id_keep_their_words(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "bert")
    passages = (Passage("the king saw the queen", 0),)
    answer = (Answer("the king", 0),)
    data = ReadingSet(
        "x", passages, (Question("1", "who saw?", 0, answer), Question("1", "who ate?", 0, answer))
    )
    one, other = span_examples(encoder, data, max_tokens=64, seed=0).windows
    assert one.encoded.ids != other.encoded.ids


def test_the_encoder_limits_the_window(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "bert")
    assert span_examples(encoder, made_set(words=200), max_tokens=512, seed=0).lengths.max() == 64


# --- batches ---------------------------------------------------------------------------------------


def mixed_examples(encoder: Encoder) -> tuple[ReadingSet, SpanExamples]:
    """Short and long windows together, half of them unanswerable."""
    sets = [made_set(words=words, count=3, seed=words, unanswerable=words == 12) for words in (3, 12, 30)]
    passages = tuple(each for one in sets for each in one.passages)
    questions = tuple(
        Question(f"{at} {each.id}", each.text, 3 * at + each.passage, each.answers)
        for at, one in enumerate(sets)
        for each in one.questions
    )
    data = ReadingSet("mixed", passages, questions)
    return data, span_examples(encoder, data, max_tokens=64, seed=0)


def test_a_batch_allows_the_passage_and_the_null_position(encoder: Encoder) -> None:
    _, examples = mixed_examples(encoder)
    batch = make_batch(encoder, examples.windows, CPU)
    length = int(examples.lengths.max())
    for row, window in enumerate(examples.windows):
        shift = length - len(window.encoded) if encoder.family.pad_left else 0
        assert int(batch.shift[row]) == shift
        wanted = {shift + window.null} | {shift + window.first + at for at in range(window.count)}
        assert set(batch.allowed[row].nonzero().flatten().tolist()) == wanted
        assert batch.inputs["attention_mask"][row][batch.allowed[row]].all()
        real = batch.inputs["input_ids"][row, shift : shift + len(window.encoded)]
        assert real.tolist() == window.encoded.ids
    assert batch.shift.any() == encoder.family.pad_left
    assert ("token_type_ids" in batch.inputs) == encoder.family.type_ids


def test_losses_are_those_of_each_window_alone(encoder: Encoder) -> None:
    """The mean of two cross-entropies by hand, over the allowed tokens of an unpadded window."""
    _, examples = mixed_examples(encoder)
    torch.manual_seed(0)
    network = make_reader_network(encoder).eval()
    torch.nn.init.normal_(network.head.weight)  # type: ignore[union-attr, arg-type]
    rows = np.arange(len(examples))
    with torch.inference_mode():
        together = make_problem(encoder, lambda epoch: examples, None, CPU).losses(network, rows)
        for row, window in enumerate(examples.windows):
            batch = make_batch(encoder, [window], CPU)
            assert not batch.shift.any()
            logits = allowed_logits(network(batch.inputs), batch.allowed)[0]  # (T, 2)
            shares = logits.log_softmax(0)
            alone = -(shares[examples.starts[row], 0] + shares[examples.ends[row], 1]) / 2
            assert float(together[row]) == pytest.approx(float(alone), abs=1e-4)


def test_validation_counts_the_windows_whose_two_best_tokens_are_the_references(encoder: Encoder) -> None:
    _, examples = mixed_examples(encoder)
    torch.manual_seed(1)
    network = make_reader_network(encoder).eval()
    problem = make_problem(encoder, lambda epoch: examples, examples, CPU)
    assert problem.validate is not None
    with torch.inference_mode():
        loss, right, count = problem.validate(network, 0, 1)
        parts = problem.validate(network, 0, 2) + problem.validate(network, 1, 2)
        batch = make_batch(encoder, examples.windows, CPU)
        best = allowed_logits(network(batch.inputs), batch.allowed).argmax(1) - batch.shift[:, None]
    wanted = [
        (start, end) == tuple(pair)
        for start, end, pair in zip(examples.starts, examples.ends, best.tolist(), strict=True)
    ]
    assert (right, count) == (sum(wanted), len(examples))
    assert parts == pytest.approx([loss, right, count], rel=1e-5)


def test_each_epoch_draws_other_windows_always_as_many_and_the_same_ones_again(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "bert")
    drawer = WindowDrawer(encoder, made_set(words=120), max_tokens=48, seed=3)
    first, second, again = drawer.draw(0), drawer.draw(1), drawer.draw(0)
    assert len(first) == len(second) == 20
    assert [each.at for each in first.windows] == [each.at for each in again.windows]
    assert [each.at for each in first.windows] != [each.at for each in second.windows]


def test_any_reference_draws_among_all_answers_and_the_chosen_one_stays_without(tmp_path: Path) -> None:
    encoder = tiny_encoder(tmp_path, "bert")
    text = "the king saw the queen in the old house of a boy"
    answers = tuple(Answer(word, text.index(word)) for word in ("king", "king", "queen", "boy"))
    data = ReadingSet("a", (Passage(text, 0),), (Question("1", "who was it?", 0, answers),))
    either = WindowDrawer(encoder, data, max_tokens=60, seed=0, any_reference=True)
    drawn = {answers_read_back(encoder, data, either.draw(epoch))[0] for epoch in range(40)}
    assert drawn == {"king", "queen", "boy"}
    chosen = WindowDrawer(encoder, data, max_tokens=60, seed=0)
    assert {answers_read_back(encoder, data, chosen.draw(epoch))[0] for epoch in range(10)} == {"king"}
