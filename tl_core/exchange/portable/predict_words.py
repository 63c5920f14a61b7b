"""Predict with an exported classifier on word vectors.

    python predict.py "a text" "another text"          prints one JSON line a text
    python predict.py --model FOLDER "a text"          where the model lies in FOLDER

FOLDER (this file's own if none is given) holds words.json, vocabulary.json and model.safetensors. It needs torch,
safetensors and numpy, and kiwipiepy where texts are cut into morphemes; `tl_core/` beside it holds what it shares with
the project that wrote it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tl_core.console import parser_of_texts, plain_errors, print_labels, speak_utf8
from tl_core.knobs import from_values
from tl_core.tasks.classify.words.config import config_class
from tl_core.tasks.classify.words.documents import FIRST
from tl_core.tasks.classify.words.networks import make_batch, make_documents, make_table, make_word_network
from tl_core.tasks.classify.words.splitting import Splitter

FOLDER = Path(__file__).resolve().parent


class Model:
    """A saved classifier; `model(text)` gives the probability of each class."""

    def __init__(self, folder: Path = FOLDER) -> None:
        from safetensors.torch import load_file

        facts = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        tensors = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
        del tensors["learned"]  # which words were trained
        self.config = from_values(config_class(facts["kind"]), facts["config"])
        self.classes: list[str] = facts["classes"]
        self.splitter = Splitter(facts["splitter"])
        self.index = {word: at for at, word in enumerate(words, FIRST)}
        vectors = np.concatenate([tensors["table.trained"].numpy(), tensors["table.kept"].numpy()])
        table = make_table(vectors, len(tensors["table.trained"]), self.config.word_dropout)
        self.network = make_word_network(table, self.config, len(self.classes)).eval()
        self.network.load_state_dict(tensors)

    def __call__(self, text: str) -> list[float]:
        import torch

        documents = make_documents(self.config, self.splitter, [text], self.index, torch.device("cpu"))
        with torch.inference_mode():
            logits = self.network(make_batch(self.config, documents, np.zeros(1, dtype=np.int64)))
        probabilities: list[float] = logits[0].double().softmax(-1).tolist()
        return probabilities


@plain_errors()
def main() -> None:
    speak_utf8()
    parser = parser_of_texts("Predict with this classifier.")
    parser.add_argument("--model", type=Path, default=FOLDER, help="the model's folder")
    options = parser.parse_args()
    model = Model(options.model)
    print_labels(
        options.texts, (dict(zip(model.classes, model(text), strict=True)) for text in options.texts)
    )


if __name__ == "__main__":
    main()
