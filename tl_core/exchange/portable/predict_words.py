"""Predict with an exported classifier on word vectors.

    python predict.py "a text" "another text"          prints one JSON line a text
    python predict.py --model FOLDER "a text"          where the model lies in FOLDER

FOLDER (this file's own if none is given) holds words.json, vocabulary.json and model.safetensors. It needs torch,
safetensors and numpy, and kiwipiepy where texts are cut into morphemes; `tl_core/` beside it holds what it shares with
the project that wrote it.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from tl_core.console import parser_of_texts, print_labels, speak_utf8

BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|tr|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<[!?][^<>]*>|[\ud800-\udfff]")
SENTENCE_END = re.compile(r"(?<=[.!?…。])\s+|[\r\n]+")
MARKS = "".join(
    chr(code)
    for code in range(0x300, 0xFE00)
    if not 0xD800 <= code <= 0xDFFF and unicodedata.category(chr(code)) in ("Mn", "Mc")
)
RUN = rf"[^\W_](?:[^\W_]|[{MARKS}])*"
WORD = re.compile(rf"{RUN}(?:['-]{RUN})*")
PENN = re.compile(rf"n't|'(?:s|m|d|re|ve|ll)\b|{RUN}|[!?]")
APART = re.compile(r"(?<=[!?])\s+(?=[!?])")
PLAIN_ASCII = str.maketrans("’ʼ＇‐‑", "'''--")
PREDICATES = ("VV", "VA", "VX", "VCP", "VCN")
KEPT_SYMBOLS = ("SL", "SH", "SN")
UNKNOWN, FIRST = 1, 2


def sentences_of(text: str) -> list[str]:
    if "&" in text:
        text = html.unescape(text)
    if "<" in text or not text.isascii():
        text = TAG.sub(" ", BREAK.sub("\n", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(PLAIN_ASCII)
    parts = (part.strip() for part in SENTENCE_END.split(text))
    return [part for part in parts if part]


class Splitter:
    """The words of each sentence of a text, cut as they were in training."""

    def __init__(self, name: str) -> None:
        self.name = name
        if name == "morphemes":
            from kiwipiepy import Kiwi

            self.kiwi = Kiwi()

    def __call__(self, text: str) -> list[list[str]]:
        sentences = sentences_of(APART.sub("", text) if self.name == "penn" else text)
        if self.name == "morphemes":
            found = self.kiwi.tokenize(sentences, compatible_jamo=True)
            return [[form for each in tokens if (form := self.form(each))] for tokens in found]
        if self.name == "penn":
            return [PENN.findall(each.lower().replace("n't", " n't")) for each in sentences]
        return [WORD.findall(each.lower()) for each in sentences]

    @staticmethod
    def form(token: Any) -> str:
        """A morpheme as it is counted; empty for punctuation and other symbols."""
        kind, form = token.tag.split("-")[0], str(token.form)
        if kind in PREDICATES:
            return (form + "다").lower()
        if (kind.startswith("S") and kind not in KEPT_SYMBOLS) or not any(each.isalnum() for each in form):
            return ""
        return form.lower()


class Model:
    """A saved classifier; `model(text)` gives the probability of each class."""

    def __init__(self, folder: Path) -> None:
        import torch
        from safetensors.torch import load_file

        facts = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        self.kind, self.config, self.classes = facts["kind"], facts["config"], facts["classes"]
        self.index = {word: at for at, word in enumerate(words, FIRST)}
        self.split = Splitter(facts["splitter"])
        self.tensors = {name: each.float() for name, each in load_file(folder / "model.safetensors").items()}
        self.table = torch.cat([self.tensors["table.trained"], self.tensors["table.kept"]])
        self.cells = self.make_cells() if self.kind == "recurrent" else []

    def __call__(self, text: str) -> list[float]:
        import torch

        with torch.inference_mode():
            sentences = self.read(text)
            words = [word for each in sentences for word in each]
            if self.kind == "cnn":
                vector = self.document(sentences)
            elif self.kind == "recurrent":
                vector = self.recurrent(words)
            else:
                vector = self.table[words].mean(0) if words else torch.zeros(self.table.shape[1])
            logits = vector @ self.tensors["head.weight"].T + self.tensors["head.bias"]
            found: list[float] = logits.double().softmax(-1).tolist()
        return found

    def read(self, text: str) -> list[list[int]]:
        """The ids of the words of each sentence, up to the longest text, without empty sentences."""
        left, found = int(self.config["max_words"]), []
        for sentence in self.split(text):
            ids = [self.index.get(word, UNKNOWN) for word in sentence][:left]
            left -= len(ids)
            if ids:
                found.append(ids)
        return found

    def document(self, sentences: list[list[int]]) -> Any:
        """The document vector: convolution and k-max pooling over words, then over sentences."""
        import torch

        config, longest = self.config, int(self.config["longest_sentence"])
        pieces = [each[at : at + longest] for each in sentences for at in range(0, len(each), longest)]
        vectors = [self.pooled(self.table[each], "sentence", config["sentence_k"]) for each in pieces]
        rows = torch.stack(vectors) if vectors else None
        text = self.pooled(rows, "document", config["document_k"])
        if "hidden.weight" in self.tensors:
            text = (text @ self.tensors["hidden.weight"].T + self.tensors["hidden.bias"]).relu()
        return text

    def pooled(self, rows: Any, layer: str, k: int) -> Any:
        """The k largest values of each feature in their order, zeros where there are fewer: (k * F,)."""
        import torch

        weight = self.tensors[f"{layer}.weight"].squeeze(2)
        filters, _, kernel = weight.shape
        values = torch.zeros(k, filters)
        if rows is None:
            return values.flatten()
        padded = torch.nn.functional.pad(rows.T, ((kernel - 1) // 2, kernel // 2)).unsqueeze(0)
        found = torch.nn.functional.conv1d(padded, weight, self.tensors[f"{layer}.bias"])[0].T
        kept = min(k, len(found))
        ranked = found.round(decimals=3).argsort(dim=0, descending=True, stable=True)
        places = ranked[:kept].sort(0).values
        values[:kept] = found.gather(0, places)
        return values.relu().flatten()

    def make_cells(self) -> list[list[Any]]:
        """The recurrent layers, each with one cell a direction."""
        import torch

        kind = getattr(torch.nn, {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}[self.config["cell"]])
        layers = []
        for number in range(self.config["layers"]):
            ways = []
            for way in range(2 if self.config["bidirectional"] else 1):
                start = f"layers.{number}.{way}."
                state = {n[len(start) :]: t for n, t in self.tensors.items() if n.startswith(start)}
                cell = kind(state["weight_ih_l0"].shape[1], self.config["state_width"], batch_first=True)
                cell.load_state_dict(state)
                ways.append(cell)
            layers.append(ways)
        return layers

    def recurrent(self, words: list[int]) -> Any:
        """What the recurrent layers make of a text; an empty one is read as one padding."""
        import torch

        states = self.table[words or [0]]
        for ways in self.cells:
            read = [ways[0](states.unsqueeze(0))[0][0]]
            if len(ways) == 2:
                read.append(ways[1](states.flip(0).unsqueeze(0))[0][0].flip(0))
            states = torch.cat(read, -1)
        width = self.config["state_width"]
        if self.config["state"] == "last":
            return torch.cat([states[-1, :width], states[0, width:]])
        return states.mean(0) if words else torch.zeros(states.shape[1])


def main() -> None:
    speak_utf8()
    parser = parser_of_texts("Predict with this classifier.")
    parser.add_argument(
        "--model", type=Path, default=Path(__file__).resolve().parent, help="the model's folder"
    )
    options = parser.parse_args()
    model = Model(options.model)
    print_labels(
        options.texts, (dict(zip(model.classes, model(text), strict=True)) for text in options.texts)
    )


if __name__ == "__main__":
    main()
