"""The files of the engine that exported runs carry: all that a script needs, and nothing heavy."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.exchange.test_zips import one_run, rewritten
from tl_core.errors import DataError
from tl_core.exchange.carried import ANY_CARRIED, ENGINE, SCRIPTS, carried, carry, imported
from tl_core.exchange.zips import export_run, import_run
from tl_core.runs.store import Store
from tl_core.settings import Settings

PROJECT = ENGINE.parent
NAMES = sorted(path.name for path in SCRIPTS.glob("predict_*.py"))
CONTRACT = "Files that exported runs carry stay light"
LIGHT = ("numpy",)


def modules(script: str) -> list[str]:
    """What a script carries, as Python names it."""
    names = (".".join(file.relative_to(PROJECT).with_suffix("").parts) for file in carried(SCRIPTS / script))
    return [each.removesuffix(".__init__") for each in names]


@pytest.mark.parametrize("script", NAMES)
def test_what_is_carried_is_closed_under_imports(tmp_path: Path, script: str):
    files = carried(SCRIPTS / script)
    names = {*modules(script)}
    assert names
    for file in files:
        for each in imported(file):
            assert each in names or each.rpartition(".")[0] in names, f"{file} imports {each}"
        assert ANY_CARRIED.fullmatch(file.relative_to(PROJECT).as_posix())


@pytest.mark.parametrize("script", NAMES)
def test_what_is_carried_is_as_it_is_here_and_loads_alone_and_light(tmp_path: Path, script: str):
    carry(script, tmp_path)
    files = [file.relative_to(tmp_path) for file in tmp_path.rglob("*.py")]
    assert sorted(PROJECT / each for each in files) == carried(SCRIPTS / script)
    assert all((tmp_path / each).read_bytes() == (PROJECT / each).read_bytes() for each in files)
    known = f"{{*sys.stdlib_module_names, 'tl_core', *{LIGHT!r}}}"
    told = (
        f"import importlib, sys; sys.path.insert(0, {str(tmp_path)!r}); before = set(sys.modules)\n"
        f"for name in {modules(script)!r}: importlib.import_module(name)\n"
        f"print({{name.partition('.')[0] for name in set(sys.modules) - before}} - {known})\n"
        f"print(all(each.__file__.startswith({str(tmp_path)!r}) for name, each in sys.modules.items() if "
        f"name.startswith('tl_core')))"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", told], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True
    )
    assert ended.stdout.splitlines() == ["set()", "True"]


def test_the_contract_names_all_that_is_carried():
    with (PROJECT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    [contract] = [each for each in contracts if each["name"] == CONTRACT]
    packages = {".".join(file.parent.relative_to(PROJECT).parts) for file in ENGINE.rglob("__init__.py")}
    wanted = {name for script in NAMES for name in modules(script)} - packages
    assert sorted(contract["source_modules"]) == sorted(wanted)


def test_code_of_a_foreign_zip_is_never_taken_over(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path, "bow")
    export_run(store, run.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert "tl_core/console.py" in archive.namelist()
    bad = b"raise SystemExit('run')"
    foreign = {"tl_core/console.py": bad, "tl_core/more/evil.py": bad, "predict.py": bad}
    again = import_run(store, rewritten(tmp_path / "run.zip", tmp_path / "foreign.zip", foreign))
    assert not [file for file in again.folder.rglob("*") if file.suffix == ".py" or file.name == "tl_core"]


@pytest.mark.parametrize(
    "name",
    [
        "tl_core/../evil.py",
        "/tl_core/a.py",
        "tl_core/a.pkl",
        "other/a.py",
        "tl_core/a.py\n",
        "a/tl_core/a.py",
    ],
)
def test_only_code_where_the_engine_lies_is_passed_over(store: Store, tmp_path: Path, name: str):
    run = one_run(store, tmp_path, "bow")
    export_run(store, run.id, tmp_path / "run.zip")
    with pytest.raises(DataError, match="no exported run has"):
        import_run(store, rewritten(tmp_path / "run.zip", tmp_path / "bad.zip", {name: b""}))


def test_a_zip_of_before_files_of_the_engine_went_along_is_still_taken(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path, "bow")
    export_run(store, run.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        ours = {name: None for name in archive.namelist() if name.startswith("tl_core/")}
    old = rewritten(tmp_path / "run.zip", tmp_path / "old.zip", ours)
    assert import_run(store, old).record.report == run.record.report


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)
