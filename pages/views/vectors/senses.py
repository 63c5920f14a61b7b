"""Worked examples for one word in several sentences: the same written word, in senses that are known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Senses:
    """A word, and sentences that hold it in this very form, by what it means there."""

    title: str
    word: str
    sentences: dict[str, tuple[str, ...]]

    @property
    def sense_of(self) -> dict[str, str]:
        """The sense of the word in each of the sentences."""
        return {sentence: sense for sense, group in self.sentences.items() for sentence in group}


PLAY = Senses(
    "play",
    "play",
    {
        "music": (
            "She can play the piano very well.",
            "Every evening they play the guitar by the fire.",
            "Would you play that song on your violin again?",
        ),
        "stage": (
            "Shakespeare wrote the play in four weeks.",
            "The play was shown in a small theatre and later became a film.",
            "After the play the actors bowed before the curtain.",
        ),
        "game": (
            "The children play football after school.",
            "We play chess in the park on Sundays.",
            "He wants to play hockey for his country.",
        ),
    },
)
BANK = Senses(
    "bank",
    "bank",
    {
        "river": (
            "They sat on the bank of the river and fished.",
            "Reeds grow along the muddy bank of the stream.",
            "The boat was tied to a tree on the bank.",
        ),
        "money": (
            "She opened an account at the bank.",
            "The bank raised its interest rates again.",
            "He asked the bank for a loan to buy a house.",
        ),
    },
)
PEAR = Senses(
    "배 (pear, ship, belly)",
    "배",
    {
        "pear": (
            "가을에는 달고 시원한 배를 깎아 먹는다.",
            "시장에서 사과와 배를 한 상자 샀다.",
            "잘 익은 배가 나무에 열렸다.",
        ),
        "ship": (
            "어부들이 배를 타고 바다로 나갔다.",
            "항구에 큰 배가 들어왔다.",
            "섬에 가려면 배를 두 시간 타야 한다.",
        ),
        "belly": (
            "너무 많이 먹어서 배가 아프다.",
            "아기가 엎드리자 배가 눌렸다.",
            "하루 종일 굶었더니 배가 고프다.",
        ),
    },
)
PRESETS = (PLAY, BANK, PEAR)
