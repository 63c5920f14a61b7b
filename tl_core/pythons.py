"""Versions of Python that this project runs on. Written so that an older Python can read it and say the line."""

import sys

OLDEST, NEWEST = (3, 11), (3, 13)  # the packages of requirements.txt have wheels for these


def refusal(version: "tuple[int, int]" = sys.version_info[:2]) -> str:
    """One line for a Python that this project does not run on, with the cure; empty for the others."""
    if OLDEST <= version <= NEWEST:
        return ""
    oldest, newest, this = (".".join(map(str, parts)) for parts in (OLDEST, NEWEST, version))
    return f"This project runs on Python {oldest} to {newest}; this is {this}. Make the environment anew with one of them."
