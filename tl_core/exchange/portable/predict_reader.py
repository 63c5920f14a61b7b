"""Answer a question from a text with an exported reader; needs only what requirements.txt beside this file names.

    python predict.py --passage FILE --question "Who?"             prints one JSON line
    python predict.py --passage FILE --question "Who?" --top 3     with at most three answers
    python predict.py --base FOLDER ...                            where the base encoder lies in FOLDER

FILE is plain text in UTF-8; `start` and `end` of an answer count its characters. A score is by how much
the answer beats 'no answer', `no_answer_score` the opposite for the best one. Korean particles at an
answer's end are kept.

This file is copied into every exported reader's zip; it imports nothing of the project that wrote it.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from base_encoder import load_encoder, load_tokenizer, read_facts

FOLDER = Path(__file__).resolve().parent
MAX_TOKENS, OVERLAP, LONGEST_ANSWER = 384, 128, 30
UNLIMITED_TOKENS = 512  # for encoders with relative positions
METASPACE = "▁"
RAW_SPANS = 200  # of each window, of which overlapping ones fall together

Found = tuple[float, int, int]  # score, then first and last token or start and end in characters


@dataclass(frozen=True)
class PairForm:
    """How the tokenizer joins two texts: special ids before, between and after, and all type ids."""

    before: list[int]
    between: list[int]
    after: list[int]
    types_before: list[int]
    types_between: list[int]
    types_after: list[int]
    type_question: int
    type_passage: int

    @property
    def special(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)


@dataclass(frozen=True)
class Window:
    """T tokens, of which `count` from `first` on are the passage's from `at` on; `null` means 'no answer'."""

    ids: list[int]
    type_ids: list[int]
    first: int
    count: int
    at: int
    null: int


class Reader:
    """The encoder with its span head."""

    def __init__(self, base: str = "") -> None:
        from safetensors.torch import load_file

        self.facts, self.tokenizer = read_facts(), load_tokenizer()
        self.encoder, self.head = load_encoder(base, self.facts), load_file(FOLDER / "head.safetensors")
        self.form = pair_form(self.tokenizer)
        positions = getattr(self.encoder.config, "max_position_embeddings", None) or 0
        most = positions - self.facts["position_offset"] if positions > 0 else UNLIMITED_TOKENS
        self.max_tokens = min(MAX_TOKENS, most)
        self.overlap = min(OVERLAP, self.max_tokens // 3)

    def ask(self, question: str, passage: str, top: int) -> list[dict[str, Any]]:
        """At most `top` answers, best first, none overlapping another."""
        asked, read = (self.tokenizer.encode(text, add_special_tokens=False) for text in (question, passage))
        longest = self.max_tokens - self.form.special - self.overlap - 1
        if len(asked.ids) > longest:
            sys.exit(f"The question has {len(asked.ids)} tokens; at most {longest} fit beside the passage.")
        offsets = [
            (start, start if token == METASPACE else end)  # a lone metaspace covers no letter
            for token, (start, end) in zip(read.tokens, read.offsets, strict=True)
        ]
        found: list[Found] = []
        for window in self.windows(asked.ids, read.ids):
            for score, first, last in self.spans(window):
                tokens = offsets[window.at + first : window.at + last + 1]
                start, end = span_characters(passage, tokens)
                if start < end:
                    found.append((score, start, end))
        return [
            {"text": passage[start:end], "start": start, "end": end, "score": score}
            for score, start, end in merged(found, top)
        ]

    def windows(self, question: list[int], passage: list[int]) -> Iterator[Window]:
        """Windows over the whole passage; two neighbours share `overlap` of its tokens."""
        form, at = self.form, 0
        room = self.max_tokens - form.special - len(question)
        first = len(form.before) + len(question) + len(form.between)
        while passage:
            part = passage[at : at + room]
            ids = [*form.before, *question, *form.between, *part, *form.after]
            types = [*form.types_before, *[form.type_question] * len(question), *form.types_between]
            types += [*[form.type_passage] * len(part), *form.types_after]
            null = 0 if form.before else len(ids) - 1  # XLNet has its [CLS] at the end
            yield Window(ids, types, first, len(part), at, null)
            if at + len(part) >= len(passage):
                return
            at += room - self.overlap

    def spans(self, window: Window) -> list[Found]:
        """The best spans of a window's passage tokens: start + end logit less both at the null position."""
        import torch

        ids = torch.tensor([window.ids])
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self.facts["token_types"]:
            batch["token_type_ids"] = torch.tensor([window.type_ids])
        with torch.inference_mode():
            hidden = self.encoder(**batch).last_hidden_state[0]
            logits = (hidden @ self.head["weight"].float().T + self.head["bias"].float()).double()
        starts, ends = logits[window.first : window.first + window.count].T
        scores = starts[:, None] + ends[None, :] - logits[window.null].sum()
        places = torch.arange(window.count)
        lengths = places[None, :] - places[:, None] + 1
        scores = scores.masked_fill((lengths < 1) | (lengths > LONGEST_ANSWER), float("-inf")).flatten()
        best, order = scores.sort(descending=True, stable=True)
        top = min(RAW_SPANS, int(best.isfinite().sum()))
        return [
            (score, place // window.count, place % window.count)
            for score, place in zip(best[:top].tolist(), order[:top].tolist(), strict=True)
        ]


def pair_form(tokenizer: Any) -> PairForm:
    """The tokenizer's template for two texts."""
    pair = tokenizer.encode("a", "a")
    ids, types, sides = pair.ids, pair.type_ids, pair.sequence_ids
    question = [at for at, side in enumerate(sides) if side == 0]
    passage = [at for at, side in enumerate(sides) if side == 1]
    end, begin, behind = question[-1] + 1, passage[0], passage[-1] + 1
    return PairForm(
        before=ids[: question[0]],
        between=ids[end:begin],
        after=ids[behind:],
        types_before=types[: question[0]],
        types_between=types[end:begin],
        types_after=types[behind:],
        type_question=types[question[0]],
        type_passage=types[begin],
    )


def merged(found: list[Found], top: int) -> list[Found]:
    """The `top` best; what overlaps a better one falls together with it."""
    kept: list[Found] = []
    for each in sorted(found, key=lambda one: (-one[0], one[1], one[2])):
        _, start, end = each
        if all(end <= begun or ended <= start for _, begun, ended in kept):
            kept.append(each)
        if len(kept) == top:
            break
    return kept


def span_characters(text: str, tokens: list[tuple[int, int]]) -> tuple[int, int]:
    """Where these tokens stand in the text, without white space at their ends; no letter is torn."""
    start, end = min(start for start, _ in tokens), max(end for _, end in tokens)
    while start < end < len(text) and belongs_to_before(text, end):
        end += 1
    while 0 < start < end and belongs_to_before(text, start):
        start -= 1
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def belongs_to_before(text: str, at: int) -> bool:
    """Whether this character is a part of the letter before it: a mark, a joiner, a skin tone, a jamo."""
    character = text[at]
    return (
        unicodedata.category(character).startswith("M")
        or "\u200d" in (character, text[at - 1])
        or "\u1160" <= character <= "\u11ff"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or character in "\uff9e\uff9f"
    )


def speak_utf8() -> None:
    """Print UTF-8 into a file or a pipe; a terminal shows `?` for what it has no letter for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


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
        sys.exit(f"{options.passage} cannot be read as text in UTF-8 ({error}).")
    if not passage.strip() or not options.question.strip() or options.top < 1:
        sys.exit("Give a passage with text in it, a question, and a --top of 1 or more.")
    answers = Reader(options.base).ask(options.question, passage, options.top)
    no_answer = -answers[0]["score"] if answers else None
    print(json.dumps({"answers": answers, "no_answer_score": no_answer}, ensure_ascii=False))


if __name__ == "__main__":
    main()
