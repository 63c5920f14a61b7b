"""The Python that runs this, and the versions that may. Written so that an older Python can read it and say the line."""

import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)  # the packages of requirements.txt have wheels for these


def refusal(version: "tuple[int, int]" = sys.version_info[:2]) -> str:
    """One line for a Python that this project does not run on, with the cure; empty for the others."""
    if OLDEST <= version <= NEWEST:
        return ""
    oldest, newest, this = (".".join(map(str, parts)) for parts in (OLDEST, NEWEST, version))
    return f"This project runs on Python {oldest} to {newest}; this is {this}. Make the environment anew with one of them."


def this_python(executable: str = sys.executable, platform: str = sys.platform) -> str:
    """This Python as it is called in a terminal in the project's folder: `.venv/bin/python`, whatever is activated."""
    path, project = Path(executable), Path(__file__).resolve().parents[1]
    text = str(path.relative_to(project) if path.is_relative_to(project) else path)
    if " " not in text:
        return text
    return f'& "{text}"' if platform == "win32" else f'"{text}"'  # PowerShell runs a quoted path after &
