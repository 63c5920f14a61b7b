"""A window opened up for looking into: its words, which tokens are theirs, where the answer stands.

Shapes: Q and P words of the question and of the passage's part in the window, n passage tokens,
T tokens in all. A word is what stands between white space; one without a token is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_core.tasks.read.network import make_batch
from tl_core.tasks.read.reader import Reader
from tl_core.text.places import Place, Places
from tl_core.text.windows import TokenisedText, Window, span_characters

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window with its words and the answer in it; positions are those of its T tokens.

    `read` are its n passage tokens with their offsets in the whole passage. `question_of` and
    `passage_of` are (T,): the number of each token's word, -1 for none. `answer` is the first and
    the last position of the answer.
    """

    window: Window
    passage: str
    read: TokenisedText
    question_words: tuple[Place, ...]
    question_of: Places
    passage_words: tuple[Place, ...]
    passage_of: Places
    answer: tuple[int, int]

    def text_of(self, first: int, last: int) -> str:
        """What the passage tokens `first` to `last` spell; nothing if they are crossed."""
        if last < first:
            return ""
        start, end = span_characters(self.passage, self.read, first, last)
        return self.passage[start:end]


def window_inputs(reader: Reader, opened: OpenWindow) -> dict[str, torch.Tensor]:
    """The one window as a batch: nothing is padded, so positions stay."""
    device = next(reader.network.parameters()).device
    return make_batch(reader.encoder, [opened.window], device).inputs
