"""Sources: what a comparison can begin with, and the recipes of those that ship."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from tests.encoders.tiny import write_tiny_encoder
from tests.jobs.jobs import SETTINGS, finished, small_config, word_examples
from tl_core.catalog import sources
from tl_core.catalog.sources import base_of, gives_on, open_source, shipped_sources
from tl_core.errors import ModelError, RunError
from tl_core.jobs.classify.plan import ClassifyExperiment, Task
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.shipping import source_ag_news, source_amazon, source_nsmc
from tl_core.shipping.source import (
    SourceData,
    SourceRecipe,
    order_of,
    ship_source,
    some,
    train_source,
)
from tl_core.tasks.classify.config import LoraConfig
from tl_core.tasks.classify.saved import load_classifier


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def test_what_is_no_source_is_refused_with_what_may_be(store: Store, tmp_path: Path):
    with pytest.raises(RunError, match="neither a run's id nor a shipped source"):
        open_source(store, "../../etc")
    job = finished(store, small_config(tmp_path, ("tfidf", "lora")))
    counted, tuned = store.runs_of(job.id)
    with pytest.raises(ModelError, match="counts words"):
        open_source(store, counted.id)
    assert [gives_on(run) for run in (counted, tuned)] == [False, True]
    store.write_run(replace(tuned.record, status="failed"))
    with pytest.raises(RunError, match="is failed; only a finished run"):
        open_source(store, tuned.id)


def test_a_run_is_a_source_for_strategies_of_its_family(store: Store, tmp_path: Path):
    job = finished(store, small_config(tmp_path, ("lora",)))
    [run] = store.runs_of(job.id)
    found = open_source(store, run.id)
    assert (dict(found.models), dict(found.trained_by)) == ({"encoder": run.model}, {"encoder": "lora"})
    assert found.classes == ("bad", "good")
    assert base_of(found) == str(tmp_path / "bert")


def tiny_recipe(folder: Path, **changes: object) -> SourceRecipe:
    write_tiny_encoder(folder / "bert", "bert")
    config = LoraConfig(**{**SETTINGS["lora"], "learning_rate": 5e-3})  # type: ignore[arg-type]
    return replace(source_ag_news.RECIPE, encoder=str(folder / "bert"), config=config, **changes)  # type: ignore[arg-type]


def test_a_recipe_trains_measures_and_ships_with_its_card(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recipe, out = tiny_recipe(tmp_path), tmp_path / "adapters" / "ag_news"
    data = SourceData(word_examples(80), word_examples(30, first_row=900))
    train_source(recipe, settings, data, tmp_path / "work")
    ship_source(recipe, settings, data, tmp_path / "work", out)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| training rows | 76 |" in card
    assert "of 30 rows: the official test rows |" in card
    assert "python -m tl_core.shipping.source_ag_news --data DIR" in card
    assert not (out / "facts.json").exists()
    assert load_classifier(out, settings, device="cpu").classes == ("bad", "good")
    before = (tmp_path / "work" / "model" / "head.safetensors").stat().st_mtime_ns
    train_source(recipe, settings, data, tmp_path / "work")  # not trained again
    assert (tmp_path / "work" / "model" / "head.safetensors").stat().st_mtime_ns == before

    fewer = replace(data, train=data.train.take(range(40)))
    slower = replace(recipe, config=replace(recipe.config, learning_rate=1e-3))
    orders = [order_of(recipe, data), order_of(recipe, fewer), order_of(slower, data)]
    assert len(set(orders)) == 3  # each is trained in a folder of its own

    monkeypatch.setattr(sources, "ADAPTERS", tmp_path / "adapters")
    assert [each.name for each in shipped_sources()] == ["ag-news"]
    store = Store(settings)
    config = replace(small_config(tmp_path, ("frozen",)), source_run="ag-news", sizes=(4,))
    job = finished(store, config, Task(word_examples(60)))
    assert job.status == "done", job.reason
    roles = [(run.record.role, run.record.source) for run in store.runs_of(job.id)]
    assert sorted(roles) == [("target", ""), ("target", "ag-news"), ("zero_shot", "ag-news")]
    with pytest.raises(ModelError, match="assets/adapters lacks it"):
        open_source(store, "nsmc")


def test_the_amazon_recipe_leaves_films_out(tmp_path: Path):
    folder = tmp_path / "amazon_24_domains"
    folder.mkdir()
    lines = ["review,sentiment,domain", "good knife,positive,Kitchen", "bad film,negative,Movies_and_TV"]
    for part in ("train", "test"):
        (folder / f"{part}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert source_amazon.read_amazon(tmp_path).train.texts == ("good knife",)


def test_the_recipes_read_the_sets_as_published(tmp_path: Path):
    for name, text in (("ag_news/train_part", "text"), ("ag_news/test", "text")):
        place = tmp_path / f"{name}.csv"
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"topic,{text}\nWorld,news of the day\nSports,a match\n", encoding="utf-8")
    assert len(source_ag_news.read_ag_news(tmp_path).train) == 2
    (tmp_path / "nsmc").mkdir()
    for part in ("train", "test"):
        (tmp_path / "nsmc" / f"{part}.csv").write_text(
            "review,sentiment\n좋다,positive\n싫다,negative\n", encoding="utf-8"
        )
    assert source_nsmc.read_nsmc(tmp_path).test.texts == ("좋다", "싫다")
    drawn = some(word_examples(50), 10)
    assert len(drawn) == 10
    assert list(drawn.rows) == sorted(drawn.rows)


def test_the_course_reads_its_shipped_result_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tl_core.shipping import course

    monkeypatch.setattr(course, "RESULT", tmp_path / "none.json")
    assert course.course_result() is None
    (tmp_path / "none.json").write_text('{"about": "x", "grid": {}}', encoding="utf-8")
    assert course.course_result() is None
    assert isinstance(course.course_config(), ClassifyExperiment)
