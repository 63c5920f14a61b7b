"""An experiment's plan: arms with names of their own, their keys, and JSON of this and earlier versions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tl_core.errors import ConfigError
from tl_core.jobs.classify.plan import ClassifyExperiment, SourcePlan, config_from_json, source_arms, trials
from tl_core.jobs.experiment import NO_SOURCE, Arm, ExperimentConfig, free_name, key_of_name, trials_by_size
from tl_core.jobs.read.plan import ReadExperiment, of_starts, read_config_from_json

RANKS = ClassifyExperiment(
    arms=(
        Arm("lora", {"rank": 4}, name="LoRA rank 4"),
        Arm("lora", {"rank": 32}, name="LoRA, rank 32!"),
        Arm("lora", {"rank": 2}, name="한국어 이름"),
        Arm("tfidf"),
    ),
    seeds=2,
)
READERS = ReadExperiment(
    arms=(
        Arm("lora", {"epochs": 1}, start="minilm"),
        Arm("lora", {"epochs": 2}, start="minilm", source="en", name="After English"),
        Arm("full", {}, start="minilm", name="In full"),
    ),
    sizes=(0, 16),
)


def test_the_same_strategy_stands_in_several_arms_under_names_of_ones_own():
    assert [each.name for each in trials(RANKS)] == [
        "tfidf-1",
        "tfidf-2",
        "lora-rank-4-1",
        "lora-rank-4-2",
        "lora-rank-32-1",
        "lora-rank-32-2",
        "lora-1",
        "lora-2",
    ]
    assert [RANKS.settings_of(arm).rank for arm in RANKS.arms[:3]] == [4, 32, 2]
    assert [RANKS.title_of(arm) for arm in RANKS.arms] == [
        "LoRA rank 4",
        "LoRA, rank 32!",
        "한국어 이름",
        "TF-IDF",
    ]


def test_a_name_becomes_what_a_run_may_be_called():
    assert key_of_name("  LoRA, rank 32 & more_of it ") == "lora-rank-32-more-of-it"
    assert key_of_name("../..\\x") == "x"
    assert key_of_name("한국어") == ""
    assert len(key_of_name("a" * 100)) == 24
    assert free_name("lora", ["lora", "lora-2"]) == "lora-3"


def test_two_arms_of_one_title_are_refused():
    with pytest.raises(ConfigError, match="'LoRA' stands twice"):
        replace(RANKS, arms=(Arm("lora", {"rank": 4}), Arm("lora", {"rank": 8})))
    with pytest.raises(ConfigError, match="longer than 60"):
        replace(RANKS, arms=(Arm("lora", name="x" * 61),))
    with pytest.raises(ConfigError, match="'minilm' stands twice"):
        replace(READERS, arms=(Arm("lora", start="minilm"), Arm("full", start="minilm")))


@pytest.mark.parametrize(("config", "read"), [(RANKS, config_from_json), (READERS, read_config_from_json)])
def test_a_config_comes_back_from_its_json(config: ExperimentConfig, read: object):
    written = json.loads(json.dumps(config.to_json()))
    again = read(written)  # type: ignore[operator]
    assert again.to_json() == config.to_json()
    assert list(again.by_key) == list(config.by_key)


def test_json_of_an_earlier_version_is_read():
    old = {"strategies": ["tfidf", "lora"], "settings": {"lora": {"rank": 4}}, "seeds": 3, "sizes": [8, 0]}
    config = config_from_json(old)
    assert list(config.by_key) == ["tfidf", "lora"]
    assert config.settings_of(config.arm("lora")).rank == 4
    reading = read_config_from_json(
        {
            "starts": ["en", "minilm"],
            "sizes": [16],
            "settings": {"method": "full"},
            "validation_questions": 50,
        }
    )
    assert [each.name for each in trials_by_size(reading)] == ["start1-16-1", "start2-16-1"]
    assert {reading.settings_of(arm).method for arm in reading.arms} == {"full"}
    assert reading.validation_rows == 50
    assert (
        reading.to_json()
        == of_starts(("en", "minilm"), {"method": "full"}, sizes=(16,), validation_rows=50).to_json()
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"arms": []}, "at least one strategy"),
        ({"arms": "lora"}, "arms must be a list"),
        ({"arms": [{"settings": {}}]}, "an object with a strategy"),
        ({"arms": [{"strategy": "lora", "colour": 1}]}, "no field colour"),
        ({"arms": [{"strategy": "lora", "settings": []}]}, "settings of an arm must be an object"),
        ({"arms": [{"strategy": "lora", "name": 3}]}, "name of an arm must be text"),
        ({"arms": [{"strategy": "magic"}]}, "no strategy 'magic'"),
        ({"arms": [{"strategy": "lora"}], "strategies": ["lora"]}, "either arms, or strategies"),
    ],
)
def test_wrong_arms_are_named(values: dict[str, object], said: str):
    with pytest.raises(ConfigError, match=said):
        config_from_json(values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"starts": []}, "at least one"),
        ({"starts": "en"}, "starts must be a list"),
        ({"arms": [{"strategy": "lora"}]}, "needs a start"),
        ({"arms": [{"strategy": "cnn", "start": "en"}]}, "no way 'cnn'"),
        ({"sizes": []}, "at least one number of questions"),
        ({"sizes": [4, 4]}, "different numbers of questions"),
        ({"arms": [{"strategy": "lora", "start": "en"}], "starts": ["en"]}, "either arms, or starts"),
        ({"per_class": 3}, "no setting per_class"),
    ],
)
def test_wrong_arms_of_a_reader_are_named(values: dict[str, object], said: str):
    with pytest.raises(ConfigError, match=said):
        read_config_from_json(values)


def test_a_source_task_is_trained_once_for_arms_that_take_over_the_same():
    words = {"batch_size": 8}
    config = ClassifyExperiment(
        arms=(
            Arm("cnn", {**words, "start": "random"}, name="random"),
            Arm("cnn", words, name="start"),
            Arm("lora", {"rank": 4}, name="rank 4"),
            Arm("lora", {"rank": 4}, name="alone", source=NO_SOURCE),
            Arm("frozen"),
            Arm("tfidf"),
        )
    )
    plan = SourcePlan(task=True, families=("encoder", "words"))
    made = source_arms(config, plan)
    assert list(made) == ["cnn", "cnn-2", "lora"]
    assert [arm.settings.get("start", arm.settings.get("rank")) for arm in made.values()] == [
        "random",
        "pretrained",
        4,
    ]
    grid = replace(config, sizes=(8,))
    names = [each.name for each in trials(grid, plan)]
    assert "alone-plain-8-1" in names
    assert "alone-source-8-1" not in names
    assert {"rank-4-plain-8-1", "rank-4-source-8-1", "frozen-source-8-1"} <= set(names)
