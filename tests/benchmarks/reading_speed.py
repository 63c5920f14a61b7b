"""How fast readers read: one passage, a long document, many questions; beside the removed pipeline's way.

    python -m tests.benchmarks.reading_speed --data DIR [--readers en ko] [--questions 1190]

The pipeline's way: windows of 384 tokens one by one, each padded to 384, in float32, as transformers'
question-answering pipeline read until 5.2. Both sides rank with our decoding, so that only the
computing is compared; both are timed in turns, in one process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import torch

from tests.benchmarks.measure import data_folder, figure, machine
from tl_core.catalog.readers import load_named_reader
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading_file
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.shipping.steps import find_file
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.decode import best_spans
from tl_core.tasks.read.network import allowed_logits, make_batch
from tl_core.tasks.read.reader import Asked, Reader
from tl_core.tasks.read.spans import MAX_TOKENS, OVERLAP
from tl_core.text.windows import span_characters, tokenise, windows
from tl_core.training.events import drain
from tl_core.training.memory import peak_bytes, start_peak
from tl_core.training.precision import resolve_precision

FILES = {"en": "xquad_en.json", "ko": "KorQuAD_v1.0_dev.json"}
PASSAGE_WORDS, DOCUMENT_WORDS, LONG_WORDS = 150, 5_000, 200_000
REPEATS, DOCUMENT_QUESTIONS = 50, 12
HOW = Reading(top=1, strip_josa=False)


def pipeline_answer(reader: Reader, asked: Asked) -> tuple[int, int, float]:
    """(start, end, score) of the best answer, read the removed pipeline's way."""
    tokenizer = reader.encoder.tokenizer
    (question,), (passage,) = tokenise(tokenizer, [asked.question]), tokenise(tokenizer, [asked.passage])
    best = (0, 0, -np.inf)
    for window in windows(reader.form, question, passage, max_tokens=MAX_TOKENS, overlap=OVERLAP):
        batch = make_batch(reader.encoder, [window], torch.device("cpu"))
        filler = MAX_TOKENS - batch.allowed.shape[1]
        inputs = {
            name: torch.nn.functional.pad(
                each, (0, filler), value=reader.encoder.pad_id if name == "input_ids" else 0
            )
            for name, each in batch.inputs.items()
        }
        allowed = torch.nn.functional.pad(batch.allowed, (0, filler), value=False)
        with torch.inference_mode():
            logits = allowed_logits(reader.network(inputs), allowed)[0].numpy()
        part = logits[window.first : window.first + window.count]
        null = float(logits[window.null].sum())
        for span in best_spans(part[:, 0], part[:, 1], null=null, longest=HOW.longest_answer, top=1):
            if span.score > best[2]:
                first, last = window.at + span.first, window.at + span.last
                best = (*span_characters(asked.passage, passage, first, last), span.score)
    return best


def our_answers(reader: Reader, asked: list[Asked]) -> list[tuple[int, int, float]]:
    replies = drain(reader.ask_events(asked, HOW))
    return [(each.answers[0].start, each.answers[0].end, each.answers[0].score) for each in replies]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def with_precision(reader: Reader, precision: str) -> Reader:
    """The same network under another precision."""
    return Reader(reader.encoder, reader.network, title=reader.title, precision=precision)


def passage_figures(reader: Reader, data: ReadingSet, facts: dict[str, Any]) -> None:
    """Median of 50 questions on passages of about 150 words."""
    near = sorted(data.questions, key=lambda each: abs(len(data.passage_of(each).split()) - PASSAGE_WORDS))
    asked = [Asked(each.text, data.passage_of(each)) for each in near[: REPEATS + 5]]
    times = [timed(lambda each=each: reader.ask(each.question, each.passage, HOW))[1] for each in asked]  # type: ignore[misc]
    words = float(np.median([len(each.passage.split()) for each in asked]))
    figure("150-word passage, median", 1000 * float(np.median(times[5:])), "ms", words=words, **facts)
    figure("150-word passage, 95th percentile", 1000 * float(np.quantile(times[5:], 0.95)), "ms", **facts)


def document(data: ReadingSet) -> str:
    """Passages that are asked about, one after the other, up to 5,000 words."""
    found: list[str] = []
    for text in dict.fromkeys(data.passage_of(each) for each in data.questions):
        found.append(text)
        if sum(len(each.split()) for each in found) >= DOCUMENT_WORDS:
            break
    return " ".join("\n\n".join(found).split(" ")[:DOCUMENT_WORDS])


def document_figures(reader: Reader, data: ReadingSet, facts: dict[str, Any]) -> None:
    text = document(data)
    inside = [each for each in data.questions if data.passage_of(each) in text]
    step = max(1, len(inside) // DOCUMENT_QUESTIONS)
    asked = [Asked(each.text, text) for each in inside[::step][:DOCUMENT_QUESTIONS]]
    sides: dict[str, Callable[[Asked], tuple[int, int, float]]] = {
        "pipeline": lambda each: pipeline_answer(reader, each),
        "float32": lambda each: our_answers(with_precision(reader, "float32"), [each])[0],
    }
    if resolve_precision("auto", "cpu") == "bfloat16":
        sides["bfloat16"] = lambda each: our_answers(with_precision(reader, "bfloat16"), [each])[0]
    for side in sides.values():
        side(asked[0])  # warm up
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    found: dict[str, list[tuple[int, int, float]]] = {name: [] for name in sides}
    for each in asked:
        for name, side in sides.items():
            answer, took = timed(lambda side=side, each=each: side(each))  # type: ignore[misc]
            seconds[name].append(took)
            found[name].append(answer)
    for name in sides:
        middle = float(np.median(seconds[name]))
        ratio = float(np.median(np.array(seconds["pipeline"]) / np.array(seconds[name])))
        same = np.mean([one[:2] == other[:2] for one, other in zip(found["pipeline"], found[name])])
        apart = max(abs(one[2] - other[2]) for one, other in zip(found["pipeline"], found[name]))
        figure(
            f"5,000-word document, {name}",
            middle,
            "s",
            times_as_fast=round(ratio, 2),
            same_answers=float(same),
            largest_score_difference=round(float(apart), 4),
            questions=len(asked),
            **facts,
        )


def many_figures(reader: Reader, data: ReadingSet, count: int, facts: dict[str, Any]) -> None:
    asked = [Asked(each.text, data.passage_of(each)) for each in data.questions[:count]]
    expected, slow = timed(lambda: [pipeline_answer(reader, each) for each in asked])
    figure("questions a second, pipeline", len(asked) / slow, "1/s", questions=len(asked), **facts)
    for precision in dict.fromkeys(["float32", resolve_precision("auto", "cpu")]):
        side = with_precision(reader, precision)
        answers, took = timed(lambda side=side: our_answers(side, asked))  # type: ignore[misc]
        same = float(np.mean([one[:2] == other[:2] for one, other in zip(expected, answers)]))
        figure(
            f"questions a second, {precision}",
            len(asked) / took,
            "1/s",
            times_as_fast=round(slow / took, 2),
            same_answers=same,
            **facts,
        )


def long_figures(reader: Reader, data: ReadingSet, facts: dict[str, Any]) -> None:
    """A passage of 200,000 words: seconds, and how much the process grows meanwhile."""
    words = " ".join(passage.text for passage in data.passages).split()
    text = " ".join((words * (1 + LONG_WORDS // len(words)))[:LONG_WORDS])
    question = data.questions[0].text
    start_peak()
    before = psutil.Process().memory_info().rss
    reply, took = timed(lambda: reader.ask(question, text, HOW))
    grown = (peak_bytes() - before) / 1e6
    figure("200,000 words", took, "s", windows=reply.windows, grown_mb=round(grown), **facts)


def memory_figures(names: list[str], data: ReadingSet) -> None:
    """Memory of a fresh server after both readers have answered in the browser's place."""
    code = (
        "import psutil\n"
        "from tl_core.catalog.readers import load_named_reader\n"
        "from tl_core.runs.store import Store\n"
        "from tl_core.settings import read_settings\n"
        "import streamlit, plotly.graph_objects, pandas\n"
        f"for name in {names!r}:\n"
        "    reader = load_named_reader(Store(read_settings()), name, device='cpu')\n"
        f"    reader.ask({data.questions[0].text!r}, {data.passage_of(data.questions[0])!r})\n"
        "    globals()[name] = reader\n"
        "print(psutil.Process().memory_info().rss)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    figure("memory of a process with these readers in use", int(out) / 1e6, "MB", readers=names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", nargs="+", default=["en", "ko"])
    parser.add_argument("--questions", type=int, default=1190)
    options = data_folder(parser)
    settings = read_settings()
    torch.set_num_threads(settings.threads)
    for name in options.readers:
        data = read_reading_file(find_file(options.data, FILES.get(name, FILES["en"])))
        if name == "ko":
            data = data.of_articles(range(100, 140))
        reader = load_named_reader(Store(settings), name, device="cpu")
        facts = {"reader": name, "machine": machine(), "threads": settings.threads}
        passage_figures(reader, data, facts)
        document_figures(reader, data, facts)
        many_figures(reader, data, options.questions, facts)
        long_figures(reader, data, facts)
    memory_figures(options.readers, data)


if __name__ == "__main__":
    main()
