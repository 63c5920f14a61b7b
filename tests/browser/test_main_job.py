"""The main job in a real browser: upload, train, reload in mid-run, judge, predict, export."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest

from tests.browser.conftest import PROJECT, Server
from tl_core.data.tables import read_table_file
from tl_core.runs.store import Store
from tl_core.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
HOSTILE = "<script>window.hacked=1</script> $x^2$ **bold** <b>tag</b>"


def hostile_sample(folder: Path) -> Path:
    """The bundled film reviews with a text and a label that try to become HTML, LaTeX or Markdown."""
    with (PROJECT / "assets" / "samples" / "film_reviews_en.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    path = folder / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for row in rows[:80]:
            writer.writerow([row["text"], "<b>good</b> $1$" if row["label"] == "positive" else "bad"])
        writer.writerow([HOSTILE, "bad"])
    return path


def uploader(page, label: str):
    """The file input under this label."""
    return page.locator("[data-testid=stFileUploader]").filter(has_text=label).locator("input[type=file]")


def wait_until_ended(page, store: Store, job_id: str) -> None:
    for _ in range(480):
        if store.job(job_id).ended:
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"the job is {store.job(job_id).status}")


def test_upload_train_reload_judge_predict_export(page, server: Server, settings: Settings, tmp_path: Path):
    store = Store(settings)
    page.goto(f"{server.address}/fine_tune")
    page.get_by_text("File", exact=True).click()
    uploader(page, "A table with a text and a label").set_input_files(str(hostile_sample(tmp_path)))
    page.get_by_text("81", exact=True).wait_for()
    epochs = page.get_by_role("spinbutton", name="Epochs (0: by rows)")
    epochs.fill("6")
    epochs.press("Enter")
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Stop").wait_for()
    assert "job=" in page.url
    [job] = store.jobs()

    page.reload()
    page.get_by_role("button", name="Stop").wait_for()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    other.close()

    server.kill()
    assert store.job(job.id).status in ("queued", "running", "done")
    server.start()
    page.goto(f"{server.address}/fine_tune?job={job.id}")

    wait_until_ended(page, store, job.id)
    assert store.job(job.id).status == "done"
    page.get_by_text("Use it", exact=True).wait_for()
    page.get_by_placeholder("Type or paste a text").fill(HOSTILE)
    page.get_by_placeholder("Type or paste a text").press("Control+Enter")
    page.get_by_text("Calibrated only as well").wait_for()
    for view in ("Confusion", "Errors", "Calibration", "Curves", "Details"):
        page.get_by_text(view, exact=True).first.click()
        page.wait_for_timeout(1500)
        assert page.locator("[data-testid=stException]").count() == 0, view
    assert page.evaluate("window.hacked") is None
    assert page.locator(".katex").count() == 0

    page.get_by_text("Label a file", exact=True).click()
    unlabelled = tmp_path / "new.csv"
    unlabelled.write_text("id,text\n1,=1+1 a wonderful film\n2,dull and far too long\n", encoding="utf-8")
    uploader(page, "A table without labels").set_input_files(str(unlabelled))
    page.get_by_role("button", name="Predict").click()
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Download with predictions").click(timeout=120_000)
    download.value.save_as(tmp_path / "predicted.csv")
    table = read_table_file(tmp_path / "predicted.csv")
    assert table.columns == ("id", "text", "predicted", "probability")
    assert table.rows[0][1].startswith("'=1+1")

    page.get_by_text("Export", exact=True).click()
    page.get_by_role("button", name="Make the zip").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the zip").click()
    download.value.save_as(tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert {"README.md", "predict.py", "labels.json"} <= set(archive.namelist())
        assert json.loads(archive.read("labels.json")) == ["<b>good</b> $1$", "bad"]


def test_stop_and_resume_from_the_page(page, server: Server, settings: Settings):
    store = Store(settings)
    page.goto(f"{server.address}/fine_tune")
    page.get_by_text("MiniLM (English)", exact=True).first.click()  # the small one, once: no trial, no probe
    seeds = page.get_by_role("spinbutton", name="Seeds (0: by cost)")
    seeds.fill("1")
    seeds.press("Enter")
    page.get_by_text("3 trainings.").first.wait_for()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Stop").wait_for()
    [job] = store.jobs()
    page.get_by_text("LoRA, seed 1").first.wait_for(timeout=120_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Resume").wait_for(timeout=60_000)
    assert store.job(job.id).status == "stopped"
    page.get_by_role("button", name="Resume").click()
    for _ in range(120):  # a button of the last run may still stand, so the page alone does not tell
        if store.job(job.id).status != "stopped":
            break
        page.wait_for_timeout(250)
    wait_until_ended(page, store, job.id)
    assert store.job(job.id).status == "done"
    page.get_by_text("Use it", exact=True).wait_for()
    assert {run.status for run in store.runs_of(job.id)} == {"done"}


@pytest.mark.parametrize("path", ["", "fine_tune", "runs"])
@pytest.mark.parametrize("width", [390, 1920])
def test_no_page_scrolls_sideways_at_phone_or_desk_width(page, server: Server, path: str, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.address}/{path}")
    page.locator("h1").wait_for()
    page.wait_for_timeout(3000)
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
