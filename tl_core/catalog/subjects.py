"""Subjects to look into: packaged encoders, readers, finished runs, and models by folder or hub name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_core.catalog.readers import SHIPPED, load_named_reader, shipped
from tl_core.encoders.adapted import FACTS, StartingPoint, load_merged, read_starting_point
from tl_core.encoders.bases import EncoderBase, find_encoder
from tl_core.encoders.catalog import ENCODERS, find_packaged
from tl_core.errors import ModelError, RunError
from tl_core.runs.store import IDENTIFIER, Run, Store
from tl_core.training.precision import class_shares

if TYPE_CHECKING:
    import torch

    from tl_core.encoders.attention.subject import Kind, Subject, Target
    from tl_core.tasks.classify.encoder.classifier import EncoderClassifier

KINDS: dict[str, Kind] = {"classify": "classes", "read": "span"}  # by the task of a run


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject that can be opened by `name`; `base` is the encoder under it, the same for a bare one."""

    name: str
    title: str
    kind: Kind
    base: str


def list_subjects(store: Store) -> list[SubjectRow]:
    """Encoders that are here or can be fetched, shipped readers, finished runs on an encoder, newest first. Loads nothing."""
    rows = [
        SubjectRow(card.name, card.title, "bare", card.name)
        for card in ENCODERS
        if card.wheel or find_packaged(card)
    ]
    rows += [SubjectRow(row.name, row.title, "span", row.encoder) for row in SHIPPED if row.folder.is_dir()]
    for run in store.runs():
        kind = KINDS.get(run.task)
        if run.status == "done" and kind and has_encoder(run):
            title = f"{run.record.title} · {run.id}"
            rows.append(SubjectRow(run.id, title, kind, read_starting_point(run.model).base.name))
    return rows


def has_encoder(run: Run) -> bool:
    """Whether the run's model stands on an encoder, so that it can be looked into."""
    return (run.model / FACTS).is_file()


def is_reader(name: str) -> bool:
    """Whether a reader of this name, as the readers' list has it, can be looked into."""
    return bool(shipped(name) or IDENTIFIER.fullmatch(name))


def open_subject(store: Store, name: str) -> Subject:
    """The subject of this name on the CPU, an adapter merged into it.

    A name is that of an encoder, a shipped reader (en, ko), a finished run's id, a folder, or one on the hub.
    ModelError or RunError, with what may be, if it is none of these or cannot be looked into.
    """
    name = name.strip()
    if shipped(name):
        return _reader_subject(store, name)
    if not IDENTIFIER.fullmatch(name):
        return _bare_subject(store, _encoder_of(store, name))
    run = _finished(store, name)
    if KINDS[run.task] == "span":
        return _reader_subject(store, name)
    return _classifier_subject(store, run)


def open_base(store: Store, name: str) -> Subject:
    """The encoder under a subject as it was before any training."""
    name = name.strip()
    row = shipped(name)
    if row is not None:
        return _bare_subject(store, EncoderBase("packaged", row.encoder))
    if not IDENTIFIER.fullmatch(name):
        return _bare_subject(store, _encoder_of(store, name))
    return _bare_subject(store, read_starting_point(_finished(store, name).model).base)


def subject_stamp(store: Store, name: str) -> str:
    """A stamp that changes when another model lies under this name: when its facts were written."""
    folder = store.run(name).model if IDENTIFIER.fullmatch(name) else None
    facts = folder / FACTS if folder else None
    return f"{name} {facts.stat().st_mtime_ns if facts and facts.is_file() else 0}"


def _encoder_of(store: Store, name: str) -> EncoderBase:
    try:
        return find_encoder(name, store.settings)
    except ModelError as error:
        readers = ", ".join(row.name for row in SHIPPED)
        raise ModelError(
            "{error} A reader ({readers}) or the id of a finished run will do as well.",
            error=error,
            readers=readers,
        ) from error


def _finished(store: Store, name: str) -> Run:
    run = store.run(name)
    if run.status != "done":
        raise RunError(
            "Run {run} is {status}; only a finished one can be looked into.", run=run.id, status=run.status
        )
    if run.task not in KINDS or not run.model.is_dir():
        raise ModelError(
            "Run {run} has no model that reads texts, or it was deleted. Choose another run.", run=run.id
        )
    if not has_encoder(run):
        raise ModelError(
            "Run {run} ({record}) has no encoder, so it attends to nothing. Choose a frozen, "
            "LoRA or fully fine-tuned run.",
            run=run.id,
            record=run.record.title,
        )
    return run


def _bare_subject(store: Store, base: EncoderBase) -> Subject:
    from tl_core.encoders.attention.subject import MOST_TOKENS, Subject

    encoder = load_merged(StartingPoint(base), store.settings)
    title = next((card.title for card in ENCODERS if card.name == base.name), base.name)
    return Subject(base.name, title, "bare", encoder, min(encoder.max_tokens, MOST_TOKENS))


def _reader_subject(store: Store, name: str) -> Subject:
    from tl_core.tasks.read.subject import reader_subject

    return reader_subject(load_named_reader(store, name, device="cpu"), name)


def _classifier_subject(store: Store, run: Run) -> Subject:
    from tl_core.encoders.attention.subject import MOST_TOKENS, Subject
    from tl_core.tasks.classify.saved import load_classifier

    classifier: EncoderClassifier = load_classifier(run.model, store.settings, device="cpu")  # type: ignore[assignment]
    return Subject(
        run.id,
        run.record.title,
        "classes",
        classifier.encoder,
        min(classifier.encoder.max_tokens, classifier.use.max_tokens, MOST_TOKENS),
        classifier.network.eval().requires_grad_(False),
        classifier.classes,
        lambda logits, shown: _class_targets(classifier.classes, logits),
    )


def _class_targets(classes: tuple[str, ...], logits: torch.Tensor) -> list[Target]:
    """The logit of every class, the most probable first."""
    from tl_core.encoders.attention.subject import Target

    shares = class_shares(logits).tolist()
    order = sorted(range(len(classes)), key=lambda at: -shares[at])
    return [Target(classes[at], _column(at), float(logits[at]), shares[at]) for at in order]


def _column(at: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda logits: logits[:, at]
