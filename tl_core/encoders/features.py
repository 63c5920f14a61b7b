"""Sentence features of an encoder: computed in batches by length, and kept on disk once computed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.batcher import Batcher
from tl_core.encoders.load import Encoder
from tl_core.encoders.pool import pool
from tl_core.errors import StillInUse
from tl_core.training.batches import sorted_batches
from tl_core.training.events import Progress, Training
from tl_core.training.precision import autocast
from tl_core.whole_files import folder_aside, remove

if TYPE_CHECKING:
    import torch

Features = NDArray[np.float32]
KEPT_BYTES = 1_000_000_000  # features of all encoders together; the oldest are dropped


def feature_events(
    encoder: Encoder,
    texts: Sequence[str],
    *,
    max_tokens: int,
    batch_size: int,
    device: torch.device,
    precision: str,
) -> Training[Features]:
    """Pooled last layer of every text: (N, D) float32. Yields Progress in texts.

    For another layer or pooling give the encoder that `layers.cut_above` makes.
    """
    import torch

    batcher = Batcher(encoder, texts, max_tokens, device)
    features = np.zeros((len(texts), encoder.width), dtype=np.float32)
    model = encoder.model.to(device).eval()
    done = 0
    for rows in sorted_batches(batcher.lengths, batch_size):
        batch = batcher(rows)
        with torch.inference_mode(), autocast(device, precision):
            hidden = model(**batch).last_hidden_state
        pooled = pool(hidden.float(), batch["attention_mask"], encoder.family.pooling)
        features[rows] = pooled.cpu().numpy()
        done += len(rows)
        yield Progress(done, len(texts))
    return features


class FeatureCache:
    """Features that were computed before, by text, under one key (encoder, tokens, precision).

    Each addition is a folder of its own, written aside and moved into place, so that several
    processes may add at once and a reader sees whole additions only.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / hashlib.sha256(key.encode()).hexdigest()[:24]

    def read(self, texts: Sequence[str]) -> dict[str, Features]:
        """The kept features among these texts: text -> (D,)."""
        wanted = {_digest(text): text for text in texts}
        features: dict[str, Features] = {}
        for part in sorted(self.folder.glob("part-*")):
            try:
                names = json.loads((part / "texts.json").read_text(encoding="utf-8"))
                rows = np.load(part / "features.npy", mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError):
                continue
            for at, name in enumerate(names):
                if name in wanted:
                    features[wanted[name]] = np.array(rows[at])
        return features

    def add(self, texts: Sequence[str], features: Features) -> None:
        """Keep the features of these texts; (N, D)."""
        with folder_aside(self.folder / f"part-{secrets.token_hex(8)}") as aside:
            (aside / "texts.json").write_text(json.dumps([_digest(text) for text in texts]), encoding="utf-8")
            np.save(aside / "features.npy", features, allow_pickle=False)
        prune(self.folder.parent, KEPT_BYTES)


def kept_features(
    cache: FeatureCache, texts: Sequence[str], compute: Callable[[list[str]], Training[Features]]
) -> Training[Features]:
    """Features of all texts, (N, D): kept ones are read, missing ones computed by `compute` and kept."""
    features = cache.read(texts)
    missing = list(dict.fromkeys(text for text in texts if text not in features))
    if missing:
        computed = yield from compute(missing)
        with contextlib.suppress(OSError, StillInUse):  # what cannot be kept is computed again next time
            cache.add(missing, computed)
        features |= dict(zip(missing, computed, strict=True))
    return np.stack([features[text] for text in texts])


def prune(folder: Path, largest: int) -> None:
    """Drop the oldest caches until `folder` holds at most `largest` bytes."""
    caches = sorted(
        (cache for cache in folder.iterdir() if cache.is_dir()), key=lambda cache: cache.stat().st_mtime
    )
    sizes = [sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()) for cache in caches]
    total = sum(sizes)
    for cache, size in zip(caches[:-1], sizes, strict=False):
        if total <= largest:
            return
        with contextlib.suppress(StillInUse):  # another process reads it: it goes next time
            remove(cache)
            total -= size


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
