"""What the tests of pages share: a store in the test's home, and the app opened on a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tl_core.runs.store import Store
from tl_core.settings import Settings

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Opens a page of the app, with query parameters; it must not raise."""

    def opened(page: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=30).run()
        app = app.switch_page(f"pages/{page}.py")
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return opened
