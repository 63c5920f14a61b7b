from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.exchange.elsewhere import run_elsewhere
from tests.jobs.jobs import finished, small_config
from tl_core.data.examples import read_examples
from tl_core.errors import DataError, ModelError, RunError, TLError
from tl_core.exchange.zips import export_run, import_run
from tl_core.runs.store import Run, Store
from tl_core.settings import Settings
from tl_core.tasks.classify.saved import load_classifier, predict

TEXTS = ["good fine nice", "bad sad ill poor", "", "!!!"]


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def one_run(store: Store, folder: Path, name: str, family: str = "bert") -> Run:
    job = finished(store, small_config(folder, (name,), family))
    [run] = store.runs_of(job.id)
    return run


@pytest.mark.parametrize(
    "name", ["tfidf", "bow", "bag", "cnn", "frozen", "contrastive", "lora", "top-layers", "full"]
)
def test_an_exported_run_comes_back_with_the_same_predictions(store: Store, tmp_path: Path, name: str):
    run = one_run(store, tmp_path, name)
    out = tmp_path / "run.zip"
    assert export_run(store, run.id, out) == out.stat().st_size
    again = import_run(store, out)
    assert again.id != run.id
    assert again.status == "done"
    assert again.record.report == run.record.report
    first, second = (
        predict(load_classifier(each.model, store.settings, device="cpu"), TEXTS) for each in (run, again)
    )
    assert np.allclose(first, second, atol=2e-3)  # a base from a local folder is carried in float16
    assert export_run(store, again.id, tmp_path / "again.zip") > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("tfidf", "bert"),
        ("bow", "bert"),
        ("cnn", "bert"),
        ("frozen", "gpt2"),
        ("lora", "bert"),
        ("lora", "xlnet"),
        ("full", "roberta"),
    ],
)
def test_predict_py_of_a_zip_needs_nothing_of_this_project(
    store: Store, tmp_path: Path, name: str, family: str
):
    run = one_run(store, tmp_path, name, family)
    export_run(store, run.id, tmp_path / "run.zip")
    place = tmp_path / "elsewhere"
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(place)
    texts = TEXTS[:2]
    ended = run_elsewhere(place, *texts)
    assert ended.returncode == 0, ended.stderr
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    classifier = load_classifier(run.model, store.settings, device="cpu")
    wanted = predict(classifier, texts)
    for row, answer in zip(wanted, answers, strict=True):
        assert [answer["probabilities"][label] for label in classifier.classes] == pytest.approx(
            row, abs=2e-3
        )


def test_the_zip_holds_a_card_and_no_pickle(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path, "lora")
    export_run(store, run.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        names = archive.namelist()
        card = archive.read("README.md").decode()
        config = archive.read("adapter/adapter_config.json").decode()
    assert not [each for each in names if each.endswith((".bin", ".pkl", ".pt"))]
    assert f"{run.record.report['accuracy']:.3f}" in card
    assert str(tmp_path) not in card + config


def rewritten(source: Path, out: Path, changes: dict[str, bytes | None]) -> Path:
    """A copy of a zip with entries replaced, added, or (None) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return out


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/should-never-exist-transfer-learning",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"../evil.json": b"{}"}, "no exported run has"),
        ({"/etc/evil.json": b"{}"}, "no exported run has"),
        ({"adapter/../../evil.json": b"{}"}, "no exported run has"),
        ({"model.pkl": pickle.dumps(Boom())}, "pickles"),
        ({"pytorch_model.bin": pickle.dumps(Boom())}, "pickles"),
        ({"head.safetensors": pickle.dumps(Boom())}, "not a safetensors file"),
        ({"head.safetensors": None}, "lacks head.safetensors"),
        ({"labels.json": b'["other", "classes"]'}, "different classes"),
        ({"labels.json": b"not json"}, "not that of an exported run"),
        ({"reader.json": b"{}"}, "of its task"),
        ({"tokenizer.json": None}, "lacks tokenizer.json"),
        ({"record.json": None}, "no record.json"),
        ({"record.json": b"[]"}, "not that of an exported run"),
        ({"encoder.json": b'{"base": {"kind": "folder", "name": "/etc"}}'}, None),
        (
            {"encoder.json": b'{"base": {"kind": "hub", "name": "../../x"}}', "base/model.safetensors": None},
            "names no encoder",
        ),
    ],
)
def test_a_hostile_zip_is_refused_and_leaves_nothing(
    store: Store, tmp_path: Path, changes: dict[str, bytes | None], said: str | None
):
    run = one_run(store, tmp_path, "frozen")
    export_run(store, run.id, tmp_path / "run.zip")
    bad = rewritten(tmp_path / "run.zip", tmp_path / "bad.zip", changes)
    before = sorted(store.settings.runs.iterdir())
    if said is None:  # the base is in the zip, whatever path it named
        place = import_run(store, bad).model / "encoder.json"
        assert "/etc" not in place.read_text(encoding="utf-8")
        return
    with pytest.raises(TLError, match=said):
        import_run(store, bad)
    assert sorted(store.settings.runs.iterdir()) == before
    assert not Path("/tmp/should-never-exist-transfer-learning").exists()


@pytest.mark.parametrize(("name", "loaded"), [("tfidf", False), ("lora", True)])
def test_a_zip_of_before_its_loader_was_a_file_of_its_own_is_still_taken(
    store: Store, tmp_path: Path, name: str, loaded: bool
):
    run = one_run(store, tmp_path, name)
    export_run(store, run.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert ("base_encoder.py" in archive.namelist()) == loaded
    old = rewritten(tmp_path / "run.zip", tmp_path / "old.zip", {"base_encoder.py": None})
    assert import_run(store, old).record.report == run.record.report


def test_what_is_no_zip_or_no_finished_run_is_refused(store: Store, tmp_path: Path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match="not a readable zip"):
        import_run(store, path)
    with pytest.raises(RunError, match="no run"):
        export_run(store, "20200101-000000-abcd-lora-1", path)


def test_a_base_in_a_folder_of_another_machine_that_is_not_carried_is_refused(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path, "lora")
    export_run(store, run.id, tmp_path / "run.zip")
    bad = rewritten(tmp_path / "run.zip", tmp_path / "bad.zip", {"base/model.safetensors": None})
    with pytest.raises(ModelError, match="another machine"):
        import_run(store, bad)


def test_predicting_a_file_keeps_its_columns_and_neutralises_formulas(store: Store, tmp_path: Path):
    from tl_core.__main__ import main
    from tl_core.data.tables import read_table_file

    run = one_run(store, tmp_path, "tfidf")
    test = read_examples(store.job(run.record.job).folder / "data" / "test.jsonl")
    source = tmp_path / "in.csv"
    source.write_text(
        "id,text\n1,=SUM(A1)\n" + "".join(f"{at},{text}\n" for at, text in enumerate(test.texts)),
        encoding="utf-8",
    )
    assert main(["predict", run.id, str(source), "--out", str(tmp_path / "out.csv"), "--json"]) == 0
    table = read_table_file(tmp_path / "out.csv")
    assert table.columns == ("id", "text", "predicted", "probability")
    assert table.rows[0][1] == "'=SUM(A1)"
    assert len(table.rows) == len(test) + 1
    assert {row[2] for row in table.rows} <= {"good", "bad"}
    assert all(0.5 <= float(row[3]) <= 1 for row in table.rows)
