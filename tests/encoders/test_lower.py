"""Kept states of the lower blocks, and passes that begin above them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.test_layers import TEXTS, tiny
from tests.encoders.tiny import TINY_TYPES, WIDTH
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.layers import blocks_of
from tl_core.encoders.lower import begun_above, kept_type, lower_states
from tl_core.settings import Settings
from tl_core.training.events import Stopped, drain, stoppable


@pytest.mark.parametrize("family", TINY_TYPES)
def test_a_pass_from_kept_states_gives_what_a_whole_pass_gives(
    family: str, tmp_path: Path, settings: Settings
) -> None:
    import torch

    encoder = tiny(tmp_path, family, settings)
    batcher = Batcher(encoder, TEXTS, 32, torch.device("cpu"))
    [lower] = drain(lower_states([batcher], 1, torch.float32, nullcontext))
    rows = np.array([2, 1, 3, 2])
    batch = batcher(rows)
    real = batch["attention_mask"].bool()
    with torch.no_grad():
        wanted = encoder.model(**batch).last_hidden_state
        with begun_above(lower, rows):
            given = encoder.model(**batch).last_hidden_state
            again = encoder.model(**batch).last_hidden_state
        after = encoder.model(**batch).last_hidden_state
    assert torch.allclose(given[real], wanted[real], atol=1e-5)
    assert torch.equal(given[real], again[real])
    assert torch.equal(after, wanted)
    assert not [block for block in blocks_of(encoder) if "forward" in vars(block)]


def test_blocks_above_are_not_computed_for_kept_states_nor_those_below_from_them(
    tmp_path: Path, settings: Settings
) -> None:
    import torch

    encoder = tiny(tmp_path, "bert", settings)
    batcher = Batcher(encoder, TEXTS, 32, torch.device("cpu"))
    calls: list[int] = []
    for at, block in enumerate(blocks_of(encoder)):
        block.attention.register_forward_hook(lambda *_, at=at: calls.append(at))
    [lower] = drain(lower_states([batcher], 1, torch.float32, nullcontext))
    assert calls == [0]
    rows = np.arange(len(TEXTS))
    with begun_above(lower, rows):
        encoder.model(**batcher(rows))
    assert calls == [0, 1]


def test_the_kept_type_follows_from_the_tokens(tmp_path: Path, settings: Settings) -> None:
    import torch

    encoder = tiny(tmp_path, "gpt2", settings)  # a text without tokens stands as one
    batcher = Batcher(encoder, ("", "a", "a a"), 32, torch.device("cpu"))
    tokens = sum(max(1, int(each)) for each in batcher.lengths)
    needed = 2 * tokens * WIDTH * 4
    both = [batcher, batcher]
    assert kept_type(both, WIDTH, "bfloat16", needed) is torch.float32
    assert kept_type(both, WIDTH, "bfloat16", needed - 1) is torch.bfloat16
    assert kept_type(both, WIDTH, "float32", needed - 1) is None
    assert kept_type(both, WIDTH, "bfloat16", needed // 2 - 1) is None


def test_a_stop_is_heard_while_states_are_computed(tmp_path: Path, settings: Settings) -> None:
    import torch

    batcher = Batcher(tiny(tmp_path, "bert", settings), TEXTS, 32, torch.device("cpu"))
    with pytest.raises(Stopped):
        drain(stoppable(lower_states([batcher], 1, torch.float32, nullcontext), lambda: True))
