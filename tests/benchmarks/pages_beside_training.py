"""Pages and trainings on the same cores: what each costs alone and beside the other.

    python -m tests.benchmarks.pages_beside_training [--questions 40] [--without]

40 questions are put to the English reader in this process, as a page does, alone and while a LoRA training runs
in a worker. The training's seconds: alone, and while those 40 and then a question a second are asked. Two `train`
commands at once take turns. With `--without` threads that wait spin, and no process gives way, as before. Run both in
turn on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measure import figure, machine, new_home
from tl_core.runs.store import Store
from tl_core.settings import read_settings

if TYPE_CHECKING:
    from tl_core.tasks.read.reader import Reader

PAUSE = 1.0  # seconds between two questions of a person
PROJECT = Path(__file__).resolve().parents[2]
ROWS = PROJECT / "assets" / "samples" / "film_reviews_en.csv"
PASSAGE = (
    "The library of the town was founded by the miller Anna Berg in 1871, and it burned down in 1902. " * 6
)
QUESTIONS = (
    "Who founded the library?",
    "When was it founded?",
    "When did it burn down?",
    "What was Anna Berg?",
)


def loaded_reader() -> Reader:
    """The English reader, as a page keeps it; the first question pays for set-up."""
    from tl_core.catalog.readers import load_named_reader

    reader = load_named_reader(Store(read_settings()), "en", device="cpu")
    reader.ask(QUESTIONS[0], PASSAGE)
    return reader


def ask(reader: Reader, questions: int) -> float:
    """Seconds of so many questions, one after the other."""
    began = time.perf_counter()
    for number in range(questions):
        reader.ask(QUESTIONS[number % len(QUESTIONS)], PASSAGE)
    return time.perf_counter() - began


def training(epochs: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tl_core", "train", str(ROWS), "--strategy", "lora"]
    return subprocess.Popen(
        [*command, "--set", f"epochs={epochs}", "--set", "lora.patience=100"],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def trained_seconds() -> float:
    """Seconds of the newest run's training, as its record says."""
    runs = [run for run in Store(read_settings()).runs() if run.status == "done"]
    return float(max(runs, key=lambda run: run.record.ended).record.seconds)


def wait_for_steps() -> None:
    """Until the newest run has taken its first steps."""
    while True:
        running = [run for run in Store(read_settings()).runs() if run.status == "running"]
        if running and running[0].events.exists() and running[0].events.stat().st_size > 200:
            return
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument(
        "--without", action="store_true", help="spin while waiting, and give no way, as before"
    )
    options = parser.parse_args()
    side = "before" if options.without else "now"
    if options.without:
        # What GNU's and LLVM's OpenMP do where nothing is said; the count goes over the policy.
        os.environ |= {
            "OMP_WAIT_POLICY": "ACTIVE",
            "GOMP_SPINCOUNT": "300000",
            "KMP_BLOCKTIME": "200",
            "TL_NICENESS": "0",
        }
    else:
        from tl_core.processes import prepare_torch

        prepare_torch()
    new_home()
    reader = loaded_reader()
    alone = ask(reader, options.questions)
    figure("questions alone", alone, "s", side=side, machine=machine())
    training(options.epochs).wait()
    quiet = trained_seconds()
    figure("training alone", quiet, "s", side=side)
    beside = training(options.epochs)
    wait_for_steps()
    asked = ask(reader, options.questions)
    figure("questions beside a training", asked, "s", side=side, times=round(asked / alone, 2))
    while beside.poll() is None:
        ask(reader, 1)
        time.sleep(PAUSE)
    used = trained_seconds()
    figure("training while pages are used", used, "s", side=side, times=round(used / quiet, 2))
    began = time.perf_counter()
    both = [training(options.epochs) for _ in range(2)]
    for each in both:
        each.wait()
    figure("two commands at once", time.perf_counter() - began, "s", side=side)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
