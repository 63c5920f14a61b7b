"""What is known of a comparison's cost before it starts, and the probe that measures it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.jobs.jobs import word_examples
from tl_core.data.examples import Examples, write_examples
from tl_core.jobs.classify import estimate as estimate_module
from tl_core.jobs.classify.estimate import estimate, usual_seeds, with_seeds_measured
from tl_core.jobs.classify.plan import ClassifyExperiment, Task, of_strategies
from tl_core.jobs.classify.prepare import prepare
from tl_core.jobs.classify.probe import RATES, run_probe
from tl_core.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings

MEASURED = {"train": 1e-6, "predict": 1e-6, "load": 0.1, "start": 1.0, "memory": 1e6}
CONFIG = of_strategies(strategies=("mean",), settings={"mean": {"start": "random"}})


def test_the_probe_trains_on_every_class_whatever_the_order_of_the_rows(settings: Settings, tmp_path: Path):
    write_examples(tmp_path / "rows.jsonl", word_examples(250))  # good and bad in turns
    config = of_strategies(strategies=("tfidf", "bow"))
    arms = {
        key: {"strategy": key, "settings": {}, "vectors": "glove", "base": None, "trained": ""}
        for key in config.by_key
    }
    write_record(tmp_path / "order.json", {"config": config.to_json(), "arms": arms})
    run_probe(settings, tmp_path)
    rates = read_record(tmp_path / RATES)
    assert rates is not None
    assert set(rates) == {"tfidf", "bow"}
    assert all(rate["load"] > 0 and rate["memory"] > 0 for rate in rates.values())


def test_rates_hold_for_the_vectors_and_the_length_of_texts_they_were_measured_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    probed: list[str] = []

    def probe(
        _: object, config: ClassifyExperiment, names: list[str], *__: object
    ) -> dict[str, dict[str, float]]:
        probed.append(config.vectors)
        return dict.fromkeys(names, MEASURED)

    monkeypatch.setattr(estimate_module, "_probe", probe)
    store, task = Store(settings), Task(word_examples())
    assert estimate(store, prepare(store, CONFIG, task), probe=False) is None
    assert estimate(store, prepare(store, CONFIG, task)) is not None
    assert estimate(store, prepare(store, replace(CONFIG, seeds=3), task)) is not None
    assert probed == ["glove"]
    assert estimate(store, prepare(store, replace(CONFIG, vectors="other"), task), probe=False) is None
    long = Examples(tuple(20 * each for each in task.target.texts), task.target.labels, task.target.rows)
    assert estimate(store, prepare(store, CONFIG, Task(long)), probe=False) is None


@pytest.mark.parametrize(
    ("seconds", "seeds"), [(0.3, 5), (4.9, 5), (5.0, 3), (59.0, 3), (60.0, 1), (900.0, 1)]
)
def test_the_usual_number_of_seeds_follows_the_cost(seconds: float, seeds: int):
    assert usual_seeds(seconds) == seeds


@pytest.mark.parametrize(("seconds", "seeds"), [(0.5, 5), (20.0, 3), (300.0, 1)])
def test_seeds_that_are_left_open_are_settled_by_the_measured_cost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, seconds: float, seeds: int
):
    known = estimate_module.Estimate(seconds, 1.0, 1, {}, {}, longest=seconds)
    monkeypatch.setattr(estimate_module, "_measured", lambda *_: known)
    store = Store(settings)
    ready = prepare(store, replace(CONFIG, seeds=0), Task(word_examples()))
    assert len(ready.trials) == 1
    settled = with_seeds_measured(store, ready)
    assert (settled.config.seeds, len(settled.trials)) == (seeds, seeds)
    asked = prepare(store, replace(CONFIG, seeds=2), Task(word_examples()))
    assert with_seeds_measured(store, asked) == asked


def test_seeds_stay_open_where_the_probe_fails(settings: Settings):
    store = Store(settings)
    ready = prepare(store, replace(CONFIG, seeds=0), Task(word_examples()))
    assert with_seeds_measured(store, ready) == ready
