"""The Word vectors page in a real browser: a mistyped word, an analogy, a map, an evaluation, learning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Server
from tests.browser.test_main_job import wait_until_ended
from tl_core.runs.store import Store
from tl_core.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def choose(page, view: str) -> None:
    page.get_by_text(view, exact=True).first.click()
    page.wait_for_timeout(1500)
    assert page.locator("[data-testid=stException]").count() == 0


def test_a_mistyped_word_is_mended_by_a_click(page, server: Server):
    page.goto(f"{server.address}/vectors")
    page.locator("[data-testid=stDataFrame]").first.wait_for()
    box = page.get_by_role("textbox", name="Words", exact=True)
    box.fill("cofee tea <script>window.hacked=1</script>")
    box.press("Enter")
    page.get_by_role("button", name="coffee", exact=True).click()
    page.get_by_text("'cofee' is not among these words.").wait_for(state="detached")
    assert box.input_value().startswith("coffee tea")
    assert page.evaluate("window.hacked") is None


def test_analogy_map_quality_and_learning(page, server: Server, settings: Settings, tmp_path: Path):
    store = Store(settings)
    page.goto(f"{server.address}/vectors")
    page.locator("[data-testid=stDataFrame]").first.wait_for()
    choose(page, "Analogies")
    page.get_by_text("queen").first.wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    choose(page, "Map")
    page.locator(".js-plotly-plot").first.wait_for()
    page.get_by_text("overlap@10").first.wait_for()
    choose(page, "Context")
    page.locator(".js-plotly-plot").first.wait_for()
    choose(page, "Co-occurrence")
    page.locator("[data-testid=stDataFrame]").first.wait_for()
    choose(page, "Learn vectors")
    page.get_by_role("button", name="Learn", exact=True).click()
    page.get_by_role("button", name="Back").wait_for()
    [job] = store.jobs()
    wait_until_ended(page, store, job.id)
    assert store.job(job.id).status == "done"
    page.get_by_role("button", name="Use these vectors").click()
    page.get_by_text("learned", exact=False).first.wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
