"""What is printed, and how other processes are started, whatever the system's code page."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core import processes
from tl_core.processes import run_beside
from tl_core.pythons import this_python
from tl_core.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
HALF = b"co\xffee"  # no UTF-8: half of the argument is lost to Python


@pytest.mark.skipif(sys.platform == "win32", reason="there an argument is text, never bytes")
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_an_argument_that_is_no_text_ends_in_one_clear_line(json: list[str]):
    ended = subprocess.run(
        [sys.executable, "-m", "tl_core", "neighbours", HALF, "--vectors", "no-such", *json],
        capture_output=True,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "cp949"},
    )
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr
    assert ended.stderr.startswith(b"error: ")


def test_a_process_beside_is_read_as_utf8_whatever_the_code_page(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONIOENCODING", "cp949")
    monkeypatch.setenv("PYTHONUTF8", "0")
    assert run_beside(["-c", "print('좋음 🙂 ü')"], settings, 60).stdout.strip() == "좋음 🙂 ü"


def test_certificates_come_from_certifi_where_python_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Python of python.org for macOS: no file, and a folder that is empty until a script is run."""
    import certifi

    def paths(**given: str | None) -> None:
        known = dict.fromkeys(ssl.DefaultVerifyPaths._fields)
        monkeypatch.setattr(
            processes.ssl, "get_default_verify_paths", lambda: ssl.DefaultVerifyPaths(**known | given)
        )

    paths(capath=str(tmp_path))
    assert processes._certificates() == {"SSL_CERT_FILE": certifi.where()}
    paths()
    assert processes._certificates() == {"SSL_CERT_FILE": certifi.where()}
    (tmp_path / "0a1b.0").touch()
    paths(capath=str(tmp_path))
    assert processes._certificates() == {}
    paths(cafile="/etc/ssl/cert.pem")
    assert processes._certificates() == {}


@pytest.mark.parametrize(
    ("executable", "platform", "called"),
    [
        (str(PROJECT / ".venv" / "bin" / "python"), "linux", str(Path(".venv") / "bin" / "python")),
        ("/usr/bin/python3", "darwin", "/usr/bin/python3"),
        ("/my envs/python", "linux", '"/my envs/python"'),
        ("/my envs/python", "win32", '& "/my envs/python"'),
    ],
)
def test_this_python_is_called_as_it_can_be_typed(executable: str, platform: str, called: str):
    assert this_python(executable, platform) == called.replace("/", os.sep if "my" not in called else "/")
