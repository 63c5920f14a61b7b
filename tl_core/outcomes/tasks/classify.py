"""The row of classification."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.convert import from_json, to_json
from tl_core.errors import ModelError
from tl_core.knobs import from_values
from tl_core.outcomes.answers import groups_of_test, majority_answers, read_answers
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
    rows_text,
    score_rows,
)
from tl_core.runs.records import CLASSIFY, RunRecord
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.encoder.classifier import HEAD
from tl_core.tasks.classify.forms import LABELS
from tl_core.tasks.classify.metrics import Report
from tl_core.tasks.classify.strategies import FORMS, Strategy, place_of_strategy, strategy, title_of_strategy
from tl_core.tasks.intervals import Interval, share_interval
from tl_core.tasks.significance import Wording

ACCURACY, MACRO_F1 = Measure("accuracy", "accuracy"), Measure("macro_f1", "macro-F1")


def _arm_title(run: Run) -> str:
    return run.record.name or title_of_strategy(run.record.strategy)


def _name(run: Run) -> str:
    part = "source task" if run.record.role == "source" else f"seed {run.record.seed}"
    return f"{_arm_title(run)}, {part}"


def _scores(report: Mapping[str, Any]) -> Scores:
    return {
        ACCURACY: Score(report["accuracy"], share_interval(report["accuracy"], report["rows"])),
        MACRO_F1: Score(report["macro_f1"], Interval(**report["macro_f1_interval"])),
    }


def _right_classes(job: Job, run: Run) -> NDArray[np.bool_]:
    return read_answers(job, run).correct


def _scores_text(run: Run) -> str:
    """Both scores; the interval is that of the accuracy alone."""
    (_, accuracy), (_, macro_f1) = _scores(run.tested).items()
    assert accuracy.interval is not None
    low, high = accuracy.interval.low, accuracy.interval.high
    return f"accuracy {accuracy.value:.3f} [{low:.3f}, {high:.3f}]  macro-F1 {macro_f1.value:.3f}"


def _summary(run: Run) -> dict[str, Any]:
    """Shares, as the command line prints them."""
    report = run.report or {}
    interval = report.get("accuracy_interval") or {}
    return {
        "accuracy": report.get("accuracy"),
        "macro_f1": report.get("macro_f1"),
        "interval": [interval.get("low"), interval.get("high")],
    }


def _card(run: Run) -> CardText:
    record, report, rows = run.record, run.tested, run.record.rows
    classes = ", ".join(code(label) for label in record.classes)
    return CardText(
        tag="text-classification",
        heading=f"Text classifier: {title_of_strategy(record.strategy)}",
        about=f"Trained on {code(record.title)}, seed {record.seed}. Classes: {classes}.",
        rows={
            "rows": rows_text(rows),
            **score_rows(_scores(report)),
            "majority class": f"{report['majority_accuracy']:.3f}",
            "expected calibration error": f"{report['expected_calibration_error']:.3f}",
        },
        command='python predict.py "a text"',
        limits="The accuracy holds for texts like the test rows; on others it can be anything.",
    )


def _row(record: RunRecord) -> Strategy:
    return strategy(record.strategy)


def _fields(folder: Path, given: Fields) -> dict[str, Any]:
    row = strategy(str(given["strategy"]))
    from_values(row.config, given["config"])
    classes = [str(name) for name in given["classes"]]
    if json.loads((folder / LABELS).read_text(encoding="utf-8")) != classes:
        raise ValueError("labels.json and record.json name different classes")
    return {
        "strategy": row.name,
        "classes": classes,
        "report": to_json(from_json(Report, given["report"])),
    }


def _check_head(folder: Path) -> None:
    if not (folder / HEAD).exists():
        raise ModelError("The zip lacks {head}: it is not a whole classifier.", head=HEAD)


CLASSIFIERS = TaskKind(
    task=CLASSIFY,
    title="classification",
    unit="row",
    name=_name,
    arm_title=_arm_title,
    strategy_title=title_of_strategy,
    strategy_place=place_of_strategy,
    scores_text=_scores_text,
    summary=_summary,
    judging=Judging(
        measures=(ACCURACY, MACRO_F1),
        right=ACCURACY,
        best=ACCURACY,
        wording=Wording("row"),
        scores=_scores,
        test="test.jsonl",
        right_answers=_right_classes,
        majority=majority_answers,
        clusters=groups_of_test,
    ),
    card=_card,
    portable=Portable(
        script=lambda record: _row(record).form.script,
        files=re.compile("|".join(re.escape(file) for form in FORMS for file in form.files)),
        packages=lambda record, folder: _row(record).form.packages(folder),
        kept=(*KEPT, "task", "classes"),
        fields=_fields,
        has_encoder=lambda record: _row(record).needs_encoder,
        check_head=_check_head,
    ),
)
