"""How often equal strategies are called different, and how often intervals hold the truth: simulated.

    python -m tests.benchmarks.significance_levels

Rows are easy or hard for both strategies (a normal latent), a training's accuracy lies around its strategy's by a normal
spread. `alike` strategies find the same rows hard; `unlike` ones in part others. One JSON line a cell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from tests.benchmarks.measure import figure
from tl_core.tasks.classify.metrics import score
from tl_core.tasks.intervals import difference_of, mean_share_interval, wilson

ACCURACY, HARDNESS = 0.85, 1.5
SEEDS, ROWS, SPREADS = (1, 2, 3, 5), (20, 50, 200, 1000, 5000), (0.0, 0.01, 0.03)
MIDDLE = norm.ppf(ACCURACY) * np.sqrt(1 + HARDNESS**2)
SLOPE = norm.pdf(norm.ppf(ACCURACY)) / np.sqrt(1 + HARDNESS**2)


def draw(
    random: np.random.Generator, seeds: int, rows: int, spread: float, own: float
) -> tuple[list[NDArray[np.bool_]], list[float]]:
    """Right answers (S, N) of two strategies, and the true accuracy of each strategy's first training."""
    shared, correct, trained = random.standard_normal(rows), [], []
    for _ in range(2):
        hard = np.sqrt(1 - own) * shared + np.sqrt(own) * random.standard_normal(rows)
        shifts = spread / SLOPE * random.standard_normal((seeds, 1))
        correct.append(random.standard_normal((seeds, rows)) + HARDNESS * hard + MIDDLE + shifts > 0)
        trained.append(float(norm.cdf((MIDDLE + shifts[0, 0]) / np.sqrt(1 + HARDNESS**2))))
    return correct, trained


def main() -> None:
    random = np.random.default_rng(0)
    for own, kind in ((0.0, "alike"), (0.3, "unlike")):
        for seeds in SEEDS:
            for rows in ROWS:
                for spread in SPREADS:
                    measure_cell(random, seeds, rows, spread, own, kind)


def measure_cell(
    random: np.random.Generator, seeds: int, rows: int, spread: float, own: float, kind: str
) -> None:
    draws = 4_000
    claimed = held = mean_held = 0
    widths = []
    true_mean = float(norm.cdf(MIDDLE / np.sqrt(1 + HARDNESS**2 + (spread / SLOPE) ** 2)))
    for _ in range(draws):
        (a, b), trained = draw(random, seeds, rows, spread, own)
        difference = difference_of(a, b)
        interval = difference.interval()
        # with one training each nothing is claimed of strategies, and the interval is that of these two models
        claimed += seeds > 1 and (interval.low > 0 or interval.high < 0)
        truth = trained[0] - trained[1] if seeds == 1 else 0.0
        held += interval.low <= truth <= interval.high
        widths.append(interval.high - interval.low)
        mean = mean_share_interval(a)
        wanted = trained[0] if seeds == 1 else true_mean
        mean_held += mean is not None and mean.low <= wanted <= mean.high
    facts = {"seeds": seeds, "rows": rows, "spread": spread, "strategies": kind}
    figure("equal strategies called different", 100 * claimed / draws, "%", **facts)
    figure("the gain's interval holds the truth", 100 * held / draws, "%", **facts)
    figure("the mean accuracy's interval holds the truth", 100 * mean_held / draws, "%", **facts)
    figure("half the gain's interval, median", 50 * float(np.median(widths)), "points", **facts)


def shares() -> None:
    """Wilson's interval of a share near 95 %."""
    random = np.random.default_rng(1)
    for rows in (20, 50, 200):
        held = 0
        for right in random.binomial(rows, 0.95, 4_000):
            interval = wilson(int(right), rows)
            held += interval is not None and interval.low <= 0.95 <= interval.high
        figure("Wilson's interval holds a share of 95 %", 100 * held / 4_000, "%", rows=rows)


def macro_f1_intervals() -> None:
    """How often a report's interval holds the true macro F1, by classes, accuracy and rows."""
    random = np.random.default_rng(2)
    for classes in (2, 4, 10):
        for accuracy in (0.8, 0.95):
            for rows in (30, 100, 500):
                names = tuple(str(number) for number in range(classes))
                held, draws = 0, 300
                for _ in range(draws):
                    truth = random.integers(classes, size=rows)
                    wrong = (truth + random.integers(1, classes, size=rows)) % classes
                    chosen = np.where(random.random(rows) < accuracy, truth, wrong)
                    report = score(np.eye(classes)[chosen], truth, names, majority=0)
                    held += report.macro_f1_interval.low <= accuracy <= report.macro_f1_interval.high
                figure(
                    "macro F1's interval holds the truth",
                    100 * held / draws,
                    "%",
                    classes=classes,
                    accuracy=accuracy,
                    rows=rows,
                )


if __name__ == "__main__":
    shares()
    macro_f1_intervals()
    main()
