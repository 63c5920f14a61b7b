"""Map, Quality and Compare on the Word vectors page, on small made sets."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.views.vectors import map as map_view
from tl_core.jobs import trainings
from tl_core.jobs.kinds import run_job
from tl_core.jobs.vectors.evaluate import QualityConfig, submit_evaluation
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import work
from tl_core.vectors.space import save_vectors

ONE, OTHER, NARROW = (f"file-{letter * 16}" for letter in "abc")
TITLE = "one <b>set</b> $x$"
MADE = ["music", "she<b>", "$y$", *(f"w{at}" for at in range(97))]

ANALOGIES = b": <b>family\nw1 w2 w3 w4\nw5 w6 w7 nowhere\n: gram1\nw8 w9 w10 w11\nw12 w13 w14 w15\n"
PAIRS = b"w1,w2,9.5\nw3,w4,3\nw5,w6,5\nw7,<i>x,1\nw8,w9,2\n"

Open = Callable[..., AppTest]


def rows_of(width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(MADE), width)).astype(np.float32)


@pytest.fixture(autouse=True)
def one_set(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """A hundred words as the only vectors there are."""
    monkeypatch.setattr("tl_core.catalog.vector_sets.packaged_vectors", lambda: None)
    save_vectors(store.settings.vectors / ONE, TITLE, MADE, rows_of(8), about={"note": "made"})
    return ONE


@pytest.fixture
def second_set(store: Store) -> str:
    """The same vectors, turned, but for one word that went elsewhere and one that has another name."""
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))
    rows = rows_of(8) @ turn.astype(np.float32)
    rows[10] = -rows[10]
    words = [*MADE[:-1], "only<i>here"]
    save_vectors(store.settings.vectors / OTHER, "other", words, rows, about={"note": "made"})
    return OTHER


def opened(open_page: Open, view: str) -> AppTest:
    app = open_page("vectors")
    [sets] = [each for each in app.selectbox if each.label == "Vectors"]
    sets.set_value(ONE).run()
    return choose(app, "vectors.view", view)


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.segmented_control(key=key).set_value(value).run()
    assert not app.exception, app.exception
    assert app.segmented_control(key=key).value == value
    return app


def said(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.markdown, app.info, app.warning, app.error)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}


# the map


def test_a_map_opens_with_its_trust_beside_it(open_page: Open):
    app = opened(open_page, "map")
    assert len(app.get("plotly_chart")) == 1
    assert 0 <= float(metrics(app)["Overlap@10"]) <= 1
    assert "chance 0.1" in said(app)
    assert "PCA, dimensions 2" in said(app)
    assert "Words 1 to 100" in said(app)
    assert app.get("download_button")


def test_words_left_out_are_told(open_page: Open):
    app = opened(open_page, "map")
    app.number_input(key=f"map.skipped.{ONE}").set_value(60).run()
    assert "Words 61 to 100" in said(app)
    assert "the first 60" in said(app)
    app.number_input(key=f"map.skipped.{ONE}").set_value(99).run()
    assert "at least 3 words" in said(app)
    assert not app.exception


@pytest.mark.parametrize("method", ["tsne", pytest.param("umap", marks=pytest.mark.slow)])
def test_a_method_shows_its_own_knobs_and_draws(open_page: Open, method: str):
    app = opened(open_page, "map")
    app.number_input(key=f"map.number.{ONE}").set_value(50).run()
    choose(app, "map.method", method)
    shown = {each.label for each in app.number_input}
    assert ("Perplexity" in shown) == (method == "tsne")
    assert ("Min dist" in shown) == (method == "umap")
    assert "seed 0" in said(app)
    assert len(app.get("plotly_chart")) == 1
    assert not app.error


def test_a_deep_map_without_clusters(open_page: Open):
    app = opened(open_page, "map")
    app.number_input(key="map.dimensions").set_value(3).run()
    app.number_input(key="map.clusters").set_value(0).run()
    assert not app.exception, app.exception
    assert "scatter3d" in app.get("plotly_chart")[0].proto.spec


def test_a_listed_word_that_is_unknown_brings_spellings(open_page: Open):
    app = choose(opened(open_page, "map"), "map.origin", "list")
    key = f"map.list.{ONE}"
    app.text_area(key=key).set_value("w1 w2 musik w3 " + " ".join(f"zz{at}q" for at in range(30))).run()
    assert not app.exception, app.exception
    assert "'musik' is not among these words" in said(app)
    assert "25 more are not among these words" in said(app)
    app.button(key=f"{key}.near.musik.music").click().run()
    assert app.text_area(key=key).value.startswith("w1 w2 music w3")


@pytest.mark.parametrize("text", ["", "w1 w1", "she<b> $y$ w3 w4"])
def test_any_list_is_answered(open_page: Open, text: str):
    app = choose(opened(open_page, "map"), "map.origin", "list")
    app.text_area(key=f"map.list.{ONE}").set_value(text).run()
    assert not app.exception, app.exception
    assert bool(app.get("plotly_chart")) == ("w3" in text)
    if "w3" in text:
        assert "she<b>" not in app.get("plotly_chart")[0].proto.spec


def test_the_neighbourhood_of_a_word(open_page: Open):
    app = choose(opened(open_page, "map"), "map.origin", "neighbourhood")
    assert app.text_input(key=f"map.word.{ONE}").value == "music"
    app.number_input(key=f"map.near.{ONE}").set_value(12).run()
    assert "by cosine among these 13" in said(app)
    assert "Overlap@6" in metrics(app)


def test_selected_words_come_with_their_true_neighbours(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(map_view, "places_of", lambda *_: [0, 1])
    table = opened(open_page, "map").dataframe[0].value
    assert list(table["word"]) == ["music", "she<b>"]
    unit = rows_of(8) / np.linalg.norm(rows_of(8), axis=1, keepdims=True)
    nearest = np.argsort(-(unit @ unit[0]))[1:6]
    assert table["near"][0] == ", ".join(MADE[at] for at in nearest)
    assert table["kept"].between(0, 1).all()


def test_a_slow_map_waits_for_a_click(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(map_view, "SLOW_WORDS", 60)
    app = choose(opened(open_page, "map"), "map.method", "tsne")
    assert not app.get("plotly_chart")
    app.button(key="map.draw").click().run()
    assert len(app.get("plotly_chart")) == 1
    app.run()
    assert len(app.get("plotly_chart")) == 1


# quality


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    choose(app, "quality.set", "own")
    app.file_uploader(key="quality.file").upload(name, content).run()
    assert not app.exception, app.exception
    return app


def evaluated(store: Store, content: bytes, name: str = "own.txt", **settings: object) -> Job:
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = submit_evaluation(store, ONE, QualityConfig(**settings), name, content)  # type: ignore[arg-type]
    work(store, job.id, run_job)
    assert store.job(job.id).status == "done", store.job(job.id).reason
    return store.job(job.id)


@pytest.mark.parametrize(
    ("name", "facts", "knobs"),
    [("google", "19,544 analogies in 14 sections", True), ("simlex999", "999 pairs", False)],
)
def test_bundled_sets_tell_what_they_hold(open_page: Open, name: str, facts: str, knobs: bool):
    app = choose(opened(open_page, "quality"), "quality.set", name)
    assert facts in said(app)
    assert bool([each for each in app.toggle if each.label == "Include inputs"]) == knobs


def test_an_own_set_is_submitted_and_its_result_opened(open_page: Open, store: Store):
    app = upload(opened(open_page, "quality"), "own.txt", ANALOGIES)
    assert "4 analogies in 2 sections" in said(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="quality.evaluate").click().run()
    assert not app.exception, app.exception
    [job] = store.jobs()
    assert job.id in str(app.query_params["job"])
    work(store, job.id, run_job)
    app = open_page("vectors", job=job.id)
    assert metrics(app).keys() == {"Overall", "Semantic", "Syntactic"}
    assert "3 of 4 questions covered" in said(app)
    assert list(app.dataframe[0].value["section"]) == ["<b>family", "gram1"]
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.txt", b""),
        ("prose.txt", b"some words that make no question at all\n"),
        ("b.txt", bytes(range(256))),
    ],
)
def test_a_file_that_is_no_set_is_refused_clearly(open_page: Open, name: str, content: bytes):
    app = upload(opened(open_page, "quality"), name, content)
    assert name in app.error[0].value.replace("\\", "")
    assert not [each for each in app.button if each.label == "Evaluate"]


def test_misses_are_listed_by_section(open_page: Open, store: Store):
    job = evaluated(store, ANALOGIES)
    app = open_page("vectors", job=job.id)
    choose(app, f"evaluation.{job.id}", "misses")
    everything = len(app.dataframe[0].value) if app.dataframe else 0
    section = app.selectbox(key=f"evaluation.section.{job.id}")
    section.set_value(section.options[-1]).run()
    assert not app.exception, app.exception
    assert 0 < len(app.dataframe[0].value) <= everything
    assert app.get("download_button")


def test_inputs_as_answers_are_told(open_page: Open, store: Store):
    job = evaluated(store, ANALOGIES, include_inputs=True)
    assert "answered with a word of the question itself" in said(open_page("vectors", job=job.id))


def test_pairs_are_correlated_drawn_and_ranked(open_page: Open, store: Store):
    job = evaluated(store, PAIRS)
    app = open_page("vectors", job=job.id)
    assert metrics(app)["Pairs covered"] == "4 of 5"
    assert -1 <= float(metrics(app)["Spearman"]) <= 1
    ranked, missing = (each.value for each in app.dataframe)
    gaps = (ranked["people"] - ranked["vectors"]).abs()
    assert list(gaps) == sorted(gaps, reverse=True)
    assert missing.to_numpy().tolist() == [["w7", "<i>x"]]


def test_earlier_evaluations_are_listed_and_opened(open_page: Open, store: Store):
    evaluated(store, PAIRS, name="<b>pairs.csv")
    job = evaluated(store, ANALOGIES, method="mul")
    app = opened(open_page, "quality")
    table = app.dataframe[0].value
    assert sorted(table["set"]) == ["<b>pairs.csv", "own.txt"]
    assert set(table["covered"]) == {"3 of 4", "4 of 5"}
    at = list(table["set"]).index("own.txt")
    assert table["method"][at] == "mul"
    key = app.dataframe[0].key
    app.session_state[key] = {"selection": {"rows": [at], "columns": [], "cells": []}}
    app.run()
    app.button(key="quality.open").click().run()
    assert not app.exception, app.exception
    assert job.id in str(app.query_params["job"])


def test_evaluations_of_other_vectors_are_not_listed(open_page: Open, store: Store, second_set: str):
    evaluated(store, PAIRS)
    app = opened(open_page, "quality")
    assert len(app.dataframe) == 1
    [sets] = [each for each in app.selectbox if each.label == "Vectors"]
    sets.set_value(OTHER).run()
    assert not app.dataframe


# two sets


def test_without_a_second_set_the_page_says_what_to_do(open_page: Open):
    assert "no second set" in said(opened(open_page, "compare"))


def test_neighbours_in_both_sets_stand_side_by_side(open_page: Open, second_set: str):
    app = opened(open_page, "compare")
    one, other = (each.value for each in app.dataframe)
    assert set(one["word"][one["shared"]]) == set(other["word"][other["shared"]])
    assert "both sets have" in said(app)
    assert not any("<b>" in str(each.value) for each in app.markdown)


def test_a_word_that_one_set_lacks_is_told_there_alone(open_page: Open, second_set: str):
    app = opened(open_page, "compare")
    box = app.text_input(key=f"compare.word.{ONE}.{OTHER}")
    box.set_value("only<i>here").run()
    assert not app.exception, app.exception
    assert said(app).count("is not among these words") == 1
    assert len(app.dataframe) == 1
    box.set_value("zzzz").run()
    assert said(app).count("is not among these words") == 1
    assert not app.dataframe


def test_the_word_that_went_elsewhere_moved_most_and_can_be_opened(open_page: Open, second_set: str):
    app = choose(opened(open_page, "compare"), "vectors.compare", "moved")
    most, least = (each.value for each in app.dataframe)
    assert most["word"][0] == MADE[10]
    assert most["distance"][0] > 1
    assert least["distance"][0] < 0.1
    app.session_state[app.dataframe[0].key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert not app.exception, app.exception
    assert len(app.dataframe) == 4


def test_how_far_neighbours_agree_is_drawn(open_page: Open, second_set: str):
    app = choose(opened(open_page, "compare"), "vectors.compare", "agreement")
    assert len(app.get("plotly_chart")) == 1
    assert "Overlap@10: 0.9" in said(app)
    assert "99 shared words" in said(app)


def test_sets_of_other_width_are_compared_by_neighbours_alone(open_page: Open, store: Store):
    save_vectors(store.settings.vectors / NARROW, "narrow", MADE, rows_of(4, seed=2))
    app = choose(opened(open_page, "compare"), "vectors.compare", "moved")
    assert "only at equal widths" in said(app)
    choose(app, "vectors.compare", "agreement")
    assert len(app.get("plotly_chart")) == 1


def test_few_shared_words_are_warned_of_and_none_refused(open_page: Open, store: Store):
    words = [*MADE[:3], *(f"v{at}" for at in range(97))]
    save_vectors(store.settings.vectors / NARROW, "stranger", words, rows_of(8, seed=2))
    app = choose(opened(open_page, "compare"), "vectors.compare", "moved")
    assert "prove nothing" in said(app)
    save_vectors(
        store.settings.vectors / OTHER, "stranger still", [f"u{at}" for at in range(100)], rows_of(8)
    )
    app.run().selectbox(key=f"compare.other.{ONE}").set_value(OTHER).run()
    assert "at least 2" in app.error[0].value
