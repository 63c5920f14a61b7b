"""What the app costs before and while it works: imports, first paint, memory, a frozen run, a LoRA worker.

    python -m tests.benchmarks.footprint --data DIR

First paint is the time from asking for Home until its title and its table of encoders stand in a
real browser, on a server that has started; it needs a chromium.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from tests.benchmarks.measure import compare, data_folder, figure, machine, new_home, read, stratified
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Server
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.settings import Settings

REPEATS = 5


def import_seconds() -> float:
    """Median seconds of a whole process that imports the engine, less those of an empty one."""

    def median(code: str) -> float:
        times = []
        for _ in range(REPEATS):
            began = time.monotonic()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.monotonic() - began)
        return float(np.median(times))

    return median("import tl_core, tl_core.__main__") - median("pass")


def server_figures(facts: dict[str, object]) -> None:
    from playwright.sync_api import sync_playwright

    server = Server()
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            times = []
            for _ in range(REPEATS):
                page = browser.new_page()
                began = time.monotonic()
                page.goto(server.address)
                page.locator("h1").wait_for()
                page.locator("[data-testid=stDataFrame]").first.wait_for()
                times.append(time.monotonic() - began)
                page.close()
            figure("first visit of Home after the server's start", times[0], "s", **facts)
            figure("first paint of Home", float(np.median(times[1:])), "s", repeats=REPEATS - 1, **facts)
            page = browser.new_page()
            page.goto(f"{server.address}/fine_tune")
            page.get_by_role("button", name="Start training").wait_for()
            page.wait_for_timeout(3000)
            browser.close()
        assert server.process is not None
        memory = psutil.Process(server.process.pid).memory_info().rss
        figure("server memory after Home and Fine-tune", memory / 1e6, "MB", **facts)
    finally:
        server.kill()


def run_figures(settings: Settings, data: Path, facts: dict[str, object]) -> None:
    train = stratified(read(data / "imdb" / "train.csv.gz", "review", "sentiment"), 250)
    runs, _ = compare(of_strategies(strategies=("frozen",), test_share=0.2), Task(train), settings)
    seconds = runs[0].record.seconds
    figure("frozen strategy on 200 rows, encoder loaded in it", seconds, "s", tokens=256, **facts)
    lora = of_strategies(strategies=("lora",), settings={"lora": {"epochs": 1, "max_tokens": 128}})
    runs, _ = compare(lora, Task(train), settings)
    memory = runs[0].record.peak_memory / 1e6
    figure("worker's peak memory, LoRA on MiniLM", memory, "MB", batch=16, tokens=128, **facts)


def main() -> None:
    options = data_folder(argparse.ArgumentParser(description=__doc__))
    facts: dict[str, object] = {"machine": machine()}
    settings = new_home()
    os.environ["TL_HOME"] = str(settings.home)
    figure("import tl_core", import_seconds(), "s", repeats=REPEATS, **facts)
    if CHROMIUM:
        server_figures(facts)
    run_figures(settings, options.data, facts)


if __name__ == "__main__":
    main()
