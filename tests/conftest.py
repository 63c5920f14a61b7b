"""Every test gets a home folder of its own and stays off the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tl_core.settings import Settings, read_settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: processes of tests share the cores


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("TL_HOME", str(folder))
    monkeypatch.setenv("TL_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def settings(home: Path) -> Settings:
    return read_settings()
