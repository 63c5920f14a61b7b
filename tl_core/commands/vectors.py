"""Word vectors without a browser: `neighbours`, `analogy`, `similarity`, `evaluate-vectors`, `learn-vectors`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tl_core.commands.output import add_json, parse_settings, show, tell, told_by_tenths
from tl_core.commands.train import followed
from tl_core.knobs import from_values
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.vectors.quality import Score
from tl_core.vectors.search import Neighbour
from tl_core.whole_files import written_for_user
from tl_core.wording import bytes_text, seconds_text

VECTORS_HELP = "glove, a loaded file's id, the id of a run that learned vectors, or a vector file"


def add_commands(commands: Any) -> None:
    near = commands.add_parser("neighbours", help="the words nearest to a word, by cosine")
    near.add_argument("words", nargs="+", metavar="WORD")
    near.add_argument("-k", type=int, default=10, help="how many words")
    _add_vectors(near)
    near.set_defaults(run=run_neighbours)
    analogy = commands.add_parser("analogy", help="what a formula over words points at")
    analogy.add_argument("formula", help='such as "king - man + 1.3 * woman"')
    analogy.add_argument("--method", choices=("add", "mul", "pair", "euclidean"), default="add")
    analogy.add_argument("--include-inputs", action="store_true", help="let the formula's words be answers")
    analogy.add_argument("-k", type=int, default=10, help="how many words")
    _add_vectors(analogy)
    analogy.set_defaults(run=run_analogy)
    alike = commands.add_parser("similarity", help="the cosine of two words")
    alike.add_argument("one")
    alike.add_argument("other")
    _add_vectors(alike)
    alike.set_defaults(run=run_similarity)
    evaluate = commands.add_parser("evaluate-vectors", help="analogies and word pairs that vectors get right")
    evaluate.add_argument(
        "--set", default="google", help="google, wordsim353, simlex999, or a file of either form"
    )
    evaluate.add_argument("--method", choices=("add", "mul"), default="add")
    evaluate.add_argument("--include-inputs", action="store_true", help="let a question's words be answers")
    _add_vectors(evaluate)
    evaluate.set_defaults(run=run_evaluate)
    learn = commands.add_parser(
        "learn-vectors", help="learn word vectors from a text file or a table's column"
    )
    learn.add_argument("file", type=Path, help="txt, csv or tsv, also .gz")
    learn.add_argument("--column", default="", help="the table's column with the text; default guessed")
    learn.add_argument("--method", choices=("skipgram", "cbow", "fasttext"), default="skipgram")
    learn.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="epochs=3 or width=50"
    )
    learn.add_argument(
        "--watch", nargs="+", default=[], metavar="WORD", help="tell how their neighbours change"
    )
    add_json(learn)
    learn.set_defaults(run=run_learn)
    save = commands.add_parser("save-vectors", help="write word vectors as a word2vec text file")
    save.add_argument("vectors", help=VECTORS_HELP)
    save.add_argument("out", type=Path)
    add_json(save)
    save.set_defaults(run=run_save)


def _add_vectors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vectors", default="glove", help=f"{VECTORS_HELP}; default glove")
    parser.add_argument("--first", type=int, help="search only the first, so most frequent, words")
    add_json(parser)


def run_neighbours(options: argparse.Namespace) -> int:
    from tl_core.catalog.vector_sets import open_vectors
    from tl_core.vectors.search import neighbours

    vectors = open_vectors(Store(read_settings()), options.vectors)
    near_words = {word: neighbours(vectors, word, options.k, first=options.first) for word in options.words}
    listed = [{**row, "of": word} for word, near in near_words.items() for row in _listed(near)]
    answer = {"vectors": vectors.name, "neighbours": listed}
    lines = [line for word, near in near_words.items() for line in (f"{word}:", *_lines(near))]
    show(options, answer, lines)
    return 0


def run_analogy(options: argparse.Namespace) -> int:
    from tl_core.catalog.vector_sets import open_vectors
    from tl_core.vectors.analogy import solve
    from tl_core.vectors.formula import parse_formula

    vectors = open_vectors(Store(read_settings()), options.vectors)
    formula = parse_formula(options.formula, vectors.vocabulary)
    nearest = solve(
        vectors,
        formula,
        options.k,
        method=options.method,
        first=options.first,
        include_inputs=options.include_inputs,
    )
    answer = {
        "formula": str(formula),
        "method": options.method,
        "inputs_included": options.include_inputs,
        "answers": _listed(nearest),
    }
    show(options, answer, [f"{formula}:", *_lines(nearest)])
    return 0


def run_similarity(options: argparse.Namespace) -> int:
    from tl_core.catalog.vector_sets import open_vectors
    from tl_core.vectors.arithmetic import similarity

    cosine = similarity(open_vectors(Store(read_settings()), options.vectors), options.one, options.other)
    show(options, {"similarity": cosine}, [f"{cosine:.4f}"])
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    from tl_core.catalog.vector_sets import open_vectors
    from tl_core.jobs.vectors.evaluate import QualityConfig, evaluate_events, read_set_file
    from tl_core.vectors.quality import SimilarityReport

    questions = read_set_file(options.set)
    config = QualityConfig(
        method=options.method, include_inputs=options.include_inputs, first=options.first or 0
    )
    vectors = open_vectors(Store(read_settings()), options.vectors)
    began = time.perf_counter()
    report = told_by_tenths(evaluate_events(vectors, questions, config), "asking")
    answer: dict[str, Any] = {"set": report.name, "vectors": vectors.name}
    if isinstance(report, SimilarityReport):
        answer |= {"spearman": report.spearman, "pearson": report.pearson}
        answer |= {"covered": report.covered, "total": report.total, "sections": []}
        line = f"Spearman {report.spearman:.3f}  Pearson {report.pearson:.3f}"
        sections: tuple[Score, ...] = ()
    else:
        halves = {"semantic": report.semantic, "syntactic": report.syntactic}
        answer |= {"accuracy": report.overall.accuracy}
        answer |= {name: half.accuracy for name, half in halves.items() if half}
        answer |= {"covered": report.overall.covered, "total": report.overall.total}
        answer["sections"] = [
            {"name": section.name, "accuracy": section.accuracy, "covered": section.covered}
            for section in report.sections
        ]
        if options.include_inputs:
            answer["answered_with_input"] = report.answered_with_input
        line, sections = f"accuracy {_percent(report.overall)}", report.sections
    answer["seconds"] = time.perf_counter() - began
    lines = [
        f"  {_percent(section)}  {section.name} ({section.covered} of {section.total})"
        for section in sections
    ]
    show(options, answer, [f"{line}  {answer['covered']} of {answer['total']} covered", *lines])
    return 0


def _percent(score: Score) -> str:
    return "  none" if score.accuracy is None else f"{100 * score.accuracy:5.1f} %"


def run_learn(options: argparse.Namespace) -> int:
    from tl_core.data.corpus import read_corpus_file
    from tl_core.jobs.vectors.learn import submit_learning
    from tl_core.vectors.learn_config import LearnConfig

    values = {"method": options.method, **parse_settings(options.set, LearnConfig)}
    config = from_values(LearnConfig, values)
    corpus = read_corpus_file(options.file, options.column)
    store = Store(read_settings())
    job = submit_learning(store, config, corpus.texts, corpus.name, watched=options.watch)
    job = followed(store, job)
    runs = [run for run in store.runs_of(job.id) if run.status == "done"]
    if job.status != "done" or not runs:
        reason = job.reason or f"The job is {job.status}."
        show(options, {"job": job.id, "status": job.status, "error": reason}, [])
        tell(f"error: {reason}")
        return 0 if job.status == "stopped" else 1
    record = runs[0].record
    answer = {"run": runs[0].id, "words": record.facts["words"], "seconds": record.seconds}
    answer["words_per_second"] = record.facts["words per second"]
    show(
        options,
        answer,
        [f"{answer['run']}  {answer['words']:,} words  {seconds_text(answer['seconds'])}"],
    )
    return 0


def run_save(options: argparse.Namespace) -> int:
    from tl_core.catalog.vector_sets import open_vectors
    from tl_core.vectors.files.read import write_word2vec_text

    vectors = open_vectors(Store(read_settings()), options.vectors)
    with written_for_user(options.out) as aside:
        write_word2vec_text(aside, vectors.words, vectors.rows)
    size = options.out.stat().st_size
    answer = {"out": str(options.out), "words": len(vectors.words), "bytes": size}
    show(options, answer, [f"{len(vectors.words):,} words written to {options.out} ({bytes_text(size)})"])
    return 0


def _listed(near: Sequence[Neighbour]) -> list[dict[str, Any]]:
    return [{"word": neighbour.word, "score": neighbour.score} for neighbour in near]


def _lines(near: Sequence[Neighbour]) -> list[str]:
    return [f"  {neighbour.score:8.4f}  {neighbour.word}" for neighbour in near]
