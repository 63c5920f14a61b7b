"""Every test gets a home folder of its own and stays off the network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tl_core.errors import ModelError
from tl_core.jobs.classify.encoder_trial import EncoderTrial
from tl_core.settings import Settings, read_settings

FETCHED = read_settings().cache / "packages"  # of whoever runs the tests: weights that install on Linux alone
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: processes of tests share the cores


@pytest.fixture(autouse=True)
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    if FETCHED.is_dir():
        folder = tmp_path_factory.mktemp("home")  # tests list what they wrote into their own folder
        shutil.copytree(FETCHED, folder / "cache" / "packages", copy_function=_link)
    monkeypatch.setenv("TL_HOME", str(folder))
    monkeypatch.setenv("TL_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture(autouse=True)
def one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Experiments that leave their seeds to their cost take one here, without a probe in a process of its own."""

    def unknown(*_: object, **__: object) -> None:
        raise ModelError("The cost is not measured for a test.")

    monkeypatch.setattr("tl_core.jobs.classify.estimate._measured", unknown)


@pytest.fixture(autouse=True)
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders that are left to a trial become MiniLM, without a process of its own."""
    monkeypatch.setattr(
        "tl_core.jobs.classify.encoder_trial._measured",
        lambda _, rows: [EncoderTrial("minilm", 0.75, len(rows)), EncoderTrial("e5", 0.5, len(rows))],
    )


@pytest.fixture
def nothing_fetched(home: Path) -> None:
    """No weights that were fetched before the tests are there."""
    shutil.rmtree(home / "cache" / "packages", ignore_errors=True)


def _link(source: str, place: str) -> None:
    """The same file under a second name; a copy where the system or two drives do not allow that."""
    try:
        os.link(source, place)
    except OSError:
        shutil.copy2(source, place)


@pytest.fixture
def settings(home: Path) -> Settings:
    return read_settings()
