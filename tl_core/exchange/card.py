"""The card of an exported run: what it is, on what it was trained, how good it was, how to use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tl_core.encoders.adapted import FACTS
from tl_core.exchange.metadata import with_metadata
from tl_core.outcomes.comparison import TITLES
from tl_core.outcomes.tasks import CLASSIFIERS, EXACT_MATCH, F1, READERS, Score, Scores, kind_of, scores_of
from tl_core.runs.store import Run
from tl_core.tasks.read.report import ReadReport

RULES = {"squad1": "SQuAD 1.1", "squad2": "SQuAD 2.0", "korquad": "KorQuAD 1.0"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a card tells that is the task's own: the hub's tag, heading, first lines, rows of the table, command, limits."""

    tag: str
    heading: str
    about: str
    rows: Mapping[str, str]
    command: str
    limits: str


def make_card(run: Run, folder: Path) -> str:
    """Markdown; texts of the user (title, labels) stand in code marks, so that they format nothing."""
    record = run.record
    told = TELLERS[kind_of(run).task](run)
    rows = {
        **told.rows,
        "trained parameters": f"{record.get('trained_parameters', 0):,}",
        "seconds of training": f"{record['seconds']:.1f}",
        **_base_rows(folder, record),
    }
    lines = [
        f"# {told.heading}",
        "",
        told.about,
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
        "## Use",
        "",
        "```",
        "pip install -r requirements.txt",
        told.command,
        "```",
        "",
        "## Settings",
        "",
        "```json",
        json.dumps(record["config"], indent=1, ensure_ascii=False),
        "```",
        "",
        f"{told.limits} The weights fall under the",
        "licence of the base encoder and of the data they were trained on.",
        "",
    ]
    base = (
        json.loads((folder / FACTS).read_text(encoding="utf-8"))["hub"] if (folder / FACTS).exists() else ""
    )
    return with_metadata("\n".join(lines), task=told.tag, base=base, tags=[str(record["strategy"])])


def _classifier(run: Run) -> Told:
    record, report, rows = run.record, run.record["report"], run.record["rows"]
    classes = ", ".join(_code(each) for each in record["classes"])
    return Told(
        tag="text-classification",
        heading=f"Text classifier: {TITLES[record['strategy']]}",
        about=f"Trained on {_code(record['title'])}, seed {record['seed']}. Classes: {classes}.",
        rows={
            "rows": _rows(rows),
            **_score_rows(scores_of(run)),
            "majority class": f"{report['majority_accuracy']:.3f}",
            "expected calibration error": f"{report['expected_calibration_error']:.3f}",
        },
        command='python predict.py "a text"',
        limits="The accuracy holds for texts like the test rows; on others it can be anything.",
    )


def _reader(run: Run) -> Told:
    record, report = run.record, ReadReport.from_json(run.record["report"])
    rows = {"questions": _rows(record["rows"]), "rule": RULES[report.rule]}
    if report.answerable < report.scores.count:
        rows["test questions without an answer"] = f"{report.scores.count - report.answerable:,}"
        rows["no-answer threshold"] = f"{report.threshold:.2f}"
    rows |= _score_rows(scores_of(run))
    if report.other_josa is not None:
        rows["particles (josa)"] = "cut off answers" if report.josa else "kept at answers"
        other = {EXACT_MATCH: Score(report.other_josa.exact_match), F1: Score(report.other_josa.f1)}
        by_other = "kept, as predict.py answers" if report.josa else "cut off"
        rows |= {f"{name}, particles {by_other}": value for name, value in _score_rows(other).items()}
    return Told(
        tag="question-answering",
        heading=f"Reader: {TITLES[record['strategy']]}",
        about=f"Finds the answer to a question in a text. Trained on {_code(record['title'])}, "
        f"starting from {_code(record['source'])}, seed {record['seed']}.",
        rows=rows,
        command='python predict.py --passage text.txt --question "a question"',
        limits="The scores hold for texts and questions like those of the test; on others they can be anything.",
    )


TELLERS: Mapping[str, Callable[[Run], Told]] = {CLASSIFIERS.task: _classifier, READERS.task: _reader}


def _rows(rows: Mapping[str, int]) -> str:
    return f"{rows['train']} trained, {rows['validation']} for choosing the epoch, {rows['test']} tested"


def _score_rows(scores: Scores) -> dict[str, str]:
    """'0.812, 95 % interval 0.790 to 0.833' by the name of each measure."""
    rows = {}
    for measure, score in scores.items():
        rows[measure.name] = f"{score.value:.3f}"
        if score.interval is not None:
            rows[measure.name] += f", 95 % interval {score.interval.low:.3f} to {score.interval.high:.3f}"
    return rows


def _base_rows(folder: Path, record: Mapping[str, Any]) -> dict[str, str]:
    if not (folder / FACTS).exists():
        return {}
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    rows = {"base encoder": _code(facts["base"]["name"])}
    if (folder / "base" / "model.safetensors").exists():
        rows["base weights"] = "in `base/`, float16: results may differ in the third decimal"
    elif facts["whole"]:
        rows["base weights"] = "not needed: every weight is in `encoder.safetensors`"
    else:
        rows["base weights"] = f"hub: {_code(facts['hub'])}"
        if facts["base"]["name"] == "e5":
            rows["note"] = (
                "trained on 4-bit base weights; with the hub's unquantised ones results differ a little"
            )
    if record.get("source"):
        rows["source"] = _code(str(record["source"]))
    return rows


def _code(text: str) -> str:
    return "`" + " ".join(text.replace("`", "'").replace("|", "/").split()) + "`"


def requirements(packages: Sequence[str]) -> str:
    """These packages at the versions that are installed here, as pip reads them."""
    return "".join(f"{name}=={version(name).split('+')[0]}\n" for name in packages)
