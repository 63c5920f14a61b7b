"""`ask`, `evaluate-reading` and `train-reader`: reading comprehension without a browser."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tl_core.commands.arms import parse_arm
from tl_core.commands.get import have_encoders
from tl_core.commands.output import add_json, parse_settings, show, tell, told_by_tenths
from tl_core.commands.train import finish
from tl_core.data.reading_files import read_reading_file
from tl_core.errors import ConfigError, DataError
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.tasks.read.evaluate import Scores
from tl_core.wording import seconds_text

READER_HELP = "en, ko, the id of a run, a folder, or a hub name with a question-answering head"
MOST_SAID = 5


def add_commands(commands: Any) -> None:
    ask = commands.add_parser("ask", help="answer a question from a passage")
    ask.add_argument("--passage", type=Path, required=True, help="a txt, md or pdf file")
    ask.add_argument("--question", required=True)
    ask.add_argument("--reader", default="", help=f"{READER_HELP}; default by the passage's script")
    ask.add_argument("--top", type=int, default=5, help="answers to give")
    ask.add_argument(
        "--threshold", type=float, help="score from which an answer counts; default the reader's"
    )
    ask.add_argument("--keep-josa", action="store_true", help="leave Korean particles at an answer's end")
    add_json(ask)
    ask.set_defaults(run=run_ask)
    evaluate = commands.add_parser("evaluate-reading", help="exact match and F1 of a reader on a file")
    evaluate.add_argument("file", type=Path, help="SQuAD 1.1, 2.0 or KorQuAD JSON, or the lecture's form")
    evaluate.add_argument("--reader", default="", help=f"{READER_HELP}; default by the questions' script")
    evaluate.add_argument("--limit", type=int, default=0, help="only the first questions; 0 for all")
    add_json(evaluate)
    evaluate.set_defaults(run=run_evaluate)
    train = commands.add_parser("train-reader", help="fine-tune a reader on a file of questions")
    train.add_argument("file", type=Path, help="SQuAD 1.1, 2.0 or KorQuAD JSON, or the lecture's form")
    train.add_argument("--encoder", default="", help="minilm, e5, a folder or a hub name: the bare encoder")
    train.add_argument(
        "--source", action="append", default=[], help="a reader or run to start from; may be repeated"
    )
    train.add_argument(
        "--arm",
        action="append",
        default=[],
        metavar="ARM",
        help='lora or full, with settings and a name of its own: "Rank 4: lora start=en rank=4"; may be repeated',
    )
    train.add_argument("--test", type=Path, help="a file to measure on; default: articles held back")
    train.add_argument("--sizes", type=int, nargs="+", default=[0], help="numbers of questions; 0 for all")
    train.add_argument("--seeds", type=int, default=1)
    train.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="epochs=3 or rank=8")
    train.add_argument("--processes", type=int, default=1, help="train with this many processes (torchrun)")
    add_json(train)
    train.set_defaults(run=run_train)


def run_ask(options: argparse.Namespace) -> int:
    from tl_core.catalog.readers import load_named_reader, reader_for
    from tl_core.data.documents import read_document
    from tl_core.tasks.read.config import Reading
    from tl_core.tasks.read.reader import check_asked

    if not 1 <= options.top <= 50:
        raise ConfigError("--top must be between 1 and 50; got {top}.", top=options.top)
    try:
        content = options.passage.read_bytes()
    except OSError as error:
        raise DataError(
            "{passage} cannot be read ({reason}).", passage=options.passage, reason=error.strerror
        ) from error
    passage = read_document(content, options.passage.name).text
    check_asked(options.question, passage)
    store = Store(read_settings())
    name = options.reader or reader_for([options.question, passage])
    have_encoders(store, name)
    reader = load_named_reader(store, name)
    how = Reading(top=options.top, strip_josa=not options.keep_josa)
    reply = reader.ask(options.question, passage, how)
    threshold = reply.threshold if options.threshold is None else options.threshold
    answer = {
        "answers": [asdict(found_answer) for found_answer in reply.answers],
        "no_answer_score": reply.no_answer_score if reply.answers else None,
        "threshold": threshold,
        "answered": bool(reply.answers) and reply.answers[0].score >= threshold,
        "windows": reply.windows,
        "reader": reader.title,
    }
    lines = [
        f"{found_answer.score:8.2f}  {found_answer.start}-{found_answer.end}  {found_answer.text}"
        for found_answer in reply.answers
    ]
    first_line = reply.answers[0].text if answer["answered"] else "no answer in this text"
    show(options, answer, [first_line, *lines])
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    from tl_core.catalog.readers import load_named_reader, reader_for
    from tl_core.tasks.read.config import Reading
    from tl_core.tasks.read.report import evaluate_events

    if options.limit < 0:
        raise ConfigError("--limit must be 0 or more; got {limit}.", limit=options.limit)
    data = read_reading_file(options.file)
    _tell_refused(data.refused)
    data = data.take(range(min(options.limit or len(data), len(data))))
    name = options.reader or reader_for([question.text for question in data.questions])
    store = Store(read_settings())
    have_encoders(store, name)
    reader = load_named_reader(store, name)
    began = time.perf_counter()
    report = told_by_tenths(evaluate_events(reader, data, Reading(top=1)), "asking").report
    seconds = time.perf_counter() - began
    answer = _percent(report.scores) | {"seconds": seconds, "reader": reader.title, "rule": report.rule}
    if report.other_josa is not None:
        answer["other_josa"] = {"cut": not report.josa, **_percent(report.other_josa)}
    if report.best is not None:
        answer["threshold"] = report.threshold
        answer["best_threshold"] = {"threshold": report.best_threshold, **_percent(report.best)}
    line = (
        f"{answer['count']} questions  exact match {answer['exact_match']:.2f} %  F1 {answer['f1']:.2f} %  "
        f"{seconds_text(seconds)}  ({report.rule}, {reader.title})"
    )
    show(options, answer, [line])
    return 0


def _percent(scores: Scores) -> dict[str, Any]:
    """Scores as the official scripts print them: exact match and F1 from 0 to 100."""
    return {"count": scores.count, "exact_match": 100 * scores.exact_match, "f1": 100 * scores.f1}


def run_train(options: argparse.Namespace) -> int:
    from tl_core.catalog.readers import reader_start
    from tl_core.encoders.load import find_encoder
    from tl_core.jobs.read.plan import METHODS, read_config_from_json
    from tl_core.jobs.read.train import check_base, submit_training
    from tl_core.tasks.read.config import ReadConfig

    if not options.encoder and not options.source and not options.arm:
        raise ConfigError(
            "Say what to start from: --encoder minilm or e5, --source with a reader or a run, or --arm."
        )
    data = read_reading_file(options.file)
    test = read_reading_file(options.test) if options.test else None
    for reading_set in (data, test):
        _tell_refused(reading_set.refused if reading_set else ())
    store = Store(read_settings())
    if options.encoder and options.source:
        wanted = find_encoder(options.encoder, store.settings)
        for name in options.source:
            check_base(name, reader_start(store, name), wanted)
    settings = parse_settings(options.set, ReadConfig)
    starts = options.source or [options.encoder] * bool(options.encoder)
    method = settings.get("method", ReadConfig().method)
    arms = [{"strategy": method, "settings": settings, "start": start} for start in starts]
    for text in options.arm:
        arm = parse_arm(text, dict.fromkeys(METHODS, ReadConfig), {"start": "start", "source": "source"})
        arms.append({**arm, "settings": {**settings, **arm["settings"]}})
    config = read_config_from_json(
        {"arms": arms, "sizes": list(dict.fromkeys(options.sizes)), "seeds": options.seeds}
    )
    have_encoders(store, *(name for arm in config.arms for name in (arm.start, arm.source) if name))
    job = submit_training(store, config, data, test=test, processes=options.processes)
    return finish(options, store, job)


def _tell_refused(refused: Any) -> None:
    for question in refused[:MOST_SAID]:
        tell(f"left out: {question.place}: {question.reason}")
    if len(refused) > MOST_SAID:
        tell(f"and {len(refused) - MOST_SAID} more")
