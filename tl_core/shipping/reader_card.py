"""Measure a trained reader, calibrate it, and write the folder that ships: float16, with its card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tl_core.data.reading import ReadingSet, with_unanswerable
from tl_core.encoders.catalog import hub_name_of
from tl_core.exchange.metadata import with_metadata
from tl_core.records import read_record, write_record
from tl_core.settings import Settings
from tl_core.shipping.reader_recipe import Questions, ReaderRecipe
from tl_core.shipping.steps import halve, machine_name, tell, told
from tl_core.tasks.read.answers import Reply
from tl_core.tasks.read.calibration import Calibration
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.evaluate import best_threshold, calibration_of, judge, rule_for, scores_at
from tl_core.tasks.read.reader import Asked, Reader
from tl_core.tasks.read.saved import load_reader, write_calibration
from tl_core.whole_files import folder_aside, remove

MEASURED = "measured.json"  # beside a stage's model
CANDIDATES = 20  # answers a question that the calibration looks at
PLAIN = Reading(top=1, strip_josa=False)  # Korean particles left on, so that both ways can be judged
UNANSWERABLE = 0.5  # made questions without an answer for each one with, in the SQuAD 2.0 kind of test


def ship(recipe: ReaderRecipe, settings: Settings, questions: Questions, work: Path, out: Path) -> None:
    """Measure every stage on the last one's test, then write the last one to `out`.

    What an earlier stage scored is kept in its folder; the last stage is measured as it ships.
    """
    *earlier, last = recipe.stages
    measured: dict[str, Any] = {"stages": {}}
    for stage in earlier:
        measured["stages"][stage.name] = _measured_stage(settings, work / stage.name, questions.test)
        tell(f"{stage.name}: {measured['stages'][stage.name]}")
    with folder_aside(out, replacing=True) as aside:
        shutil.copytree(work / last.name / "model", aside, dirs_exist_ok=True)
        remove(aside / "facts.json")
        halve(aside)
        calibration = _calibrate(settings, aside, questions.validation)
        write_calibration(aside, calibration)
        measured["shipped"] = _measure_shipped(settings, aside, questions.test)
        scores = {name: measured["shipped"][name] for name in ("questions", "exact_match", "f1")}
        measured["stages"][last.name] = _stage_facts(work / last.name / "model") | scores
        measured["size"] = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file())
        measured["date"], measured["machine"] = date.today().isoformat(), machine_name(settings)
        write_calibration(aside, calibration, measured)
        (aside / "README.md").write_text(make_reader_card(recipe, calibration, measured), encoding="utf-8")
    tell(json.dumps(measured["shipped"]))


def _measured_stage(settings: Settings, folder: Path, data: ReadingSet) -> dict[str, Any]:
    """Cost and scores of a stage; asked once, then remembered in its folder."""
    known = read_record(folder / MEASURED)
    if known is None:
        reader = load_reader(folder / "model", settings)
        known = _stage_facts(folder / "model") | _scores(data, _ask_all(reader, data))
        write_record(folder / MEASURED, known)
    return known


def _stage_facts(model: Path) -> dict[str, Any]:
    facts = read_record(model / "facts.json") or {}
    return {name: facts[name] for name in ("windows", "epochs", "best_epoch", "seconds") if name in facts}


def _ask_all(reader: Reader, data: ReadingSet, how: Reading = PLAIN) -> Any:
    asked = [Asked(question.text, data.passage_of(question)) for question in data.questions]
    return told(f"asking {data.name}", reader.ask_events(asked, how), "questions")


def _scores(data: ReadingSet, replies: Sequence[Reply]) -> dict[str, Any]:
    """Exact match and F1 in percent on answerable questions; of Korean ones also without the josa rule."""
    rule = rule_for(data)
    korean = rule == "korquad"
    scores = scores_at(judge(data, replies, rule, josa=korean), float("-inf"))
    figures = {
        "questions": scores.count,
        "exact_match": round(100 * scores.exact_match, 2),
        "f1": round(100 * scores.f1, 2),
    }
    if korean:
        plain = scores_at(judge(data, replies, rule), float("-inf"))
        figures["exact_match_without_josa_rule"] = round(100 * plain.exact_match, 2)
        figures["f1_without_josa_rule"] = round(100 * plain.f1, 2)
    return figures


def _measure_shipped(settings: Settings, folder: Path, data: ReadingSet) -> dict[str, Any]:
    """The scores on a test, and F1 in percent with made unanswerable questions: at the shipped threshold,
    and at the best one.
    """
    reader = load_reader(folder, settings)
    mixed = with_unanswerable(data, UNANSWERABLE, seed=1)  # the test's own questions come first
    replies = _ask_all(reader, mixed)
    rule = rule_for(mixed)
    judged = judge(mixed, replies, rule, josa=rule == "korquad")
    shipped, best = scores_at(judged, reader.calibration.threshold), scores_at(judged, best_threshold(judged))
    return _scores(data, replies[: len(data)]) | {
        "questions_with_unanswerable": len(mixed),
        "f1_at_shipped_threshold": round(100 * shipped.f1, 2),
        "f1_at_best_threshold": round(100 * best.f1, 2),
    }


def _calibrate(settings: Settings, folder: Path, data: ReadingSet) -> Calibration:
    reader = load_reader(folder, settings)
    replies = _ask_all(reader, data, Reading(top=CANDIDATES))
    return calibration_of(replies, judge(data, replies, rule_for(data)))


def make_reader_card(recipe: ReaderRecipe, calibration: Calibration, measured: dict[str, Any]) -> str:
    """Markdown: base, data, licences, command, rows, seconds, scores, limits."""
    shipped = measured["shipped"]
    lines = [
        f"# {recipe.title}",
        "",
        recipe.description,
        "",
        f"Trained by `python -m tl_core.shipping.{recipe.name} --data DIR` on {measured['machine']}, "
        f"{measured['date']}. {measured['size'] / 1e6:.2f} MB, float16.",
        "",
        "## Training",
        "",
        "| stage | windows | epochs (best) | seconds | exact match | F1 |",
        "|---|---|---|---|---|---|",
    ]
    for name, of in measured["stages"].items():
        lines.append(
            f"| {name} | {of.get('windows', 0):,} | {of.get('epochs')} ({of.get('best_epoch')}) | "
            f"{of.get('seconds', 0):,.0f} | {of['exact_match']:.1f} | {of['f1']:.1f} |"
        )
    lines += [
        "",
        f"Every stage is measured on the same test: {recipe.test}.",
        "",
        "## What ships",
        "",
        "| | |",
        "|---|---|",
        f"| exact match / F1 | {shipped['exact_match']:.1f} / {shipped['f1']:.1f} on {shipped['questions']:,} questions |",
    ]
    if "exact_match_without_josa_rule" in shipped:
        lines.append(
            f"| without the josa rule | {shipped['exact_match_without_josa_rule']:.1f} / "
            f"{shipped['f1_without_josa_rule']:.1f} |"
        )
    lines += [
        f"| F1 with made unanswerable questions | {shipped['f1_at_shipped_threshold']:.1f} at the shipped threshold, "
        f"{shipped['f1_at_best_threshold']:.1f} at the best one "
        f"({shipped['questions_with_unanswerable']:,} questions) |",
        f"| no-answer threshold | {calibration.threshold:.2f}, chosen on {calibration.rows:,} held-out questions |",
        f"| probability | softmax at temperature {calibration.temperature:.2f}; expected calibration error "
        f"{calibration.error:.3f} on the held-out questions, by cross-validation |",
        "",
        "## Data and licences",
        "",
        *recipe.sources,
        "",
        "The adapter falls under these licences and that of its base; the project's own licence covers code only.",
        "",
        "## Limits",
        "",
        *recipe.limits,
        "",
    ]
    base = hub_name_of(recipe.encoder)
    return with_metadata("\n".join(lines), task="question-answering", language=[recipe.language], base=base)
