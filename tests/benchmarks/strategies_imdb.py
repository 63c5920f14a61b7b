"""The four strategies on 1,250 IMDB reviews, scored on a fixed 2,000 of its test rows.

python -m tests.benchmarks.strategies_imdb --data DIR [--seeds 1] [--strategy lora ...]
"""

from __future__ import annotations

import argparse

import numpy as np

from tests.benchmarks.measure import compare, data_folder, figure, machine, new_home, read, stratified
from tl_core.jobs.classify.estimate import estimate
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.jobs.classify.prepare import prepare
from tl_core.runs.store import Store
from tl_core.tasks.classify.strategies import STRATEGIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--strategy", action="append", default=[])
    options = data_folder(parser)
    train = stratified(read(options.data / "imdb" / "train.csv.gz", "review", "sentiment"), 1250)
    test = stratified(read(options.data / "imdb" / "test.csv.gz", "review", "sentiment"), 2000)
    names = options.strategy or [each.name for each in STRATEGIES]
    for name in names:
        settings = new_home()
        config = of_strategies(strategies=(name,), seeds=options.seeds)
        expected = estimate(Store(settings), prepare(Store(settings), config, Task(train, test)))
        runs, seconds = compare(config, Task(train, test), settings)
        scores = np.array([run.record.report["accuracy"] for run in runs])
        facts = {"strategy": name, "rows": len(train), "test_rows": len(test), "seeds": options.seeds}
        facts |= {"machine": machine(), "max_tokens": 256}
        figure("accuracy", float(100 * scores.mean()), "%", sd=float(100 * scores.std()), **facts)
        training = float(np.mean([run.record.seconds for run in runs]))
        figure("training seconds a seed", training, "s", **facts)
        figure(
            "wall seconds of the job", seconds, "s", expected=expected.seconds if expected else None, **facts
        )
        memory = max(run.record.peak_memory for run in runs)
        figure(
            "peak memory", memory / 1e6, "MB", expected=expected.memory / 1e6 if expected else None, **facts
        )


if __name__ == "__main__":
    main()
