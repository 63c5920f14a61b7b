"""The session's state is spelled in one file."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "pages"
STATE = PAGES / "components" / "state.py"
FILES = sorted(path for path in PAGES.rglob("*.py") if path != STATE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PAGES).as_posix())
def test_only_state_touches_the_session_state_and_the_address(path: Path):
    said = path.read_text(encoding="utf-8")
    assert "session_state" not in said
    assert "st.query_params" not in said
