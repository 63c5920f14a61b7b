"""The row of reading."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tl_core.convert import from_json, to_json
from tl_core.encoders.adapted import FACTS, read_facts, read_starting_point
from tl_core.encoders.families import family_of
from tl_core.errors import ModelError, StillInUse, TLError
from tl_core.jobs.read.train import TEST, articles_of, exact_matches
from tl_core.knobs import from_values
from tl_core.outcomes.tasks.kind import (
    KEPT,
    CardText,
    Fields,
    Judging,
    Measure,
    Portable,
    Score,
    Scores,
    TaskKind,
    code,
    learned_from,
    rows_text,
    score_rows,
)
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.encoder.classifier import ENCODER_FORM
from tl_core.tasks.classify.strategies import title_of_strategy
from tl_core.tasks.intervals import share_interval
from tl_core.tasks.read.config import ReadConfig
from tl_core.tasks.read.report import ReadReport, Spans
from tl_core.tasks.read.saved import HEAD, TASK, read_calibration
from tl_core.tasks.significance import Wording

EXACT_MATCH, F1 = Measure("exact_match", "exact match"), Measure("f1", "F1")
RULES = {"squad1": "SQuAD 1.1", "squad2": "SQuAD 2.0", "korquad": "KorQuAD 1.0"}
MOST_QUESTIONS = 10_000_000


def _arm_title(run: Run) -> str:
    return run.record.name or run.record.source


def _takes_over(job: Job, run: Run) -> bool:
    """Whether a run began with a reader, not with a bare encoder; of an earlier version, as its start in the job tells."""
    if run.record.from_source is not None:
        return run.record.from_source
    try:
        return not read_starting_point(job.folder / "data" / run.record.arm).bare
    except StillInUse:
        raise
    except TLError:
        return False


def _name(run: Run) -> str:
    return f"From {_arm_title(run)}, {learned_from(run):,} questions, seed {run.record.seed}"


def _scores(report: Mapping[str, Any]) -> Scores:
    scores = report["scores"]
    if report.get("spans"):
        spans = from_json(Spans, report["spans"])
        return {
            EXACT_MATCH: Score(scores["exact_match"], spans.exact_match),
            F1: Score(scores["f1"], spans.f1),
        }
    by_question = share_interval(scores["exact_match"], scores["count"])  # an earlier version's report
    return {EXACT_MATCH: Score(scores["exact_match"], by_question), F1: Score(scores["f1"])}


def _scores_text(run: Run) -> str:
    """In percent, as the official scripts print them."""
    scores = run.tested["scores"]
    return (
        f"exact match {100 * scores['exact_match']:.1f} %  F1 {100 * scores['f1']:.1f} %  "
        f"{run.record.rows.train} questions"
    )


def _summary(run: Run) -> dict[str, Any]:
    """Exact match and F1 in percent, as the official scripts print them."""
    scores = (run.report or {}).get("scores")
    return {
        "source": run.record.source,
        "questions": run.record.rows.train,
        "exact_match": 100 * scores["exact_match"] if scores else None,
        "f1": 100 * scores["f1"] if scores else None,
    }


def _card(run: Run) -> CardText:
    record, report = run.record, from_json(ReadReport, run.tested)
    rows = {"questions": rows_text(record.rows), "rule": RULES[report.rule]}
    if report.answerable < report.scores.count:
        rows["test questions without an answer"] = f"{report.scores.count - report.answerable:,}"
        rows["no-answer threshold"] = f"{report.threshold:.2f}"
    rows |= score_rows(_scores(run.tested))
    if report.other_josa is not None:
        rows["particles (josa)"] = "cut off answers" if report.josa else "kept at answers"
        other = {EXACT_MATCH: Score(report.other_josa.exact_match), F1: Score(report.other_josa.f1)}
        by_other = "kept, as predict.py answers" if report.josa else "cut off"
        rows |= {f"{name}, particles {by_other}": value for name, value in score_rows(other).items()}
    return CardText(
        tag="question-answering",
        heading=f"Reader: {title_of_strategy(record.strategy)}",
        about=f"Finds the answer to a question in a text. Trained on {code(record.title)}, "
        f"starting from {code(record.source)}, seed {record.seed}.",
        rows=rows,
        command='python predict.py --passage text.txt --question "a question"',
        limits="The scores hold for texts and questions like those of the test; on others they can be anything.",
    )


def _fields(_: Path, given: Fields) -> dict[str, Any]:
    method = from_values(ReadConfig, given["config"]).method
    return {
        "task": TASK,
        "strategy": method,
        "size": int(given["size"]),
        "report": _checked_report(given["report"]),
    }


def _checked_report(values: dict[str, Any]) -> dict[str, Any]:
    """A reader's report as `to_json` writes it; ValueError or TypeError if it holds anything else."""
    report = from_json(ReadReport, values)
    every = [report.scores, report.other_josa, report.best, *(group.scores for group in report.groups)]
    for scores in every:
        if scores is not None:
            _check_number(scores.count, 0, MOST_QUESTIONS)
            _check_number(scores.exact_match, 0, 1)
            _check_number(scores.f1, 0, 1)
    if report.spans is not None:
        _check_number(report.spans.articles, 1, MOST_QUESTIONS)
        for span in (report.spans.exact_match, report.spans.f1):
            _check_number(span.low, 0, span.high)
            _check_number(span.high, 0, 1)
    for threshold in (report.threshold, report.best_threshold):
        if threshold is not None:
            _check_number(threshold, -math.inf, math.inf)
    _check_number(report.answerable, 0, report.scores.count)
    return dict(to_json(report))


def _check_number(value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"a score must be a number between {low} and {high}; got {value!r:.40}")


def _check_head(folder: Path) -> None:
    """A span head of an encoder of a known family, and, if there is one, a whole calibration."""
    from safetensors import SafetensorError, safe_open

    facts = read_facts(folder)
    if facts.get("task") != TASK:
        raise ModelError("{facts} of the zip is not that of a reader.", facts=FACTS)
    family_of(str(facts.get("family", "")))
    try:
        with safe_open(folder / HEAD, framework="numpy") as tensors:
            names = tensors.keys()
            shapes = {name: tensors.get_slice(name).get_shape() for name in names}
    except (SafetensorError, OSError) as error:
        raise ModelError(
            "The zip lacks a readable {head}: it is not a whole reader ({error}).", head=HEAD, error=error
        ) from error
    weight, bias = shapes.pop("weight", []), shapes.pop("bias", [])
    if shapes or len(weight) != 2 or weight[0] != 2 or bias != [2]:
        raise ModelError("{head} of the zip is not a span head.", head=HEAD)
    read_calibration(folder)


READERS = TaskKind(
    task=TASK,
    title="reading",
    unit="question",
    name=_name,
    arm_title=_arm_title,
    takes_over=_takes_over,
    told_by_start=True,
    strategy_title=title_of_strategy,
    scores_text=_scores_text,
    summary=_summary,
    judging=Judging(
        measures=(EXACT_MATCH, F1),
        right=EXACT_MATCH,
        best=F1,
        wording=Wording("question", EXACT_MATCH.name),
        scores=_scores,
        test=TEST,
        right_answers=exact_matches,
        clusters=articles_of,
    ),
    card=_card,
    portable=Portable(
        script=lambda record: "predict_reader.py",
        files=re.compile(r"reader\.json"),
        packages=lambda record, folder: ENCODER_FORM.packages(folder),
        kept=(*KEPT, "task", "size"),
        fields=_fields,
        has_encoder=lambda record: True,
        check_head=_check_head,
    ),
)
