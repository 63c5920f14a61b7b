"""Predict with an exported classifier; needs only what requirements.txt beside this file names.

    python predict.py "a text" "another text"      prints one JSON line a text
    python predict.py --base FOLDER "a text"       where the base encoder lies in FOLDER

This file is copied into every exported classifier's zip; `tl_core/` beside it holds what it shares with the project
that wrote it.
"""

from __future__ import annotations

import json
from pathlib import Path

from tl_core.console import parser_of_texts, plain_errors, print_labels, speak_utf8

FOLDER = Path(__file__).resolve().parent
VIEWS = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 4)},
}


def predict_tfidf(texts: list[str], labels: list[str]) -> list[dict[str, float]]:
    import numpy
    import skops.io
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    saved = skops.io.load(FOLDER / "model.skops", trusted=[])
    n_grams = json.loads((FOLDER / "n_grams.json").read_text(encoding="utf-8"))
    parts = []
    for name, frequencies in saved["idf"].items():
        view = TfidfVectorizer(
            sublinear_tf=True, dtype=numpy.float32, vocabulary=n_grams[name], **VIEWS[name]
        )
        view.idf_ = frequencies
        parts.append(view.transform(texts))
    head = saved["head"]
    probabilities = head.predict_proba(hstack(parts).tocsr())
    return [{labels[at]: float(p) for at, p in zip(head.classes_, row, strict=True)} for row in probabilities]


def predict_encoder(texts: list[str], labels: list[str], base: str) -> list[dict[str, float]]:
    import torch
    from base_encoder import load_encoder, read_facts
    from safetensors.torch import load_file

    from tl_core.encoders.batches import pad
    from tl_core.encoders.pool import pool, unit_length
    from tl_core.text.tokens import encode, load_tokenizer

    facts, tokenizer = read_facts(), load_tokenizer(FOLDER)
    model, head = load_encoder(base, facts), load_file(FOLDER / "head.safetensors")
    layer = facts.get("layer", 0)
    answers = []
    for tokens in encode(tokenizer, texts, facts["max_tokens"]):
        batch = pad([tokens], facts["pad_id"], type_ids=facts["token_types"])
        with torch.inference_mode():
            given = model(**batch, output_hidden_states=layer > 0)
        hidden = given.hidden_states[layer] if layer else given.last_hidden_state
        vectors = pool(hidden, batch["attention_mask"], facts["pooling"])
        if facts.get("unit_length"):
            vectors = unit_length(vectors)
        logits = (vectors @ head["weight"].T + head["bias"])[0]
        answers.append(dict(zip(labels, logits.softmax(-1).tolist(), strict=True)))
    return answers


@plain_errors()
def main() -> None:
    speak_utf8()
    parser = parser_of_texts("Predict with this classifier.")
    parser.add_argument("--base", default="", help="folder or hub name of the base encoder")
    options = parser.parse_args()
    labels = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    if (FOLDER / "model.skops").exists():
        answers = predict_tfidf(options.texts, labels)
    else:
        answers = predict_encoder(options.texts, labels, options.base)
    print_labels(options.texts, answers)


if __name__ == "__main__":
    main()
