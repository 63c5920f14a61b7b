"""Readers on tiny random encoders, whose logits are spread wide enough to tell spans apart."""

from __future__ import annotations

from pathlib import Path

from tests.encoders.tiny import TINY_TYPES, write_tiny_encoder
from tl_core.encoders.load import Encoder, find_encoder, load_encoder
from tl_core.settings import Settings
from tl_core.tasks.read.calibration import Calibration
from tl_core.tasks.read.network import make_reader_network
from tl_core.tasks.read.reader import Reader

READING_TYPES = tuple(each for each in TINY_TYPES if each != "gpt2")


def tiny_encoder(folder: Path, model_type: str, seed: int = 0) -> Encoder:
    """A random encoder of a family, written to a folder of its own and loaded."""
    settings = Settings(home=folder / "home", threads=1, offline=True)
    written = write_tiny_encoder(folder / model_type, model_type, seed)
    return load_encoder(find_encoder(str(written), settings), settings)


def tiny_reader(
    folder: Path, model_type: str = "bert", *, seed: int = 0, calibration: Calibration | None = None
) -> Reader:
    """A random reader in float32, at most 64 tokens a window."""
    import torch

    encoder = tiny_encoder(folder, model_type, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make_reader_network(encoder)
        torch.nn.init.normal_(network.head.weight, std=1.0)  # type: ignore[union-attr, arg-type]
    return Reader(encoder, network, title="tiny", precision="float32", calibration=calibration)
