"""A model's files from the Hugging Face hub: what is on this machine first, then the network.

Only the configuration, the tokenizer and one form of the weights are fetched, never code.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NoReturn

from tl_core.encoders.bases import EncoderBase, packaged_names
from tl_core.errors import ModelError
from tl_core.settings import Settings

ASK_SECONDS = 4.0  # how long the hub may take to say what a repository holds
PLAIN_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
SAFE_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors")
OLD_WEIGHTS = ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin")


def hub_folder(base: EncoderBase, settings: Settings) -> Path:
    """The folder of a hub model on this machine, fetched if need be and allowed.

    ModelError if the model is not here and cannot be had: no network, no such name, no access.
    """
    here = on_this_machine(base)
    if here is not None:
        return here
    if settings.offline:
        raise ModelError(
            "{base} is not on this machine, and HF_HUB_OFFLINE keeps the engine off the hub. {instead}",
            base=base.name,
            instead=_instead(),
        )
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        asked = HfApi().model_info(base.name, revision=base.revision or None, timeout=ASK_SECONDS)
        names = choose_files(base.name, [sibling.rfilename for sibling in asked.siblings or []])
        # Asking for the branch and not the commit leaves its name behind for later, offline starts.
        folder = snapshot_download(
            base.name, revision=base.revision or None, allow_patterns=names, etag_timeout=ASK_SECONDS
        )
    except ModelError:
        raise
    except Exception as error:  # httpx's, the hub's and the operating system's
        _explain(base, error)
    return Path(folder)


def choose_files(name: str, files: Iterable[str]) -> list[str]:
    """The files of a repository that are needed; safetensors before old weights.

    ModelError if there are no weights that the engine reads.
    """
    files = list(files)
    weights = _matching(files, SAFE_WEIGHTS) or _matching(files, OLD_WEIGHTS)
    if not weights or "config.json" not in files:
        raise ModelError(
            "{name} on the hub holds no config.json with safetensors or PyTorch weights. "
            "Choose a model that transformers' AutoModel can load.",
            name=name,
        )
    return [*(plain_file for plain_file in PLAIN_FILES if plain_file in files), *weights]


def is_whole(folder: Path) -> bool:
    """Whether a folder holds a configuration and weights."""
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    return "config.json" in names and bool(_matching(names, (*SAFE_WEIGHTS, *OLD_WEIGHTS)))


def _matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    patterns = tuple(patterns)
    return sorted(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def on_this_machine(base: EncoderBase) -> Path | None:
    """The folder of a hub model that was fetched before; None if it was not, or not whole. Asks no network."""
    from huggingface_hub import snapshot_download

    wanted = [*PLAIN_FILES, *SAFE_WEIGHTS]
    for patterns in (wanted, [*PLAIN_FILES, *OLD_WEIGHTS]):
        try:
            folder = snapshot_download(
                base.name, revision=base.revision or None, local_files_only=True, allow_patterns=patterns
            )
        except Exception:  # absent, or the rest of an interrupted download
            continue
        if is_whole(Path(folder)):
            return Path(folder)
    return None


def _explain(base: EncoderBase, error: Exception) -> NoReturn:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        reason = f"{base.name} is on the hub, but only for those whom its owner lets in."
    elif isinstance(error, RevisionNotFoundError):
        reason = f"{base.name} on the hub has no revision {base.revision!r}."
    elif isinstance(error, RepositoryNotFoundError):
        reason = f"The hub has no public model called {base.name}. Check the spelling."
    else:
        reason = f"{base.name} is not on this machine and the hub cannot be reached ({type(error).__name__})."
    raise ModelError("{reason} {instead}", reason=reason, instead=_instead()) from error


def _instead() -> str:
    return f"Use one of: {packaged_names()}, or a local folder."
