"""Word vectors on the command line, on small sets that the tests make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.vectors.made_vectors import random_vectors, royal_vectors
from tl_core.__main__ import main
from tl_core.data.samples import sample_corpus
from tl_core.vectors.files.read import write_word2vec_text


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    code = main([str(each) for each in arguments] + ["--json"])
    out = capsys.readouterr().out.strip()
    assert out.count("\n") == 0, "one JSON object on stdout"
    return code, json.loads(out)


@pytest.fixture
def royal(tmp_path: Path) -> Path:
    vectors = royal_vectors()
    write_word2vec_text(tmp_path / "royal.txt", vectors.words, vectors.rows)
    return tmp_path / "royal.txt"


def test_neighbours_are_listed_for_each_word(capsys, royal: Path):
    code, said = run(capsys, "neighbours", "king", "Queen", "--vectors", royal, "-k", 2)
    assert code == 0
    assert [each["of"] for each in said["neighbours"]] == ["king", "king", "Queen", "Queen"]
    assert said["neighbours"][0]["word"] == "man"
    _, cut = run(capsys, "neighbours", "king", "--vectors", royal, "--first", 2)
    assert {each["word"] for each in cut["neighbours"]} == {"man", "woman"}


def test_an_analogy_is_solved_by_any_method(capsys, royal: Path):
    for method in ("add", "mul", "pair", "euclidean"):
        _, said = run(capsys, "analogy", "king-man+woman", "--vectors", royal, "--method", method, "-k", 1)
        assert said["answers"][0]["word"] == "queen"
        assert said["formula"] == "king - man + woman"
    _, said = run(capsys, "analogy", "king + 0 * man", "--vectors", royal, "--include-inputs", "-k", 1)
    assert said["answers"] == [{"word": "king", "score": pytest.approx(1.0)}]


def test_similarity_is_the_cosine(capsys, royal: Path):
    assert run(capsys, "similarity", "man", "man", "--vectors", royal)[1]["similarity"] == pytest.approx(1)


def test_vectors_are_evaluated_on_a_file_of_either_form(capsys, royal: Path, tmp_path: Path):
    (tmp_path / "analogies.txt").write_text(
        ": royal\nman king woman queen\nman king woman apple\n", encoding="utf-8"
    )
    _, said = run(capsys, "evaluate-vectors", "--set", tmp_path / "analogies.txt", "--vectors", royal)
    assert (said["accuracy"], said["covered"], said["total"]) == (0.5, 2, 2)
    assert said["sections"] == [{"name": "royal", "accuracy": 0.5, "covered": 2}]
    (tmp_path / "pairs.tsv").write_text(
        "king\tqueen\t9\nman\twoman\t5\nking\tapple\t0\nking\tthrone\t8\n", encoding="utf-8"
    )
    _, said = run(capsys, "evaluate-vectors", "--set", tmp_path / "pairs.tsv", "--vectors", royal)
    assert (said["spearman"], said["covered"], said["total"]) == (pytest.approx(1.0), 3, 4)


def test_learned_vectors_are_a_run_that_other_commands_take(capsys, tmp_path: Path):
    (tmp_path / "corpus.txt").write_text(sample_corpus(), encoding="utf-8")
    settings = ["--set", "epochs=2", "--set", "width=8", "--set", "min_count=2"]
    code, said = run(capsys, "learn-vectors", tmp_path / "corpus.txt", "--method", "cbow", *settings)
    assert code == 0
    assert said["words"] > 50
    assert said["seconds"] > 0
    _, near = run(capsys, "neighbours", "ice", "--vectors", said["run"], "-k", 3)
    assert len(near["neighbours"]) == 3
    out = tmp_path / "out.txt"
    _, saved = run(capsys, "save-vectors", said["run"], out)
    assert saved["words"] == said["words"]
    _, again = run(capsys, "neighbours", "ice", "--vectors", out, "-k", 3)
    assert [each["word"] for each in again["neighbours"]] == [each["word"] for each in near["neighbours"]]
    assert main(["runs", "export", said["run"], str(tmp_path / "run.zip")]) == 2
    assert "save-vectors" in capsys.readouterr().err
    assert main(["runs", "list"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["neighbours", "kin"], "Did you mean king"),
        (["neighbours", "king", "-k", "0"], "k must be at least 1"),
        (["neighbours", "king", "--vectors", "nowhere"], "neither a file nor word vectors that are here"),
        (["neighbours", "king", "--vectors", "20260101-000000-abcd"], "There is no run"),
        (["analogy", "king -"], "A word is missing"),
        (["analogy", "king - man", "--method", "pair"], "needs a formula b - a + c"),
        (["evaluate-vectors", "--set", "nowhere"], "must be a file or one of google"),
        (["learn-vectors", "nowhere.txt"], "cannot be opened"),
        (["learn-vectors", "{royal}", "--set", "speed=3"], "--set takes NAME=VALUE with one of method"),
        (["learn-vectors", "{royal}", "--set", "epochs=0"], "epochs must be between 1 and 200"),
        (["save-vectors", "{royal}", "/no/such/folder/out.txt"], "is not a folder"),
    ],
)
def test_a_mistake_is_one_clear_line(capsys, royal: Path, arguments: list[str], message: str):
    given = [each.replace("{royal}", str(royal)) for each in arguments]
    if given[0] != "save-vectors" and given[0] != "learn-vectors" and "--vectors" not in given:
        given += ["--vectors", str(royal)]
    code, said = run(capsys, *given)
    assert code == 2
    assert message in said["error"]


def test_a_file_is_loaded_once(royal: Path, home: Path, capsys):
    for _ in range(2):
        run(capsys, "similarity", "man", "king", "--vectors", royal)
    assert len(list((home / "vectors").glob("file-*"))) == 1


def test_a_query_imports_no_torch(tmp_path: Path):
    import subprocess
    import sys

    vectors = random_vectors(50, 4)
    write_word2vec_text(tmp_path / "v.txt", vectors.words, vectors.rows)
    code = (
        "import sys; from tl_core.__main__ import main; "
        f"main(['neighbours', 'w1', '--vectors', {str(tmp_path / 'v.txt')!r}]); "
        "print(sorted({'torch', 'transformers', 'gensim', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
