"""The Attention page in a real browser: a head by a click, lines under the mouse, a reader, a link that restores."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
HOSTILE = "the <script>window.hacked=1</script> old bank by the river"


def choose(page, view: str) -> None:
    page.get_by_text(view, exact=True).first.click()
    page.wait_for_timeout(1500)
    assert page.locator("[data-testid=stException]").count() == 0


def test_a_head_by_a_click_in_its_lines_and_by_its_link(page, server: Server):
    page.goto(f"{server.address}/attention?model=minilm")
    page.get_by_text("Layer 1, head 1").first.wait_for()
    box = page.get_by_label("Text", exact=True)
    box.fill(HOSTILE)
    box.press("Control+Enter")
    page.wait_for_function("location.search.includes('river')")
    tile = page.locator(".js-plotly-plot").first.locator("path.point").nth(14).bounding_box()
    page.mouse.click(tile["x"] + tile["width"] / 2, tile["y"] + tile["height"] / 2)
    page.locator("strong", has_text="Layer 2, head 3").wait_for()
    assert page.get_by_label("Layer", exact=True).input_value() == "2"
    page.wait_for_function("location.search.includes('layer=2') && location.search.includes('head=3')")
    page.get_by_text("Lines", exact=True).click()
    lines = page.locator("canvas").first
    lines.wait_for()
    assert page.evaluate("window.hacked") is None
    page.goto(page.url)  # as another person would open it
    page.locator("strong", has_text="Layer 2, head 3").wait_for()
    page.wait_for_function("text => document.querySelector('textarea')?.value === text", arg=HOSTILE)


def test_every_view_of_a_reader(page, server: Server):
    page.goto(f"{server.address}/attention?model=en")
    page.get_by_text("Layer 1, head 1").first.wait_for()
    choose(page, "Roll-out")
    page.locator(".js-plotly-plot").first.wait_for()
    choose(page, "What matters")
    page.get_by_text("How far they agree").wait_for()
    choose(page, "Before and after")
    page.get_by_text("After - before").first.wait_for()
    choose(page, "Statistics")
    page.get_by_label("How many").fill("5")
    page.get_by_label("How many").press("Enter")
    page.get_by_role("button", name="Look at all heads").click()
    page.get_by_text("Means over").wait_for()
    choose(page, "Switch off")
    page.get_by_text("With all heads").wait_for()
    choose(page, "Step by step")
    page.get_by_text("All tokens at once").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0


def test_an_old_link_opens_its_view_and_the_address_says_it_anew(page, server: Server):
    page.goto(f"{server.address}/attention?model=minilm&text=an+old+bank&view=Step+by+step")
    page.get_by_text("All tokens at once").wait_for()
    page.wait_for_function("location.search.includes('view=steps')")
    choose(page, "Roll-out")
    page.wait_for_function("location.search.includes('view=roll-out')")
    page.reload()
    page.get_by_text("What is looked at from").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
