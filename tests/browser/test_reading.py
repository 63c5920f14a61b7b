"""The Reading page in a real browser, with the shipped English reader: ask, why, many questions, misses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Server
from tests.browser.test_main_job import uploader, wait_until_ended
from tl_core.catalog.readers import SHIPPED
from tl_core.data.reading import Answer, Passage, Question, ReadingSet
from tl_core.data.reading_files import write_squad
from tl_core.runs.store import Store
from tl_core.settings import Settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not SHIPPED[0].folder.exists(), reason="needs the shipped English reader"),
]
TEXT = "<script>window.hacked=1</script> Marie Curie was born in Warsaw in 1867. $x^2$ **She** moved to Paris in 1891."


def questions(folder: Path) -> Path:
    asked = (
        ("When was Marie Curie born?", "1867"),
        ("Where did she move to?", "Paris"),
        ("Who was born?", "Paris"),
    )
    made = tuple(
        Question(str(at), text, 0, (Answer(answer, TEXT.index(answer)),))
        for at, (text, answer) in enumerate(asked)
    )
    path = folder / "curie.json"
    path.write_bytes(write_squad(ReadingSet("curie", (Passage(TEXT, 0),), made)))
    return path


def test_a_text_is_asked_and_the_answer_marked_in_its_place(page, server: Server):
    page.goto(f"{server.address}/reading")
    page.locator("mark").first.wait_for()  # the example's answer
    page.get_by_text("Your text", exact=True).click()
    box = page.get_by_role("textbox", name="Passage")
    box.fill(TEXT)
    box.press("Control+Enter")
    question = page.get_by_role("textbox", name="Question")
    question.fill("Where was Marie Curie born?")
    question.press("Enter")
    page.locator("mark", has_text="Warsaw").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.get_by_text("<script>window.hacked=1</script>").count() >= 1
    page.get_by_text("Why this answer", exact=True).click()
    page.locator(".js-plotly-plot").first.wait_for()
    for view in ("Windows", "Attention", "What matters"):
        page.get_by_role("radio", name=view, exact=True).click()
        page.wait_for_timeout(1500)
        assert page.locator("[data-testid=stException]").count() == 0
    page.get_by_text("Asked before", exact=True).click()
    page.locator("[data-testid=stDataFrame]").first.wait_for()


def test_many_questions_become_a_job_with_a_result(page, server: Server, settings: Settings, tmp_path: Path):
    store = Store(settings)
    page.goto(f"{server.address}/reading")
    page.get_by_text("Many questions", exact=True).click()
    uploader(page, "Questions with answers").set_input_files(str(questions(tmp_path)))
    page.get_by_text("3 questions on 1 passages of 1 articles").wait_for()
    page.get_by_role("button", name="Evaluate").click()
    page.wait_for_url("**job=**")
    [job] = store.jobs()
    page.reload()
    wait_until_ended(page, store, job.id)
    assert store.job(job.id).status == "done", store.job(job.id).reason
    page.get_by_text("Asked in").wait_for()
    page.get_by_text("Misses", exact=True).click()
    page.get_by_text("not exact, the worst").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
