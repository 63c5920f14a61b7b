from __future__ import annotations

import bz2
import gzip
import json
import os
import pickle
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.encoders.tiny import write_tiny_encoder
from tl_core.__main__ import main
from tl_core.data.examples import read_examples
from tl_core.jobs.classify.plan import of_strategies
from tl_core.runs.store import Store
from tl_core.settings import Settings, read_settings

PROJECT = Path(__file__).resolve().parents[2]
ROWS = [(f"good fine nice {at}", "good") if at % 2 else (f"bad poor sad {at}", "bad") for at in range(40)]


def table(rows=ROWS, header="text,label\n", delimiter=",") -> str:
    return header.replace(",", delimiter) + "".join(delimiter.join(row) + "\n" for row in rows)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    code = main([str(each) for each in arguments] + ["--json"])
    out = capsys.readouterr().out.strip()
    assert out.count("\n") == 0, "one JSON object on stdout"
    return code, json.loads(out)


def zipped() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", table())
    return stream.getvalue()


class Trap:
    def __reduce__(self):
        return os.system, ("touch /tmp/should-never-exist-transfer-learning",)


BAD_FILES = {
    "empty": (b"", "empty"),
    "white space": (b" \n\t\n", "empty|no rows|nothing"),
    "header only": (b"text,label\n", "no rows|header"),
    "one class": (table([(f"a {at}", "x") for at in range(10)]).encode(), "at least two classes"),
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "PNG|binary|image"),
    "pickle": (pickle.dumps(Trap()), "pickle|binary"),
    "zip": (zipped(), "zip|Excel"),
    "pdf": (b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n", "PDF"),
    "unclosed quote": (b'text,label\n"never closed,a\nb,c\nd,e\n', "quote"),
    "no labels": (b"text\nsome longer text here\nanother longer text\nand a third one\n", "label"),
    "gzip bomb": (gzip.compress(b"\0" * 300_000_000, 1), "MB|large|binary"),
    "broken gzip": (gzip.compress(table().encode())[:40], "cut off"),
    "broken bzip2": (bz2.compress(table().encode())[:40], "cut off"),
    "json": (b'[{"text": "a", "label": "b"}]', "JSON"),
    "every label empty": (b"text,label\na b c,\nd e f,\ng h i,\n", "label|classes"),
    "other encoding": ("text,label\nこれは本です,良い\n".encode("shift_jis") * 5, "encoding|UTF-8"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("command", ["check", "train"])
def test_a_bad_file_is_one_clear_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], settings: Settings, tmp_path: Path, name: str, command: str
):
    content, said = BAD_FILES[name]
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    if command == "check" and name in ("one class", "every label empty"):
        pytest.skip("the report of these is the answer: a warning")
    extra = ["--strategy", "tfidf"] if command == "train" else []
    code, answer = run(capsys, command, path, *extra)
    assert code == 2, answer
    assert list(answer) == ["error"]
    import re

    assert re.search(said, answer["error"], re.IGNORECASE), answer["error"]
    assert "\n" not in answer["error"]
    assert Store(settings).jobs() == []
    assert path.read_bytes() == content
    assert not Path("/tmp/should-never-exist-transfer-learning").exists()


GOOD_FILES = {
    "BOM": (table().encode("utf-8-sig"), "utf-8-sig", "comma"),
    "UTF-16": (table().encode("utf-16"), "utf-16", "comma"),
    "cp949": (
        table(
            [(f"영화가 좋았다 {at}", "긍정") for at in range(20)]
            + [(f"별로였다 {at}", "부정") for at in range(20)]
        ).encode("cp949"),
        "cp949",
        "comma",
    ),
    "semicolons": (table(delimiter=";").encode(), "utf-8", "semicolon"),
    "tabs": (table(delimiter="\t").encode(), "utf-8", "tab"),
    "gzip": (gzip.compress(table().encode()), "utf-8", "comma"),
    "bzip2": (bz2.compress(table().encode()), "utf-8", "comma"),
    "CR line ends": (table().replace("\n", "\r").encode(), "utf-8", "comma"),
    "fastText": ("".join(f"__label__{label} {text}\n" for text, label in ROWS).encode(), "utf-8", "space"),
    "duplicate columns": (
        table(header="text,label\n").replace("text,label", "text,text").encode(),
        "utf-8",
        "comma",
    ),
    "formulas": (
        table([("=cmd|' /C calc'!A0 " + str(at), "bad") for at in range(10)] + ROWS).encode(),
        "utf-8",
        "comma",
    ),
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_strange_but_good_file_is_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str):
    content, encoding, delimiter = GOOD_FILES[name]
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    code, answer = run(capsys, "check", path)
    assert code == 0, answer
    assert (answer["encoding"], answer["delimiter"]) == (encoding, delimiter)
    assert answer["rows"] >= 40
    assert answer["refused"] == []
    assert sum(answer["classes"].values()) == answer["rows"]


def test_bad_rows_are_refused_with_their_numbers_and_the_rest_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    path = tmp_path / "file.csv"
    content = (
        table().encode() + b"one,two,three\n,bad\nno label,\nnul \x00 byte,bad\n" + b"x" * 100_000 + b",bad\n"
    )
    path.write_bytes(content)
    code, answer = run(capsys, "check", path)
    assert code == 0
    assert answer["rows"] == 40
    assert [each["row"] for each in answer["refused"]] == [42, 43, 44, 45, 46]
    assert all(each["reason"] for each in answer["refused"])


def test_check_counts_classes_and_warns(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path = tmp_path / "file.csv"
    path.write_text(table([*ROWS, ROWS[0], (ROWS[1][0], "bad"), ("rare", "Good ")]), encoding="utf-8")
    code, answer = run(capsys, "check", path)
    assert code == 0
    assert answer["classes"] == {"Good": 1, "bad": 22, "good": 20}
    said = " ".join(answer["warnings"])
    for word in ("differ only by case", "repeat", "different labels", "only 1 rows"):
        assert word in said


def test_groups_stay_whole_from_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    rows = [
        f"{'good fine' if at % 2 else 'bad poor'} {at},{'good' if at % 2 else 'bad'},customer {at // 4}"
        for at in range(80)
    ]
    path, test = tmp_path / "file.csv", tmp_path / "test.csv"
    path.write_text("\n".join(["text,label,customer", *rows]), encoding="utf-8")
    test.write_text("text,label,customer\nfine day,good,customer 1\nbad day,bad,\n", encoding="utf-8")
    _, answer = run(capsys, "check", path, "--group", "customer")
    assert any("20 groups" in warning for warning in answer["warnings"])
    _, answer = run(capsys, "check", path, "--group", "customer", "--test", test)
    assert any("4 rows or their groups stand in the test file" in warning for warning in answer["warnings"])
    code, answer = run(capsys, "train", path, "--group", "customer", "--strategy", "tfidf", "--seeds", 1)
    assert code == 0
    data = read_settings().jobs / answer["job"] / "data"
    train, held = (read_examples(data / f"{part}.jsonl") for part in ("train", "test"))
    assert not set(train.groups) & set(held.groups)
    assert len(set(held.groups)) >= 3
    test.write_text("text,label\nfine day,good\nbad day,bad\n", encoding="utf-8")
    code, _ = run(
        capsys, "train", path, "--group", "customer", "--test", test, "--strategy", "tfidf", "--seeds", 1
    )
    assert code == 0
    code, answer = run(capsys, "train", test, "--group", "customer", "--strategy", "tfidf")
    assert (code, "no column 'customer'" in answer["error"]) == (2, True)


def test_train_answers_with_its_runs_and_the_runs_commands_know_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    path = tmp_path / "file.csv"
    path.write_text(table(), encoding="utf-8")
    code, answer = run(capsys, "train", path, "--strategy", "tfidf", "--seeds", 2, "--set", "strength=3")
    assert code == 0
    assert [each["seed"] for each in answer["runs"]] == [1, 2]
    first = answer["runs"][0]
    keys = {
        "id",
        "strategy",
        "seed",
        "status",
        "accuracy",
        "macro_f1",
        "interval",
        "seconds",
        "trained_parameters",
    }
    assert keys <= set(first)
    assert first["status"] == "done"
    assert first["interval"][0] <= first["accuracy"] <= first["interval"][1]

    code, listed = run(capsys, "runs", "list")
    assert {each["id"] for each in listed["runs"]} == {each["id"] for each in answer["runs"]}
    code, shown = run(capsys, "runs", "show", first["id"])
    assert shown["config"]["strength"] == 3.0
    code, resumed = run(capsys, "runs", "resume", answer["job"])
    assert code == 2
    assert "only a stopped, interrupted or failed job" in resumed["error"]
    code, _ = run(capsys, "runs", "export", first["id"], tmp_path / "run.zip")
    assert code == 0
    code, imported = run(capsys, "runs", "import", tmp_path / "run.zip")
    assert code == 0
    code, _ = run(capsys, "runs", "show", imported["run"])
    assert code == 0
    code, _ = run(capsys, "runs", "delete", answer["job"])
    assert code == 0
    code, listed = run(capsys, "runs", "list")
    assert [each["id"] for each in listed["runs"]] == [imported["run"]]


def test_a_saved_config_is_trained_and_options_go_over_it(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    path, saved = tmp_path / "file.csv", tmp_path / "config.json"
    path.write_text(table(), encoding="utf-8")
    saved.write_text(
        json.dumps(of_strategies(strategies=("tfidf",), seeds=2, per_class=5).to_json()), encoding="utf-8"
    )
    code, answer = run(capsys, "train", path, "--config", saved)
    assert code == 0
    assert [each["seed"] for each in answer["runs"]] == [1, 2]
    code, shown = run(capsys, "runs", "show", answer["runs"][0]["id"])
    assert shown["rows"]["train"] == 10
    code, answer = run(capsys, "train", path, "--config", saved, "--seeds", 1, "--set", "strength=3")
    assert len(answer["runs"]) == 1
    for content in ("[]", '{"settings": []}', '{"settings": {"lora": 3}}', "{"):
        saved.write_text(content, encoding="utf-8")
        code, answer = run(capsys, "train", path, "--config", saved)
        assert code == 2
        assert "config" in answer["error"] or "settings" in answer["error"]


def test_arms_of_one_strategy_have_names_and_settings_of_their_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    path = tmp_path / "file.csv"
    path.write_text(table(), encoding="utf-8")
    code, answer = run(
        capsys, "train", path, "--arm", "Loose: tfidf strength=1000", "--arm", "tfidf strength=0.01"
    )
    assert code == 0, answer
    assert [each["id"].removeprefix(f"{answer['job']}-") for each in answer["runs"]] == ["loose-1", "tfidf-1"]
    assert [each["arm"] for each in answer["runs"]] == ["Loose", "TF-IDF"]
    for arm, said in (
        ("Name: magic", "one of the strategies tfidf"),
        ("tfidf colour=1", "no setting 'colour=1'"),
        ("tfidf strength=-1", "strength must be between"),
        ("tfidf 'strength", "No closing quotation"),
        ("tfidf", "'TF-IDF' stands twice"),
    ):
        code, answer = run(capsys, "train", path, "--strategy", "tfidf", "--arm", arm)
        assert code == 2
        assert said in answer["error"]


@pytest.mark.slow
def test_source_then_target_on_a_tiny_encoder(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    write_tiny_encoder(tmp_path / "tiny", "bert")
    path = tmp_path / "file.csv"
    path.write_text(table(), encoding="utf-8")
    arguments = [
        "train",
        path,
        "--strategy",
        "lora",
        "--encoder",
        tmp_path / "tiny",
        "--source",
        path,
        "--set",
        "epochs=1",
    ]
    code, answer = run(capsys, *arguments)
    assert code == 0, answer
    assert [each["role"] for each in answer["runs"]] == ["source", "zero_shot", "target"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "FILE", "--strategy", "magic"], "no strategy 'magic'"),
        (["train", "FILE", "--set", "epochs"], "NAME=VALUE"),
        (["train", "FILE", "--set", "colour=3"], "no chosen strategy has a setting"),
        (["train", "FILE", "--set", "epochs=many"], "epochs must be a whole number"),
        (["train", "FILE", "--set", "lora.rank=0"], "rank must be between"),
        (["train", "FILE", "--seeds", "11"], "seeds must be between 0 and 10"),
        (["train", "FILE", "--seeds", "x"], "invalid int value"),
        (["train", "nowhere.csv"], "nowhere.csv"),
        (["train", "FILE", "--label", "colour"], "colour"),
        (["train", "FILE", "--encoder", "../../nothing"], "no encoder"),
        (["train", "FILE", "--source", "20200101-000000-abcd-lora-1"], "no run"),
        (["predict", "../x", "FILE", "--out", "o.csv"], "not the id"),
        (["predict", "20200101-000000-abcd-lora-1", "FILE", "--out", "o.csv"], "no run"),
        (["runs", "delete", "20200101-000000-abcd"], "no run"),
        (["runs", "import", "FILE"], "zip"),
        (["magic"], "invalid choice"),
        ([], "required"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], said: str
):
    path = tmp_path / "file.csv"
    path.write_text(table(), encoding="utf-8")
    code, answer = run(capsys, *[path if each == "FILE" else each for each in arguments])
    assert code == 2
    assert said.lower() in answer["error"].lower()


def test_an_import_of_a_missing_file_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    code, answer = run(capsys, "runs", "import", tmp_path / "nowhere.zip")
    assert code == 2
    assert "nowhere.zip" in answer["error"]


def test_importing_the_engine_loads_nothing_heavy():
    code = (
        "import sys, tl_core, tl_core.__main__\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'peft', 'streamlit', 'plotly', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)


def test_devices_names_at_least_the_cpu(capsys: pytest.CaptureFixture[str]):
    code, answer = run(capsys, "devices")
    assert code == 0
    assert answer["devices"][-1]["kind"] == "cpu"
    assert answer["devices"][-1]["memory"] > 0
