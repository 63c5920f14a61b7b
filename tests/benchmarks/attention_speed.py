"""How fast attention is seen: extraction beside BertViz's own way, and the page in a real browser.

    python -m tests.benchmarks.attention_speed [--words 40 128 400] [--skip-browser]

BertViz (`pip install bertviz ipython`, no requirement of the project) takes the attentions of the whole model and
writes them into an HTML page of all layers and heads. Our side extracts, merges pieces into words and draws the
grid; both sides are timed in turns in one process, MiniLM loaded. The browser is Chromium by Playwright.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.measure import figure, machine, new_home
from tl_core.catalog.subjects import open_subject
from tl_core.runs.store import Store

TURNS = 5
WORDS = (
    "the old theatre by the river was built of oak, and on summer evenings people from every part of the town came to "
    "see a play, to hear the latest news, and to meet friends whom they had not seen since the last market day."
)
CLICKS = 5
DRAWN = """mark => [...document.querySelectorAll(".js-plotly-plot")].some(
    each => JSON.stringify(each.layout || {}).includes(mark) || each.textContent.includes(mark))"""


def text_of(words: int) -> str:
    parts = WORDS.split()
    return " ".join(parts[at % len(parts)] for at in range(words))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def extraction(words: list[int], facts: dict[str, Any]) -> None:
    """Both sides from a text to what is sent to the browser."""
    from bertviz import model_view

    from pages.components.charts.attention_words import attention_matrix
    from pages.components.charts.heads import head_grid
    from tl_core.encoders.attention.grid import thumbnails
    from tl_core.encoders.attention.maps import attention_maps, plain_attention
    from tl_core.encoders.attention.subject import tensors
    from tl_core.encoders.attention.units import unit_maps

    subject = open_subject(Store(new_home()), "minilm")

    def ours(text: str) -> tuple[str, Any]:
        shown = subject.inputs(text)[0]
        made = unit_maps(attention_maps(subject, shown), shown)
        names = [unit.text for unit in made.units]
        grid = head_grid(thumbnails(made.maps).pixels).to_json()
        return grid + attention_matrix(made.maps[0, 0], names, names).to_json(), (made, names)

    def another(head: Any, names: list[str]) -> str:
        return str(attention_matrix(head, names, names).to_json())

    def theirs(text: str) -> str:
        import torch

        shown = subject.inputs(text)[0]
        with torch.inference_mode(), plain_attention(subject.encoder):
            told = subject.encoder.model(**tensors(subject, [shown]), output_attentions=True).attentions
        return str(model_view(told, list(shown.tokens), html_action="return").data)

    for count in words:
        text = text_of(count)
        tokens = len(subject.inputs(text)[0])
        seconds: dict[str, list[float]] = {"ours": [], "bertviz": []}
        sizes: dict[str, int] = {}
        for _ in range(TURNS):
            (page, (made, names)), took = timed(partial(ours, text))
            seconds["ours"].append(took)
            other, took = timed(partial(theirs, text))
            seconds["bertviz"].append(took)
            sizes = {"ours": len(page.encode()), "bertviz": len(other.encode())}
        told = {"words": count, "tokens": tokens, **facts}
        for name, each in seconds.items():
            figure(
                f"text to what the browser gets, {name}",
                float(np.median(each)),
                "s",
                bytes=sizes[name],
                **told,
            )
        clicks = [timed(partial(another, made.maps[3, at], names))[1] for at in range(CLICKS)]
        figure("another head, its figure", 1000 * float(np.median(clicks)), "ms", **told)


def in_browser(words: list[int], facts: dict[str, Any]) -> None:
    """From the submitted text to its grid, a click on a head, and what the server sent, in Chromium."""
    from playwright.sync_api import Page, sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM, Server

    new_home()
    server = Server()
    server.start()
    received = [0]

    def submit(page: Page, text: str, mark: str) -> float:
        box = page.get_by_label("Text", exact=True)
        box.fill(f"{text} {mark}")
        began = time.perf_counter()
        box.press("Control+Enter")
        page.wait_for_function(DRAWN, arg=mark, timeout=120_000)
        return time.perf_counter() - began

    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1300, "height": 1600})
            page.on(
                "websocket",
                lambda socket: socket.on(
                    "framereceived", lambda frame: received.__setitem__(0, received[0] + len(frame))
                ),
            )
            page.goto(f"{server.address}/attention?model=minilm&text=warm")
            page.get_by_text("Layer 1, head 1").first.wait_for(timeout=120_000)
            submit(page, text_of(10), "warmth")
            for count in words:
                received[0] = 0
                took = submit(page, text_of(count - 1), f"mark{count}")
                page.wait_for_timeout(1_500)
                told = {"words": count, **facts}
                figure("submit to the grid and a head, in the browser", took, "s", bytes=received[0], **told)
                figure("click on a head, in the browser", _click(page), "s", **told)
            browser.close()
    finally:
        server.kill()


def _click(page: Any) -> float:
    """The median time from a click on another tile to its head's name."""
    seconds = []
    for at in range(CLICKS):
        tile = page.locator(".js-plotly-plot").first.locator("path.point").nth(13 + at)
        box = tile.bounding_box()
        began = time.perf_counter()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.locator("strong", has_text=f"Layer 2, head {at + 2}").first.wait_for(timeout=60_000)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, nargs="+", default=[40, 128, 400])
    parser.add_argument("--skip-browser", action="store_true")
    options = parser.parse_args()
    facts = {"machine": machine(), "model": "MiniLM"}
    extraction(options.words, facts)
    if not options.skip_browser:
        in_browser(options.words, facts)


if __name__ == "__main__":
    main()
