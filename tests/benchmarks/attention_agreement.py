"""Do attention and attributions rank words as leaving them out does? And how long the importance of heads takes.

    python -m tests.benchmarks.attention_agreement --data DIR [--train 6920] [--rows 200]

A LoRA run of MiniLM is trained on phrases of films (sst2); over rows of its test part, each word of which is left
out once, the mean over texts of Spearman's rank correlation with what leaving out finds. Attention has no sign, so
it is compared with sizes; the others both ways.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from tests.benchmarks.measure import compare, data_folder, figure, machine, new_home, read
from tl_core.catalog.subjects import open_subject
from tl_core.data.examples import Examples
from tl_core.encoders.attention.importance import head_importance
from tl_core.encoders.attention.maps import attention_maps
from tl_core.encoders.attention.rollout import rollout, shares_of_words
from tl_core.encoders.attention.subject import Subject, targets
from tl_core.encoders.attention.units import units_of
from tl_core.encoders.attribution.agreement import rank_correlation
from tl_core.encoders.attribution.scores import Method, attribute
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.runs.store import Store
from tl_core.text.inputs import ModelInput
from tl_core.text.places import Numbers
from tl_core.training.events import drain

METHODS: tuple[Method, ...] = ("occlusion", "gradxinput", "ig")
STEPS = 50
LEFT_OUT = "leaving out"


def scores_of(subject: Subject, shown: ModelInput) -> dict[str, Numbers]:
    """The words' scores for the predicted class, by method."""
    target = targets(subject, shown)[0]
    found = {each: attribute(subject, shown, target, each, steps=STEPS).words for each in METHODS}
    maps, groups = attention_maps(subject, shown), units_of(shown).groups
    pooled = list(subject.pooled(shown))
    return {
        LEFT_OUT: found["occlusion"],
        "gradient x input": found["gradxinput"],
        "integrated gradients": found["ig"],
        "attention roll-out": shares_of_words(rollout(maps)[-1], pooled, groups),
        "attention, last layer, mean of heads": shares_of_words(maps[-1].mean(0), pooled, groups),
        "chance": np.random.default_rng(len(shown)).random(len(shown.words)),
    }


def agreement(subject: Subject, rows: Examples, facts: dict[str, Any]) -> None:
    signed: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for text in rows.texts:
        found = scores_of(subject, subject.inputs(text)[0])
        truth = found.pop(LEFT_OUT)
        for name, scores in found.items():
            for kept, with_sign in ((signed, True), (sizes, False)):
                each = rank_correlation(truth, scores, signed=with_sign)
                kept.setdefault(name, []).extend([] if each is None else [each])
    for kept, of in ((signed, "signed"), (sizes, "sizes")):
        for name, values in kept.items():
            error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
            figure(
                f"rank correlation with leaving out, {name}",
                float(np.mean(values)),
                of,
                standard_error=round(error, 4),
                texts=len(values),
                **facts,
            )


def importance(subject: Subject, rows: Examples, facts: dict[str, Any]) -> None:
    inputs = [subject.inputs(text)[0] for text in rows.texts]
    wanted = [subject.classes.index(each) for each in rows.labels]
    began = time.perf_counter()
    found = drain(head_importance(subject, inputs, wanted))
    seconds = time.perf_counter() - began
    tokens = float(np.mean([len(each) for each in inputs]))
    figure("importance of all heads", seconds, "s", rows=len(inputs), mean_tokens=round(tokens, 1), **facts)
    figure("most accuracy lost by one head", 100 * float(found.lost.max()), "points", **facts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=6920)
    parser.add_argument("--rows", type=int, default=200)
    options = data_folder(parser)
    facts = {"machine": machine(), "data": "sst2", "model": "LoRA on MiniLM", "training_rows": options.train}
    settings = new_home()
    folder = options.data / "sst2"
    train = some(read(folder / "train.csv.gz", "sentence", "sentiment"), options.train)
    test = some(read(folder / "test.csv.gz", "sentence", "sentiment"), options.rows, seed=1)
    runs, seconds = compare(of_strategies(strategies=("lora",)), Task(train, test), settings)
    figure("training", seconds, "s", **facts)
    figure("accuracy", runs[0].record.report["accuracy"], "share", rows=len(test), **facts)
    subject = open_subject(Store(settings), runs[0].id)
    agreement(subject, test, facts)
    importance(subject, test, facts)


def some(examples: Examples, rows: int, seed: int = 0) -> Examples:
    """`rows` rows, drawn with a seed."""
    chosen = np.random.default_rng(seed).permutation(len(examples))[:rows]
    return examples.take(sorted(chosen.tolist()))


if __name__ == "__main__":
    main()
