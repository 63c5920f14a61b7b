"""Looking into an encoder without a browser: `attention`, `attribute`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.commands.get import have_encoders
from tl_core.commands.output import add_json, show, tell
from tl_core.errors import ConfigError, RunError
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.whole_files import written_for_user
from tl_core.wording import bytes_text

if TYPE_CHECKING:
    from tl_core.encoders.attention.subject import Subject
    from tl_core.text.inputs import ModelInput

MODEL_HELP = "minilm, e5, a model folder or a hub name"
RUN_HELP = "the id of a finished run, or a reader (en, ko)"
MOST_PRINTED_TOKENS = 128


def add_commands(commands: Any) -> None:
    maps = commands.add_parser("attention", help="which token looks at which, in every layer and head")
    _add_text(maps)
    which = maps.add_mutually_exclusive_group()
    which.add_argument("--encoder", default="minilm", help=f"{MODEL_HELP}; default minilm")
    which.add_argument("--run", dest="run_id", default="", help=RUN_HELP)
    maps.add_argument("--layer", type=int, help="one layer, from 1; needs --head")
    maps.add_argument("--head", type=int, help="one head, from 1; needs --layer")
    maps.add_argument("--out", type=Path, help="write everything into an .npz file")
    add_json(maps)
    maps.set_defaults(run=run_attention)
    matters = commands.add_parser("attribute", help="what a prediction hangs on, word by word")
    _add_text(matters)
    matters.add_argument("--run", dest="run_id", required=True, help=RUN_HELP)
    matters.add_argument("--method", choices=("gradxinput", "ig", "occlusion"), default="gradxinput")
    matters.add_argument("--target", default="", help="a class; default the predicted one")
    matters.add_argument("--steps", type=int, default=50, help="steps of integrated gradients")
    add_json(matters)
    matters.set_defaults(run=run_attribute)


def _add_text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text")
    parser.add_argument("--pair", default="", help="a second text, such as the passage of a question")
    parser.add_argument(
        "--part", type=int, default=1, help="of a text too long for the encoder: which part, from 1"
    )


def run_attention(options: argparse.Namespace) -> int:
    from tl_core.encoders.attention.maps import attention_maps

    subject, shown = _opened(options, options.run_id or options.encoder)
    layer, head = _one_head(options, subject)
    if len(shown) > MOST_PRINTED_TOKENS and layer is None and options.out is None:
        raise ConfigError(
            "The text has {shown} tokens: {layers} matrices of that size are too much to "
            "print. Give --layer and --head for one of them, or --out FILE.npz for all.",
            shown=len(shown),
            layers=subject.layers * subject.heads,
        )
    maps = attention_maps(subject, shown)
    answer: dict[str, Any] = {"model": subject.name, **_described(shown)}
    if options.out is not None:
        size = _written(options.out, maps, answer)
        show(
            options,
            {**answer, "out": str(options.out)},
            [f"{maps.shape} written to {options.out} ({bytes_text(size)})"],
        )
        return 0
    matrices = maps if layer is None else maps[layer, head]
    lines = [f"{subject.title}: {subject.layers} layers, {subject.heads} heads, {len(shown)} tokens"]
    if layer is None:
        lines.append("--layer and --head show one matrix, --json or --out FILE.npz all of them.")
    else:
        strongest = (f"{shown.tokens[int(row.argmax())]} ({row.max():.2f})" for row in matrices)
        lines += [f"{token:>16}  looks most at {other}" for token, other in zip(shown.tokens, strongest)]
    show(options, {**answer, "matrices": matrices.tolist()} if options.json else {}, lines)
    return 0


def run_attribute(options: argparse.Namespace) -> int:
    from tl_core.encoders.attention.subject import targets
    from tl_core.encoders.attribution.scores import attribute

    subject, shown = _opened(options, options.run_id)
    named = {target_row.name: target_row for target_row in targets(subject, shown)}
    if options.target and options.target not in named:
        raise ConfigError(
            "--target must be one of {named}; got {target!r}.", named=", ".join(named), target=options.target
        )
    target = named[options.target] if options.target else next(iter(named.values()))
    attribution = attribute(subject, shown, target, options.method, steps=options.steps)
    words = [word.text for word in shown.words]
    answer = {
        "model": subject.name,
        **_described(shown),
        "target": target.name,
        "output": attribution.output,
        "method": options.method,
        "scores": attribution.words.tolist(),
        "token_scores": None if attribution.tokens is None else attribution.tokens.tolist(),
        "completeness_error": attribution.completeness_error,
    }
    lines = [f"{target.name} ({target.score:.3f}), {options.method}, in logits:"]
    lines += [f"{score:+9.3f}  {word}" for word, score in zip(words, attribution.words)]
    if attribution.completeness_error is not None:
        lines.append(f"completeness error {attribution.completeness_error:.4f}")
    show(options, answer, lines)
    return 0


def _opened(options: argparse.Namespace, name: str) -> tuple[Subject, ModelInput]:
    from tl_core.catalog.subjects import open_subject

    store = Store(read_settings())
    have_encoders(store, name)
    subject = open_subject(store, name)
    inputs = subject.inputs(options.text, options.pair)
    if not 1 <= options.part <= len(inputs):
        raise ConfigError(
            "--part must be between 1 and {inputs}; got {part}.", inputs=len(inputs), part=options.part
        )
    if len(inputs) > 1:
        tell(f"part {options.part} of {len(inputs)}: the text is longer than {subject.title} takes")
    return subject, inputs[options.part - 1]


def _one_head(options: argparse.Namespace, subject: Subject) -> tuple[int | None, int | None]:
    """Layer and head from 0; both None for all of them."""
    if options.layer is None and options.head is None:
        return None, None
    if options.layer is None or options.head is None:
        raise ConfigError("--layer and --head go together: give both for one matrix, or none for all.")
    if not (1 <= options.layer <= subject.layers and 1 <= options.head <= subject.heads):
        raise ConfigError(
            "--layer must be 1 to {layers} and --head 1 to {heads}; got {layer} and {head}.",
            layers=subject.layers,
            heads=subject.heads,
            layer=options.layer,
            head=options.head,
        )
    return options.layer - 1, options.head - 1


def _described(shown: ModelInput) -> dict[str, Any]:
    return {
        "tokens": list(shown.tokens),
        "words": [word.text for word in shown.words],
        "word_of": shown.word_of.tolist(),
        "sides": shown.sides.tolist(),
        "offsets": shown.offsets.tolist(),
        "part": shown.number + 1,
        "parts": shown.parts,
    }


def _written(out: Path, maps: Any, facts: dict[str, Any]) -> int:
    """Write maps and what they are of; bytes written. Arrays and text only, readable without pickle."""
    import numpy as np

    if out.suffix != ".npz" or not out.parent.is_dir():
        raise RunError("--out must name an .npz file in a folder that exists; got {out}.", out=out)
    arrays: dict[str, Any] = {
        name: np.array(facts[name]) for name in ("tokens", "words", "word_of", "sides", "offsets")
    }
    with written_for_user(out) as aside, aside.open("wb") as file:
        np.savez_compressed(file, matrices=maps, **arrays)
    return out.stat().st_size
