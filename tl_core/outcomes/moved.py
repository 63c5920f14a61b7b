"""Movement by a source task: words of a classifier on word vectors, layers of an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.catalog.sources import shipped
from tl_core.catalog.vector_sets import PACKAGED
from tl_core.encoders.adapted import StartingPoint, load_merged, read_starting_point
from tl_core.errors import DataError, ModelError, RunError
from tl_core.jobs.classify.compare import SOURCE_MODEL
from tl_core.runs.store import Job, Store
from tl_core.tasks.classify.forms import FAMILIES, Family
from tl_core.tasks.classify.strategies import strategy
from tl_core.training.events import Training, part_of
from tl_core.vectors.movement import Movement, find_movement
from tl_core.vectors.space import WordVectors

if TYPE_CHECKING:
    from tl_core.encoders.load import Encoder
    from tl_core.encoders.movement.probe import Probed
    from tl_core.encoders.movement.weights import MovedWeights

LEAST_TEXTS = 20
NEIGHBOURS = 8


@dataclass(frozen=True, slots=True)
class MovingSource:
    """One model that a source gave: its kind of strategies, its folder, the word vectors it may have begun with."""

    title: str
    kind: Family
    folder: Path
    vectors: str

    @property
    def family(self) -> str:
        """The name of its kind, as it stands in records."""
        return self.kind.name


def sources_of(store: Store, job: Job) -> list[MovingSource]:
    """The models of a comparison's source: those copied into the job, or those of its source task; may be none."""
    config = job.record.config["comparison"]
    copied = job.folder / "data" / SOURCE_MODEL
    sources = []
    for kind in FAMILIES:
        if (copied / kind.name).is_dir():
            vectors = _vectors_of(store, str(config["source_run"]), str(config["vectors"]))
            sources.append(MovingSource(kind.title, kind, copied / kind.name, vectors))
    for run in store.runs_of(job.id):
        if run.record.role == "source" and run.status == "done":
            row = strategy(run.record.strategy)
            sources.append(MovingSource(row.title, row.family, run.model, str(config["vectors"])))
    return sources


def _vectors_of(store: Store, source: str, otherwise: str) -> str:
    """The word vectors that a source run was given; the packaged ones for a shipped source."""
    if shipped(source):
        return PACKAGED
    try:
        return str(store.run(source).record.vectors or otherwise)
    except RunError:  # it was deleted
        return otherwise


@dataclass(frozen=True, slots=True, eq=False)
class MovedWords:
    """The `words` (V) that a source task trained, most frequent first, and their vectors before and after, (V, D)."""

    words: list[str]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    movement: Movement


def moved_words(folder: Path, vectors: WordVectors, *, frequent: int = 5_000, most: int = 20) -> MovedWords:
    """The source's most `frequent` words that moved farthest from the pretrained vectors they began with.

    Words without a pretrained vector began at random and are left out. DataError if the widths differ, if all
    began at random, or if none is left.
    """
    from tl_core.tasks.classify.words.saved import read_facts, read_source

    if read_facts(folder)["config"].get("start") == "random":
        raise DataError(
            "This source's words began at random, so there are no earlier vectors to compare them with."
        )
    source = read_source(folder)
    words, after, learned = source.words, source.vectors, source.learned
    if after.shape[1] != vectors.width:
        raise DataError(
            "The source's words have {shape} dimensions, {vectors} has {width}: it did not begin "
            "with these vectors.",
            shape=after.shape[1],
            vectors=vectors.name,
            width=vectors.width,
        )
    rows = [vectors.vocabulary.find(word) for word in words]
    kept = [at for at, row in enumerate(rows) if row is not None and learned[at]][:frequent]
    if not kept:
        raise DataError("The source trained no word that {vectors} has.", vectors=vectors.name)
    before = np.stack([np.asarray(vectors.rows[rows[at]], dtype=np.float32) for at in kept])
    chosen, now = [words[at] for at in kept], after[kept]
    return MovedWords(chosen, before, now, find_movement(chosen, before, now, most=most, k=NEIGHBOURS))


@dataclass(frozen=True, slots=True, eq=False)
class MovedLayers:
    """An encoder before and after a source task.

    `weights` is the relative change of each part, `similarity` (L + 1,) the linear CKA of the states of the
    embeddings and each layer of `width` numbers, `before` and `after` the accuracy of a linear probe for the
    target's classes on each of them; None where the texts hold fewer than two classes with two texts or more.
    """

    weights: MovedWeights
    similarity: NDArray[np.float64]
    before: Probed | None
    after: Probed | None
    texts: int
    width: int


def moved_layers(
    store: Store, folder: Path, texts: Sequence[str], targets: NDArray[np.int64], max_tokens: int = 128
) -> Training[MovedLayers]:
    """Measure on N texts with their classes (N,) how a source task changed an encoder.

    The probe leaves out classes with a single text. Yields Progress over both passes.
    DataError for fewer than 20 texts; ModelError if the source has no encoder.
    """
    from tl_core.encoders.movement.probe import probe_layers
    from tl_core.encoders.movement.similarity import layer_similarity
    from tl_core.encoders.movement.states import States, layer_states_events
    from tl_core.encoders.movement.weights import moved_weights

    if len(texts) < LEAST_TEXTS:
        raise DataError(
            "At least {least_texts} texts are needed to compare layers; got {texts}.",
            least_texts=LEAST_TEXTS,
            texts=len(texts),
        )
    start = read_starting_point(folder)
    encoders: list[Encoder] = [
        load_merged(state, store.settings) for state in (StartingPoint(start.base), start)
    ]
    if encoders[0].layers != encoders[1].layers:
        raise ModelError("The source's encoder has other layers than its base; they cannot be compared.")
    states: list[States] = []
    for at, encoder in enumerate(encoders):
        training = layer_states_events(encoder, texts, max_tokens)
        states.append((yield from part_of(training, at * len(texts), 2 * len(texts))))
    classes, counts = np.unique(targets, return_counts=True)
    common = np.isin(targets, classes[counts > 1])
    before, after = (
        probe_layers([layer[common] for layer in state], targets[common]) if (counts > 1).sum() > 1 else None
        for state in states
    )
    similar = layer_similarity(states[0], states[1])
    return MovedLayers(moved_weights(*encoders), similar, before, after, len(texts), states[0][0].shape[1])
