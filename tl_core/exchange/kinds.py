"""What is a task's own in the zip of a run: its script, its files, its fields of the record, its head.

Everything is checked without running anything of it, and without torch.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from tl_core.encoders.adapted import FACTS, read_facts
from tl_core.encoders.families import family_of
from tl_core.errors import ModelError
from tl_core.knobs import from_values
from tl_core.outcomes.tasks import CLASSIFIERS, READERS
from tl_core.tasks.classify.encoder.classifier import ENCODER_FORM
from tl_core.tasks.classify.forms import LABELS
from tl_core.tasks.classify.metrics import Report
from tl_core.tasks.classify.strategies import FORMS, Strategy, strategy
from tl_core.tasks.read.config import ReadConfig
from tl_core.tasks.read.metrics import Rule
from tl_core.tasks.read.report import ReadReport
from tl_core.tasks.read.saved import HEAD, TASK, read_calibration

Fields = Mapping[str, Any]
MOST_QUESTIONS = 10_000_000


@dataclass(frozen=True, slots=True)
class PortableKind:
    """One task's part of a zip.

    `script` names the file that becomes predict.py, by the record; `packages` what that needs, by the names of pip.
    `files` are its own beside those of every zip, `kept` the fields of the record. `fields` gives the checked fields
    of a foreign record, or raises ValueError, KeyError, TypeError or a TLError; `check_head` raises ModelError.
    """

    script: Callable[[Fields], str]
    files: re.Pattern[str]
    packages: Callable[[Fields, Path], tuple[str, ...]]
    kept: tuple[str, ...]
    fields: Callable[[Path, Fields], dict[str, Any]]
    has_encoder: Callable[[Fields], bool]
    check_head: Callable[[Path], None]


def _row(record: Fields) -> Strategy:
    return strategy(str(record["strategy"]))


def _classifier_fields(folder: Path, given: Fields) -> dict[str, Any]:
    row = _row(given)
    from_values(row.config, given["config"])
    classes = [str(each) for each in given["classes"]]
    if json.loads((folder / LABELS).read_text(encoding="utf-8")) != classes:
        raise ValueError("labels.json and record.json name different classes")
    return {
        "strategy": row.name,
        "classes": classes,
        "report": Report.from_json(given["report"]).to_json(),
    }


def _check_classifier_head(folder: Path) -> None:
    if not (folder / HEAD).exists():
        raise ModelError(f"The zip lacks {HEAD}: it is not a whole classifier.")


def _reader_fields(_: Path, given: Fields) -> dict[str, Any]:
    method = from_values(ReadConfig, given["config"]).method
    return {
        "task": TASK,
        "strategy": method,
        "size": int(given["size"]),
        "report": _checked_report(given["report"]),
    }


def _checked_report(values: dict[str, Any]) -> dict[str, Any]:
    """A reader's report as `to_json` writes it; ValueError or TypeError if it holds anything else."""
    report = ReadReport.from_json(values)
    every = [report.scores, report.other_josa, report.best, *(each.scores for each in report.groups)]
    for scores in every:
        if scores is not None:
            _check_number(scores.count, 0, MOST_QUESTIONS)
            _check_number(scores.exact_match, 0, 1)
            _check_number(scores.f1, 0, 1)
    for threshold in (report.threshold, report.best_threshold):
        if threshold is not None:
            _check_number(threshold, -math.inf, math.inf)
    _check_number(report.answerable, 0, report.scores.count)
    names = [name for each in report.groups for name in (each.by, each.name)]
    if report.rule not in get_args(Rule) or not all(isinstance(name, str) for name in names):
        raise ValueError("the report has no known rule, or groups without names")
    return {**report.to_json(), "josa": bool(report.josa)}


def _check_number(value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"a score must be a number between {low} and {high}; got {value!r:.40}")


def _check_reader_head(folder: Path) -> None:
    """A span head of an encoder of a known family, and, if there is one, a whole calibration."""
    from safetensors import SafetensorError, safe_open

    facts = read_facts(folder)
    if facts.get("task") != TASK:
        raise ModelError(f"{FACTS} of the zip is not that of a reader.")
    family_of(str(facts.get("family", "")))
    try:
        with safe_open(folder / HEAD, framework="numpy") as tensors:
            names = tensors.keys()
            shapes = {name: tensors.get_slice(name).get_shape() for name in names}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The zip lacks a readable {HEAD}: it is not a whole reader ({error}).") from error
    weight, bias = shapes.pop("weight", []), shapes.pop("bias", [])
    if shapes or len(weight) != 2 or weight[0] != 2 or bias != [2]:
        raise ModelError(f"{HEAD} of the zip is not a span head.")
    read_calibration(folder)


_KEPT = ("title", "strategy", "seed", "role", "encoder", "vectors", "source", "config", "rows", "seconds")
PORTABLE: Mapping[str, PortableKind] = {
    CLASSIFIERS.task: PortableKind(
        script=lambda record: _row(record).form.script,
        files=re.compile("|".join(re.escape(file) for form in FORMS for file in form.files)),
        packages=lambda record, folder: _row(record).form.packages(folder),
        kept=(*_KEPT, "classes"),
        fields=_classifier_fields,
        has_encoder=lambda record: _row(record).needs_encoder,
        check_head=_check_classifier_head,
    ),
    READERS.task: PortableKind(
        script=lambda record: "predict_reader.py",
        files=re.compile(r"reader\.json"),
        packages=lambda record, folder: ENCODER_FORM.packages(folder),
        kept=(*_KEPT, "task", "size"),
        fields=_reader_fields,
        has_encoder=lambda record: True,
        check_head=_check_reader_head,
    ),
}
