"""How fast word vectors answer, beside gensim: neighbours, all Google analogies, a fresh process, 300 dimensions, a map.

    python -m tests.benchmarks.vectors_speed [--only queries analogies fresh wide map] [--limit QUESTIONS]

The vectors are the packaged GloVe, 400,000 words in 50 dimensions. Both sides are timed in turns, in one
process; the fresh ones read what each side itself keeps on disk, mapped.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.measure import figure, machine, new_home
from tl_core.settings import Settings
from tl_core.training.events import drain
from tl_core.vectors.catalog import open_packaged
from tl_core.vectors.quality import evaluate_analogies
from tl_core.vectors.quality_files import AnalogySection, AnalogySet, read_bundled
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import WordVectors, make_vectors

QUERIES, WIDE_QUERIES, K = 100, 20, 10
WIDE_WORDS, WIDE = 400_000, 300
FREQUENT = 50_000  # queries are drawn among so many words
MAP_WORDS = 5_000
STARTS = 5
PARTS = ("queries", "analogies", "fresh", "wide", "map")
OURS_FRESH = """
from tl_core.settings import read_settings
from tl_core.vectors.catalog import open_packaged
from tl_core.vectors.search import neighbours
found = [each.word for each in neighbours(open_packaged(read_settings()), "neural", 10)]
"""
GENSIM_FRESH = """
from gensim.models import KeyedVectors
found = [word for word, _ in KeyedVectors.load({path!r}, mmap="r").most_similar("neural", topn=10)]
"""
# Not ru_maxrss, which a new process inherits from the one that starts it.
TOLD = """
import json, sys
from tl_core.training.memory import peak_bytes
print(json.dumps({"found": found, "torch": "torch" in sys.modules, "peak": peak_bytes()}))
"""


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def keyed(vectors: WordVectors) -> Any:
    """The same vectors in gensim."""
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(vectors.width, count=0)
    theirs.add_vectors(vectors.words, np.asarray(vectors.rows))
    theirs.fill_norms()
    return theirs


def query_figures(vectors: WordVectors, theirs: Any, facts: dict[str, Any]) -> None:
    """Median of 100 whole answers, words and scores, after 5 that do not count."""
    drawn = np.random.default_rng(0).choice(FREQUENT, QUERIES + 5, replace=False)
    seconds: dict[str, list[float]] = {"ours": [], "gensim": []}
    same = []
    for word in (vectors.words[row] for row in drawn):
        ours, took = timed(lambda word=word: neighbours(vectors, word, K))  # type: ignore[misc]
        seconds["ours"].append(took)
        other, took = timed(lambda word=word: theirs.most_similar(word, topn=K))  # type: ignore[misc]
        seconds["gensim"].append(took)
        same.append([each.word for each in ours] == [each for each, _ in other])
    middle = {name: float(np.median(times[5:])) for name, times in seconds.items()}
    for name, each in middle.items():
        ratio = round(middle["gensim"] / each, 2)
        figure(
            f"ten neighbours, {name}",
            1000 * each,
            "ms",
            times_as_fast=ratio,
            same_answers=float(np.mean(same)),
            **facts,
        )


def some(questions: AnalogySet, limit: int) -> AnalogySet:
    """About `limit` of the questions, evenly from all sections."""
    step = max(1, questions.total // limit)
    sections = (AnalogySection(each.name, each.questions[::step]) for each in questions.sections)
    return AnalogySet(questions.name, tuple(sections))


def analogy_figures(vectors: WordVectors, theirs: Any, limit: int | None, facts: dict[str, Any]) -> None:
    """Every question of Google's set, and whether both sides answer the same ones rightly."""
    questions = read_bundled("google")
    assert isinstance(questions, AnalogySet)
    if limit is not None:
        questions = some(questions, limit)
    report, took = timed(lambda: drain(evaluate_analogies(vectors, questions)))
    lines = [f": {each.name}\n" + "\n".join(map(" ".join, each.questions)) for each in questions.sections]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        (accuracy, sections), slow = timed(
            lambda: theirs.evaluate_word_analogies(str(path), restrict_vocab=len(vectors.words))
        )
    right = sorted((each.a, each.b, each.c, each.d) for each in report.answers if each.correct)
    upper = sorted(tuple(map(str.upper, each)) for each in right)
    same = upper == sorted(sections[-1]["correct"])
    counted = {"questions": questions.total, "same_questions_right": same}
    ours = {"accuracy": round(report.overall.accuracy, 4), "times_as_fast": round(slow / took, 1)}
    figure("Google analogies, ours", took, "s", **ours, **counted, **facts)
    figure("Google analogies, gensim", slow, "s", accuracy=round(accuracy, 4), **counted, **facts)


def fresh_figures(theirs: Any, facts: dict[str, Any]) -> None:
    """A new process from its start to ten neighbours of its first word: the median of 5."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "glove.kv")
        theirs.save(path)
        sides = {"ours": OURS_FRESH, "gensim": GENSIM_FRESH.format(path=path)}
        runs: dict[str, list[tuple[float, dict[str, Any]]]] = {name: [] for name in sides}
        for _ in range(STARTS):
            for name, code in sides.items():
                command = [sys.executable, "-c", code + TOLD]
                out, took = timed(
                    lambda command=command: subprocess.run(
                        command, check=True, capture_output=True, encoding="utf-8"
                    )  # type: ignore[misc]
                )
                runs[name].append((took, json.loads(out.stdout)))
    same = runs["ours"][0][1]["found"] == runs["gensim"][0][1]["found"]
    for name, found in runs.items():
        seconds = float(np.median([took for took, _ in found]))
        told = found[0][1]
        peak = round(max(each["peak"] for _, each in found) / 1e6)
        figure(
            f"fresh process to its first answer, {name}",
            seconds,
            "s",
            peak_mb=peak,
            torch_imported=told["torch"],
            same_answers=same,
            **facts,
        )


def wide_figures(facts: dict[str, Any]) -> None:
    """300 dimensions: a query beside one reading of the same table, its sum."""
    rows = np.random.default_rng(0).standard_normal((WIDE_WORDS, WIDE), dtype=np.float32)
    vectors = make_vectors("random", [f"w{at}" for at in range(WIDE_WORDS)], rows)
    asked, summed = [], []
    for at in range(WIDE_QUERIES):
        asked.append(timed(lambda at=at: neighbours(vectors, f"w{at}", K))[1])  # type: ignore[misc]
        summed.append(timed(vectors.columns.sum)[1])
    query, total = float(np.median(asked[2:])), float(np.median(summed[2:]))
    facts = {"words": WIDE_WORDS, "width": WIDE, **facts}
    figure("ten neighbours, 300 dimensions", 1000 * query, "ms", times_a_sum=round(query / total, 2), **facts)
    figure("sum of the table, 300 dimensions", 1000 * total, "ms", **facts)


def map_figures(vectors: WordVectors, facts: dict[str, Any]) -> None:
    from tl_core.vectors.projection import MapConfig, make_map

    unit = vectors.unit_rows(np.arange(MAP_WORDS))
    found, took = timed(lambda: make_map(unit, MapConfig()))
    figure("PCA map with its overlap", took, "s", words=MAP_WORDS, overlap=round(found.overlap, 4), **facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--limit", type=int, help="about so many analogies instead of all 19,544")
    options = parser.parse_args()
    logging.getLogger("gensim").setLevel(logging.ERROR)
    settings: Settings = new_home()
    os.environ["TL_HOME"] = str(settings.home)
    facts: dict[str, Any] = {"machine": machine()}
    vectors = open_packaged(settings)
    chosen = set(options.only)
    theirs = keyed(vectors) if chosen & {"queries", "analogies", "fresh"} else None
    if "queries" in chosen:
        query_figures(vectors, theirs, facts)
    if "analogies" in chosen:
        analogy_figures(vectors, theirs, options.limit, facts)
    if "fresh" in chosen:
        fresh_figures(theirs, facts)
    if "map" in chosen:
        map_figures(vectors, facts)
    if "wide" in chosen:
        wide_figures(facts)


if __name__ == "__main__":
    main()
