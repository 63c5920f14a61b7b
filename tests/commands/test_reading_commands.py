"""`ask`, `evaluate-reading` and `train-reader`, on tiny readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs.reader_jobs import ship_tiny_readers, small_set, tiny_base
from tl_core.__main__ import main
from tl_core.data.reading_files import write_squad
from tl_core.settings import Settings

TEXT = "In story 1 the king of the land was at the house all day long. The queen saw a boat."


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ship_tiny_readers(tmp_path, settings, monkeypatch)


@pytest.fixture
def passage(tmp_path: Path) -> Path:
    path = tmp_path / "passage.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.json"
    path.write_bytes(write_squad(small_set()))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    code = main([str(each) for each in arguments] + ["--json"])
    out = capsys.readouterr().out.strip()
    assert out.count("\n") == 0, "one JSON object on stdout"
    return code, json.loads(out)


def test_ask_gives_answers_by_their_characters(capsys, passage: Path):
    code, said = run(capsys, "ask", "--passage", passage, "--question", "Where was the king?", "--top", 3)
    assert code == 0
    assert 1 <= len(said["answers"]) <= 3
    for each in said["answers"]:
        assert TEXT[each["start"] : each["end"]] == each["text"]
    scores = [each["score"] for each in said["answers"]]
    assert scores == sorted(scores, reverse=True)
    assert said["no_answer_score"] == -scores[0]


def test_ask_takes_the_reader_of_the_script_or_the_one_that_is_named(capsys, tmp_path: Path, passage: Path):
    _, english = run(capsys, "ask", "--passage", passage, "--question", "Where was the king?")
    assert english["reader"].startswith("English")
    korean = tmp_path / "ko.txt"
    korean.write_text("왕은 하루 종일 집에 있었다.", encoding="utf-8")
    _, said = run(capsys, "ask", "--passage", korean, "--question", "왕은 어디에 있었나?")
    assert said["reader"].startswith("Korean")
    _, named = run(capsys, "ask", "--passage", korean, "--question", "왕은?", "--reader", "en")
    assert named["reader"].startswith("English")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--question", " "], "question is empty"),
        (["--question", "where " * 500], "shorter question"),
        (["--question", "Where?", "--top", "0"], "--top must be between"),
        (["--question", "Where?", "--reader", "nobody/has-this"], "hub|offline|network"),
    ],
)
def test_ask_refuses_with_one_clear_line(capsys, passage: Path, arguments: list[str], problem: str):
    import re

    code, said = run(capsys, "ask", "--passage", passage, *arguments)
    assert code == 2
    assert re.search(problem, said["error"])


@pytest.mark.parametrize(("content", "problem"), [(b"", "empty"), (bytes(range(256)), "binary|text")])
def test_ask_refuses_a_passage_that_is_none(capsys, tmp_path: Path, content: bytes, problem: str):
    import re

    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    code, said = run(capsys, "ask", "--passage", path, "--question", "Where?")
    assert code == 2
    assert re.search(problem, said["error"])
    assert run(capsys, "ask", "--passage", tmp_path / "none.txt", "--question", "Where?")[0] == 2


def test_evaluate_reading_counts_exact_match_and_f1(capsys, questions: Path):
    code, said = run(capsys, "evaluate-reading", questions, "--limit", 10)
    assert code == 0
    assert said["count"] == 10
    assert 0 <= said["exact_match"] <= said["f1"] <= 100
    assert said["seconds"] > 0


def test_evaluate_reading_refuses_what_holds_no_questions(capsys, tmp_path: Path, questions: Path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"data": []}', encoding="utf-8")
    code, said = run(capsys, "evaluate-reading", bad)
    assert code == 2
    assert "no usable question" in said["error"]
    assert run(capsys, "evaluate-reading", questions, "--limit", -1)[0] == 2


def test_train_reader_needs_a_start_that_fits(capsys, tmp_path: Path, questions: Path):
    code, said = run(capsys, "train-reader", questions)
    assert (code, "--encoder" in said["error"]) == (2, True)
    other = tiny_base(tmp_path, "electra")
    code, said = run(capsys, "train-reader", questions, "--encoder", other, "--source", "en")
    assert (code, "stands on the encoder" in said["error"]) == (2, True)
    code, said = run(capsys, "train-reader", questions, "--source", "en", "--set", "rate=3")
    assert (code, "--set takes NAME=VALUE" in said["error"]) == (2, True)
    code, said = run(capsys, "train-reader", questions, "--source", "en", "--sizes", 10_000)
    assert (code, "are left" in said["error"]) == (2, True)


@pytest.mark.slow
def test_train_reader_trains_from_a_reader_in_a_process_of_its_own(capsys, tmp_path: Path, questions: Path):
    base = tiny_base(tmp_path)
    code, said = run(
        capsys,
        "train-reader",
        questions,
        "--source",
        "en",
        "--source",
        base,
        "--set",
        "epochs=1",
        "--sizes",
        8,
        16,
    )
    assert code == 0
    assert said["status"] == "done"
    assert len(said["runs"]) == 4
    assert all(0 <= each["exact_match"] <= each["f1"] <= 100 for each in said["runs"])
    passage = tmp_path / "passage.txt"
    passage.write_text(TEXT, encoding="utf-8")
    run_id = said["runs"][0]["id"]
    code, _ = run(capsys, "ask", "--passage", passage, "--question", "Where?", "--reader", run_id)
    assert code == 0
