"""The Compare page in a real browser: a grid from its plan to its gain and to what the source moved."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Server
from tests.browser.test_main_job import wait_until_ended
from tl_core.runs.store import Store
from tl_core.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_grid_from_its_plan_to_what_the_source_moved(page, server: Server, settings: Settings):
    store = Store(settings)
    page.goto(f"{server.address}/compare")
    page.get_by_text("A new grid", exact=True).click()
    page.get_by_text("1 · Your labelled rows").wait_for()
    page.get_by_text("A source task first", exact=True).click()
    page.get_by_text("Source task rows").wait_for()
    page.get_by_role("button", name="EmbeddingBag", exact=True).click()
    page.get_by_role("button", name="LoRA", exact=True).click()
    page.get_by_text("EmbeddingBag", exact=True).nth(1).wait_for()
    seeds = page.get_by_label("Seeds", exact=True)
    seeds.fill("1")
    seeds.press("Enter")
    page.get_by_text("14 trainings").wait_for()  # 8 rows a class and all 48: no class has 64
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Back").wait_for()
    [job] = store.jobs()
    wait_until_ended(page, store, job.id)
    assert store.job(job.id).status == "done", store.job(job.id).reason
    page.get_by_text("What the source is worth").wait_for()
    assert page.locator(".js-plotly-plot").count() == 2
    page.get_by_text("What moved", exact=True).click()
    page.get_by_text("Words that the source task moved most").wait_for()
    page.get_by_text("LoRA", exact=True).click()
    page.get_by_role("button", name="Compare the layers").click()
    page.get_by_text("How far each layer moved").wait_for()
    page.locator(".js-plotly-plot").nth(2).wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
