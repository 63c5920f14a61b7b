"""One vector a text at every layer of an encoder: what similarity and probes are computed from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.batcher import Batcher
from tl_core.encoders.families import Pooling
from tl_core.encoders.load import Encoder
from tl_core.encoders.pool import pool
from tl_core.errors import DataError, ModelError
from tl_core.training.batches import sorted_batches
from tl_core.training.events import Progress, Training

States = list[NDArray[np.float32]]  # of each layer 0..L, (N, D)


def layer_states_events(
    encoder: Encoder,
    texts: Sequence[str],
    max_tokens: int,
    *,
    batch_size: int = 32,
    pooling: Pooling = "mean",
) -> Training[States]:
    """The pooled states of N texts at each layer 0 to L, (N, D) each; layer 0 is what goes into the first.

    Computed in float32 where the model lies, which the caller must own. Yields Progress in texts. `mean`
    pools all families alike; `last` is what a classifier on GPT-2 reads. DataError without texts.
    """
    import torch

    if not texts:
        raise DataError("There is no text whose states could be computed. Choose at least one.")
    model = encoder.model.eval()
    batcher = Batcher(encoder, texts, max_tokens, next(model.parameters()).device)
    states = [np.zeros((len(texts), encoder.width), dtype=np.float32) for _ in range(encoder.layers + 1)]
    done = 0
    for rows in sorted_batches(batcher.lengths, batch_size):
        batch = batcher(rows)
        with torch.inference_mode():
            hidden = model(**batch, output_hidden_states=True).hidden_states or ()
            if len(hidden) != len(states):
                raise ModelError(
                    "{encoder} told {hidden} states instead of {states}, so its layers cannot be "
                    "compared. Choose another encoder.",
                    encoder=encoder.name,
                    hidden=len(hidden),
                    states=len(states),
                )
            for layer, layer_states in enumerate(hidden):
                states[layer][rows] = (
                    pool(layer_states.float(), batch["attention_mask"], pooling).cpu().numpy()
                )
        done += len(rows)
        yield Progress(done, len(texts))
    return states
