"""The transfer ladder on one public set: strategies over sizes and seeds, as the Compare page runs them.

    python -m tests.benchmarks.ladder --data DIR --set ag_news --sizes 8 16 64 --seeds 5 [--strategy NAME ...]
        [--source amazon] [--test-rows 1000] [--config lora.epochs=3 ...]

Prints a JSON line for every point (mean accuracy over the seeds, their spread, seconds, memory) and one for the
whole grid.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import compare, data_folder, figure, machine, new_home, read
from tl_core.data.examples import Examples
from tl_core.jobs.classify.plan import ClassifyExperiment, Task, of_strategies, size_of
from tl_core.knobs import knobs_of, parse_value
from tl_core.outcomes.experiment import read_grid
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

SETS: Mapping[str, tuple[str, str, str, str]] = {  # training file, test file, text, label
    "ag_news": ("ag_news/train_part.csv.gz", "ag_news/test.csv.gz", "text", "topic"),
    "trec": ("trec/train.csv.gz", "trec/test.csv.gz", "question", "question_type"),
    "sst2": ("sst2/train.csv.gz", "sst2/test.csv.gz", "sentence", "sentiment"),
    "imdb": ("imdb/train.csv.gz", "imdb/test.csv.gz", "review", "sentiment"),
    "amazon": (
        "amazon_24_domains/train.csv.gz",
        "amazon_24_domains/test.csv.gz",
        "review",
        "sentiment",
    ),
    "nsmc": ("nsmc/train.csv.gz", "nsmc/test.csv.gz", "review", "sentiment"),
}


def settings_of(given: list[str]) -> dict[str, dict[str, Any]]:
    """`lora.epochs=3` as settings by strategy."""
    found: dict[str, dict[str, Any]] = {}
    for each in given:
        name, _, text = each.partition("=")
        of, _, knob = name.partition(".")
        declared = next(row for row in knobs_of(strategy(of).config) if row.name == knob)
        found.setdefault(of, {})[knob] = parse_value(declared, text)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=sorted(SETS), required=True)
    parser.add_argument("--strategy", nargs="+", default=[each.name for each in STRATEGIES])
    parser.add_argument("--sizes", nargs="+", default=["8", "16", "64"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--test-rows", type=int, default=0)
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--source", default="")
    parser.add_argument("--config", nargs="+", default=[])
    parser.add_argument(
        "--home", type=Path, help="keep the runs here, and go on with a grid that was stopped"
    )
    options = data_folder(parser)
    train_file, test_file, text, label = SETS[options.set]
    folder = Path(options.data)
    train, test = (read(folder / each, text, label) for each in (train_file, test_file))
    if options.home:
        os.environ["TL_HOME"] = str(options.home)
    settings = read_settings() if options.home else new_home()
    config = of_strategies(
        strategies=tuple(options.strategy),
        encoder=options.encoder,
        source_run=options.source,
        sizes=tuple(size_of(each) for each in options.sizes),
        seeds=options.seeds,
        test_rows=options.test_rows,
        settings=settings_of(options.config),
    )
    tell(options.set, config, train, test, settings)


def tell(name: str, config: ClassifyExperiment, train: Examples, test: Examples, settings: Any) -> None:
    runs, seconds = compare(config, Task(train, test, title=name), settings)
    job = Store(settings).job(runs[0].record.job)
    grid = read_grid(job, runs)
    facts = {"set": name, "test_rows": grid.test_rows, "machine": machine()}
    for each in grid.points:
        figure(
            "accuracy",
            100 * each.value,
            "%",
            strategy=each.strategy,
            source=config.source_run if each.from_source else "",
            per_class=each.size or "all",
            rows=round(each.rows),
            seeds=len(each.values),
            sd=None if each.spread is None else round(100 * each.spread, 2),
            seconds=round(each.seconds, 1),
            memory_mb=round(each.peak_memory / 1e6),
            **facts,
        )
    for gain in grid.gains:
        figure(
            "gain by the source",
            100 * gain.difference,
            "points",
            strategy=gain.title,
            rows=round(gain.rows),
            low=round(100 * gain.interval.low, 2),
            high=round(100 * gain.interval.high, 2),
            p=round(gain.adjusted_p, 4),
            **facts,
        )
    for zero in grid.zero:
        figure("source alone", 100 * zero.value, "%", strategy=zero.strategy, **facts)
    figure("whole grid", seconds, "s", trainings=sum(len(each.values) for each in grid.points), **facts)


if __name__ == "__main__":
    main()
