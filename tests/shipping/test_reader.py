"""The recipe of a shipped reader on tiny data: stages, resuming, measuring, the folder and its card."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.jobs.reader_jobs import TINY, small_set, tiny_base
from tl_core.data.reading import split_by_article
from tl_core.errors import ConfigError, DataError
from tl_core.settings import Settings
from tl_core.shipping import reader, reader_en, reader_ko
from tl_core.shipping.reader import run_recipe, train_recipe
from tl_core.shipping.reader_recipe import Questions, ReaderRecipe, Stage
from tl_core.shipping.steps import data_folder, find_file
from tl_core.tasks.read.config import ReadConfig
from tl_core.tasks.read.saved import load_reader


def tiny_questions(_: Path) -> Questions:
    rest, test = split_by_article(small_set(8), 0.25, seed=1)
    train, held = split_by_article(rest, 0.3, seed=2)
    return Questions(train, held, test)


def tiny_recipe(folder: Path) -> ReaderRecipe:
    config = ReadConfig(**TINY)
    return dataclasses.replace(
        reader_en.RECIPE,
        encoder=tiny_base(folder),
        stages=(Stage("first", tiny_questions, config), Stage("second", tiny_questions, config)),
    )


@pytest.fixture
def shipped(tmp_path: Path, settings: Settings) -> Path:
    train_recipe(tiny_recipe(tmp_path), settings, tmp_path, tmp_path / "work", tmp_path / "out")
    return tmp_path / "out"


def test_a_recipe_leaves_a_float16_reader_with_its_card(shipped: Path, settings: Settings):
    from safetensors import safe_open

    names = {file.relative_to(shipped).as_posix() for file in shipped.rglob("*") if file.is_file()}
    assert names == {
        "README.md",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "encoder.json",
        "head.safetensors",
        "reader.json",
    }
    for file in shipped.rglob("*.safetensors"):
        with safe_open(file, framework="numpy") as tensors:
            assert {tensors.get_slice(name).get_dtype() for name in tensors.keys()} == {"F16"}  # noqa: SIM118
    reader = load_reader(shipped, settings)
    reply = reader.ask("Where was the king?", "In story 1 the king of the land was at the house all day.")
    assert reply.answers


def test_the_card_says_how_it_was_trained_and_how_good_it_is(shipped: Path):
    card = (shipped / "README.md").read_text(encoding="utf-8")
    for wanted in (
        "| first |",
        "| second |",
        "exact match",
        "CC BY",
        "threshold",
        "python -m tl_core.shipping",
    ):
        assert wanted in card


def test_a_finished_stage_is_not_trained_again(
    shipped: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(reader, "fit_reader", never)
    train_recipe(tiny_recipe(tmp_path), settings, tmp_path, tmp_path / "work", tmp_path / "again")
    assert (tmp_path / "again" / "README.md").exists()


def test_missing_data_is_said_clearly(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ConfigError, match="--data must name the folder"):
        data_folder("")
    with pytest.raises(DataError, match="holds no questions.json"):
        find_file(tmp_path, "questions.json")
    assert run_recipe(reader_en.RECIPE, ["--data", str(tmp_path), "--work", str(tmp_path / "w")]) == 2
    assert "squadshifts_new_wiki.json" in capsys.readouterr().err


def test_the_shipped_recipes_keep_to_what_is_asked_of_them():
    assert reader_en.RECIPE.encoder == "minilm"
    assert reader_ko.RECIPE.encoder == "e5"
    assert [stage.name for stage in reader_ko.RECIPE.stages] == ["english", "japanese", "korean"]
    assert not set(reader_ko.TRAINED_ARTICLES) & set(reader_ko.TEST_ARTICLES)
