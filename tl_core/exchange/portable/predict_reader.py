"""Answer a question from a text with an exported reader; needs only what requirements.txt beside this file names.

    python predict.py --passage FILE --question "Who?"             prints one JSON line
    python predict.py --passage FILE --question "Who?" --top 3     with at most three answers
    python predict.py --base FOLDER ...                            where the base encoder lies in FOLDER

FILE is plain text in UTF-8; `start` and `end` of an answer count its characters. A score is by how much
the answer beats 'no answer', `no_answer_score` the opposite for the best one. Korean particles at an
answer's end are kept.

This file is copied into every exported reader's zip; `tl_core/` beside it holds what it shares with the project that
wrote it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from base_encoder import load_encoder, read_facts

from tl_core.console import plain_errors, speak_utf8
from tl_core.encoders.batches import pad
from tl_core.errors import DataError
from tl_core.tasks.read.answers import keep_best
from tl_core.tasks.read.decode import Logits
from tl_core.tasks.read.spans import (
    LONGEST_ANSWER,
    MAX_TOKENS,
    OVERLAP,
    best_first,
    fitted_window,
    window_spans,
)
from tl_core.text.tokens import load_tokenizer
from tl_core.text.windows import Window, check_question, pair_form, tokenise, windows

FOLDER = Path(__file__).resolve().parent
UNLIMITED_TOKENS = 512  # for encoders with relative positions


class Reader:
    """The encoder with its span head."""

    def __init__(self, base: str = "") -> None:
        from safetensors.torch import load_file

        self.facts, self.tokenizer = read_facts(), load_tokenizer(FOLDER)
        self.encoder, self.head = load_encoder(base, self.facts), load_file(FOLDER / "head.safetensors")
        self.form = pair_form(self.tokenizer)
        positions = getattr(self.encoder.config, "max_position_embeddings", None) or 0
        most = positions - self.facts["position_offset"] if positions > 0 else UNLIMITED_TOKENS
        self.max_tokens, self.overlap = fitted_window(MAX_TOKENS, OVERLAP, most)

    def ask(self, question: str, passage: str, top: int) -> list[dict[str, Any]]:
        """At most `top` answers, best first, none overlapping another."""
        asked, read = tokenise(self.tokenizer, [question, passage])
        check_question(self.form, asked, self.max_tokens, self.overlap)
        if not len(read):
            return []
        shown = windows(self.form, asked, read, max_tokens=self.max_tokens, overlap=self.overlap)
        spans = [
            window_spans(window, number, *self.logits(window), LONGEST_ANSWER)
            for number, window in enumerate(shown)
        ]
        return [
            {"text": answer.text, "start": answer.start, "end": answer.end, "score": answer.score}
            for answer in keep_best(best_first(passage, read, spans), passage, top)
        ]

    def logits(self, window: Window) -> tuple[Logits, Logits, float]:
        """Start and end logits of a window's passage tokens, and their sum at the null position."""
        import torch

        batch = pad([window.encoded], self.facts["pad_id"], type_ids=self.facts["token_types"])
        with torch.inference_mode():
            hidden = self.encoder(**batch).last_hidden_state[0]
            logits = (hidden @ self.head["weight"].float().T + self.head["bias"].float()).numpy()
        start, end = logits[window.first : window.first + window.count].T
        return start, end, float(logits[window.null].sum())


@plain_errors()
def main() -> None:
    speak_utf8()
    parser = argparse.ArgumentParser(description="Answer a question from a text with this reader.")
    parser.add_argument("--passage", type=Path, required=True, help="a text file in UTF-8")
    parser.add_argument("--question", required=True)
    parser.add_argument("--top", type=int, default=3, help="the most answers to give")
    parser.add_argument("--base", default="", help="folder or hub name of the base encoder")
    options = parser.parse_args()
    try:
        passage = options.passage.read_bytes().decode("utf-8-sig")  # line ends are counted as they are
    except (OSError, ValueError) as error:
        raise DataError(
            "{passage} cannot be read as text in UTF-8 ({error}).", passage=options.passage, error=error
        ) from None
    if not passage.strip() or not options.question.strip() or options.top < 1:
        raise DataError("Give a passage with text in it, a question, and a --top of 1 or more.")
    answers = Reader(options.base).ask(options.question, passage, options.top)
    no_answer = -answers[0]["score"] if answers else None
    print(json.dumps({"answers": answers, "no_answer_score": no_answer}, ensure_ascii=False))


if __name__ == "__main__":
    main()
