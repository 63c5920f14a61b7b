"""`attention` and `attribute` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import write_tiny_encoder
from tests.jobs.jobs import finished, small_config
from tl_core.__main__ import main
from tl_core.runs.store import Store

TEXT = "a good new film"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TL_HOME", str(tmp_path / "home"))
    return write_tiny_encoder(tmp_path / "tiny", "bert")


def test_all_matrices_of_a_short_text_are_printed(capsys, encoder: Path) -> None:
    code, said = run(capsys, "attention", TEXT, "--encoder", encoder)
    assert code == 0
    matrices = np.array(said["matrices"])
    assert matrices.shape == (2, 4, 6, 6)
    assert matrices.sum(-1) == pytest.approx(np.ones((2, 4, 6)), abs=1e-4)
    assert said["words"] == TEXT.split()
    assert said["word_of"] == [-1, 0, 1, 2, 3, -1]
    assert said["offsets"][2] == [2, 6]


def test_one_matrix_is_that_of_all(capsys, encoder: Path) -> None:
    _, every = run(capsys, "attention", TEXT, "--encoder", encoder)
    _, one = run(capsys, "attention", TEXT, "--encoder", encoder, "--layer", 2, "--head", 3)
    assert one["matrices"] == every["matrices"][1][2]


def test_a_pair_is_read_as_one(capsys, encoder: Path) -> None:
    _, said = run(capsys, "attention", "a film", "--pair", "the story", "--encoder", encoder)
    assert said["sides"] == [-1, 0, 0, -1, 1, 1, -1]


def test_everything_can_be_written_to_a_file(capsys, encoder: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps.npz"
    _, said = run(capsys, "attention", TEXT, "--encoder", encoder, "--out", out)
    assert "matrices" not in said
    with np.load(out, allow_pickle=False) as kept:
        assert kept["matrices"].shape == (2, 4, 6, 6)
        assert kept["words"].tolist() == TEXT.split()


def test_many_tokens_want_one_head_or_a_file(capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tl_core.commands.attention.MOST_PRINTED_TOKENS", 5)
    encoder = write_tiny_encoder(tmp_path / "tiny", "bert")
    code, said = run(capsys, "attention", TEXT, "--encoder", encoder)
    assert code == 2
    assert "--layer and --head" in said["error"]
    assert "--out FILE.npz" in said["error"]
    assert run(capsys, "attention", TEXT, "--encoder", encoder, "--layer", 1, "--head", 1)[0] == 0


def test_a_long_text_is_shown_in_parts(capsys, encoder: Path) -> None:
    text = "the good film " * 60
    _, first = run(capsys, "attention", text, "--encoder", encoder, "--layer", 1, "--head", 1)
    assert first["parts"] > 2
    _, last = run(
        capsys, "attention", text, "--encoder", encoder, "--layer", 1, "--head", 1, "--part", first["parts"]
    )
    assert last["part"] == first["parts"]


@pytest.mark.parametrize("method", ["gradxinput", "ig", "occlusion"])
def test_a_prediction_is_attributed_to_words(capsys, tmp_path: Path, settings, method: str) -> None:
    store = Store(settings)
    job = finished(store, small_config(tmp_path, ("lora",)))
    name = store.runs_of(job.id)[0].id
    code, said = run(capsys, "attribute", TEXT, "--run", name, "--method", method)
    assert code == 0
    assert said["target"] in ("good", "bad")
    assert len(said["scores"]) == 4
    assert (said["completeness_error"] is None) == (method != "ig")
    _, other = run(capsys, "attribute", TEXT, "--run", name, "--method", method, "--target", "bad")
    assert other["target"] == "bad"
    code, said = run(capsys, "attribute", TEXT, "--run", name, "--target", "ugly")
    assert code == 2
    assert "--target must be one of" in said["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["attention", ""], "nothing to read"),
        (["attention", "  "], "nothing to read"),
        (["attention", TEXT, "--layer", "1"], "go together"),
        (["attention", TEXT, "--layer", "3", "--head", "1"], "--layer must be 1 to 2"),
        (["attention", TEXT, "--part", "2"], "--part must be between 1 and 1"),
        (["attention", TEXT, "--out", "/no/such/folder/maps.npz"], "--out must name"),
        (["attention", TEXT, "--out", "maps.txt"], "--out must name"),
    ],
)
def test_a_mistake_is_one_clear_line(capsys, encoder: Path, arguments: list[str], message: str) -> None:
    code, said = run(capsys, *arguments, "--encoder", encoder)
    assert code == 2
    assert message in said["error"]


def test_a_bare_encoder_has_nothing_to_attribute(capsys, encoder: Path) -> None:
    code, said = run(capsys, "attribute", TEXT, "--run", encoder)
    assert code == 2
    assert "predicts nothing" in said["error"]
