"""Runs as zips: out with everything needed to use them elsewhere, in with everything checked.

A zip never holds a pickle. On the way in only known names of known kinds are taken, sizes are
bounded, nothing in it is run, and the model must load as data before it becomes a run.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from tl_core.convert import from_json, to_json
from tl_core.encoders.adapted import ADAPTER, FACTS, StartingPoint, read_facts, read_starting_point
from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.families import family_of
from tl_core.encoders.load import encoder_folder, load_encoder, tokenizer_of
from tl_core.errors import DataError, ModelError, RunError, TLError
from tl_core.exchange.card import make_card, requirements
from tl_core.exchange.carried import ANY_CARRIED, SCRIPTS, carry
from tl_core.outcomes.tasks import CLASSIFIERS, KINDS, Scores, kind_named, kind_of
from tl_core.outcomes.tasks.kind import Portable
from tl_core.records import write_record
from tl_core.runs.records import RunRecord
from tl_core.runs.store import Run, Store, new_id
from tl_core.settings import Settings
from tl_core.whole_files import check_output, folder_aside, remove, scratch_folder, written_for_user

LARGEST_ZIP = 2_000_000_000
LARGEST_UNPACKED = 4_000_000_000
LARGEST_JSON = 50_000_000
EVERY_ZIP = re.compile(
    r"(record|encoder|tokenizer)\.json|(head|encoder)\.safetensors"
    r"|adapter/adapter_config\.json|adapter/adapter_model\.safetensors"
    r"|base/config\.json|base/model\.safetensors|base/tokenizer\.json"
)
LOADER = "base_encoder.py"
IGNORED = ("README.md", "predict.py", LOADER, "requirements.txt")
NUMBERS = ("scoring_seconds", "trained_parameters", "peak_memory")


def export_run(store: Store, run_id: str, out: Path, *, with_base: bool = False) -> int:
    """Write a finished run as a zip and return its size in bytes.

    A base in a local folder is always carried, a packaged or hub one with `with_base`; both in
    float16. RunError if the run has no model, OutputError if `out` cannot be written.
    """
    run = store.run(run_id)
    if run.status != "done":
        raise RunError(
            "Run {run_id} is {status}; only a finished run can be exported.", run_id=run_id, status=run.status
        )
    task = kind_of(run)
    kind = task.portable
    if kind is None:
        raise RunError(
            "Run {run_id} has no zip. {instead_of_a_zip}",
            run_id=run_id,
            instead_of_a_zip=task.instead_of_a_zip.format(run=run_id),
        )
    check_output(out)
    with scratch_folder() as folder:
        kept = _portable_fields(run, kind)
        run = replace(run, record=from_json(RunRecord, {"id": run.id, **kept}))
        shutil.copytree(run.model, folder, dirs_exist_ok=True)
        if (folder / FACTS).exists():
            _add_base(store.settings, folder, with_base)
            shutil.copyfile(SCRIPTS / LOADER, folder / LOADER)
        _write_json(folder / "record.json", kept)
        (folder / "README.md").write_text(make_card(run, folder), encoding="utf-8")
        needed = requirements(kind.packages(run.record, folder))
        (folder / "requirements.txt").write_text(needed, encoding="utf-8")
        script = kind.script(run.record)
        shutil.copyfile(SCRIPTS / script, folder / "predict.py")
        carry(script, folder)
        with written_for_user(out) as aside:
            _write_zip(folder, aside)
    return out.stat().st_size


def _portable_fields(run: Run, kind: Portable) -> dict[str, Any]:
    """The fields of a record that go along; a folder of this machine is told by its own name alone."""
    fields = (*kind.kept, *NUMBERS, "report", "facts")
    every = to_json(run.record)
    record: dict[str, Any] = {name: every[name] for name in fields if every[name] is not None}
    for name in ("encoder", "source"):
        if Path(record.get(name, "")).is_absolute():
            record[name] = Path(record[name]).name
    return record


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _add_base(settings: Settings, folder: Path, with_base: bool) -> None:
    """Complete `encoder.json` for use without this project, and carry the base where needed."""
    facts = read_facts(folder)
    start = read_starting_point(folder)
    base = start.base
    carried = folder / "base"
    tokenizer_of(base, settings).save(str(folder / "tokenizer.json"))
    source = encoder_folder(base, settings)
    if not (carried / "config.json").exists():
        carried.mkdir(exist_ok=True)
        shutil.copyfile(source / "config.json", carried / "config.json")
    if (with_base or base.kind == "folder") and not (carried / "model.safetensors").exists():
        _carry(settings, base, carried)
    facts["hub"] = (
        card_of(base.name).hub_name if base.kind == "packaged" else base.name if base.kind == "hub" else ""
    )
    facts["position_offset"] = family_of(str(facts.get("family", ""))).position_offset
    facts["whole"] = start.weights is not None and not _word_table_missing(start)
    if base.kind == "folder":
        facts["base"] = to_json(EncoderBase("folder", "base"))
    _write_json(folder / FACTS, facts)
    adapter = folder / ADAPTER / "adapter_config.json"
    if adapter.exists():
        config = json.loads(adapter.read_text(encoding="utf-8"))
        _write_json(adapter, {**config, "base_model_name_or_path": facts["base"]["name"]})


def _word_table_missing(start: StartingPoint) -> bool:
    return start.base == EncoderBase("packaged", "e5")


def _carry(settings: Settings, base: EncoderBase, folder: Path) -> None:
    """The base's weights as float16, in the form that transformers loads."""
    import torch
    from safetensors.torch import save_file

    from tl_core.encoders.packaged_e5.model import dequantized_state, read_e5

    card = card_of(base.name) if base.kind == "packaged" else None
    packed = find_packaged(card) if card is not None and card.form == "e5-q4" else None
    state = dequantized_state(read_e5(packed)) if packed else load_encoder(base, settings).model.state_dict()
    half = {
        name: tensor.detach().to(torch.float16 if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in state.items()
    }
    save_file(half, folder / "model.safetensors", metadata={"format": "pt"})


def _write_zip(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())


def import_run(store: Store, path: Path) -> Run:
    """Take in a zip that `export_run` wrote, as a new finished run without a job.

    Raises DataError for a zip that holds anything else, ModelError for a model that is not whole.
    """
    run_id = f"{new_id()}-imported"
    folder = store.settings.runs / run_id
    with folder_aside(folder) as aside:
        model = aside / "model"
        model.mkdir()
        _unpack(path, model)
        record = _checked_record(model)
        _check_model(store.settings, model, record)
        remove(model / "record.json")
        write_record(aside / "record.json", to_json(replace(record, id=run_id)))
    return store.run(run_id)


def _unpack(path: Path, folder: Path) -> None:
    """Copy the allowed entries of a zip into `folder`, refusing the whole zip for any other."""
    if not path.is_file():
        raise DataError("There is no file {path}.", path=path)
    if path.stat().st_size > LARGEST_ZIP:
        raise DataError(
            "The zip has {st_size:.1f} GB; at most 2 GB are taken.",
            st_size=path.stat().st_size / 1000000000.0,
        )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(entries)
            for entry in entries:
                if not _is_ignored(entry.filename):
                    target = folder / PurePosixPath(entry.filename)
                    target.parent.mkdir(exist_ok=True)
                    with archive.open(entry) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise DataError(
            "This is not a readable zip ({error}). Import a zip that was exported here.", error=error
        ) from error


def _is_ignored(name: str) -> bool:
    """Whether an entry is for those who use a zip elsewhere: its code is never taken over."""
    return name in IGNORED or ANY_CARRIED.fullmatch(name) is not None


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
        raise DataError("The zip unpacks to more than 4 GB; that is no exported run.")
    for entry in entries:
        name = entry.filename
        if _is_ignored(name):
            continue
        known = (EVERY_ZIP, *(kind.portable.files for kind in KINDS if kind.portable))
        if (
            not any(pattern.fullmatch(name) for pattern in known)
            or (entry.external_attr >> 16) & 0o170000 == 0o120000
        ):
            raise DataError(
                "The zip holds {name!r}, which no exported run has. Only zips that were exported here are "
                "imported; pickles and paths outside the zip are never taken.",
                name=name[:100],
            )
        if name.endswith(".json") and entry.file_size > LARGEST_JSON:
            raise DataError(
                "{name} has {file_size:.0f} MB; that is no exported run.",
                name=name,
                file_size=entry.file_size / 1000000.0,
            )
    names = [entry.filename for entry in entries]
    if len(names) != len(set(names)) or "record.json" not in names:
        raise DataError("The zip has no record.json, or names twice: it is no exported run.")


def _checked_record(folder: Path) -> RunRecord:
    """The record of an imported run, every field checked and nothing else kept."""
    try:
        given = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        kind = kind_named(str(given.get("task", CLASSIFIERS.task)))
        if kind.judging is None or kind.portable is None:
            raise ValueError(f"runs of {kind.title} are not exchanged as zips")
        fields: dict[str, Any] = {
            "id": "",
            "task": kind.task,
            "status": "done",
            "imported": True,
            "name": str(given.get("name", ""))[:60],
            "title": str(given.get("title", "imported"))[:200],
            "seed": int(given["seed"]),
            "encoder": str(given.get("encoder", ""))[:200],
            "source": str(given.get("source", ""))[:200],
            "rows": {name: int(given["rows"][name]) for name in ("train", "validation", "test")},
            "config": given["config"],
            "seconds": float(given["seconds"]),
            "started": time.time(),
            "ended": time.time(),
            **kind.portable.fields(folder, given),
        }
        numbers = {name: given[name] for name in NUMBERS if name in given}
        record = from_json(RunRecord, {**fields, **numbers, "arm": fields["strategy"]})
        _check_scores(kind.judging.scores(fields["report"]))
    except (TLError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            "The record of the zip is not that of an exported run ({error}).", error=error
        ) from error
    except RecursionError:
        raise DataError("The record of the zip is not that of an exported run.") from None
    _check_files(folder, kind.portable)
    return record


def _check_scores(scores: Scores) -> None:
    for measure, score in scores.items():
        ends = (score.interval.low, score.interval.high) if score.interval else ()
        for value in (score.value, *ends):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ValueError(f"{measure.name} must be between 0 and 1; got {value!r:.40}")


def _check_files(folder: Path, kind: Portable) -> None:
    """DataError for a file that only the run of another task has."""
    for file in folder.rglob("*"):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not EVERY_ZIP.fullmatch(name) and not kind.files.fullmatch(name):
            raise DataError("The zip holds {name}, which no exported run of its task has.", name=name)


def _check_model(settings: Settings, folder: Path, record: RunRecord) -> None:
    """The files of the model are data of the right form."""
    kind = kind_named(record.task).portable
    assert kind is not None
    if not kind.has_encoder(record):
        from tl_core.tasks.classify.saved import load_classifier

        load_classifier(folder, settings, device="cpu")
        return
    _check_tensors(folder)
    if not (folder / "tokenizer.json").exists():
        raise ModelError("The zip lacks tokenizer.json: it is not a whole model.")
    _settle_base(folder)
    read_starting_point(folder)
    kind.check_head(folder)


def _check_tensors(folder: Path) -> None:
    from safetensors import SafetensorError, safe_open

    for file in folder.rglob("*.safetensors"):
        try:
            with safe_open(file, framework="numpy") as tensors:
                tensors.keys()
        except (SafetensorError, OSError) as error:
            raise ModelError(
                "{file} of the zip is not a safetensors file ({error}).", file=file.name, error=error
            ) from error


def _settle_base(folder: Path) -> None:
    """Let `encoder.json` name the base that the zip carries; ModelError if it has to carry one and does not."""
    facts = read_facts(folder)
    carried = (folder / "base" / "model.safetensors").exists()
    base = facts.get("base", {})
    if not carried and isinstance(base, dict) and base.get("kind") == "folder":
        raise ModelError("The base encoder lies in a folder of another machine and is not in the zip.")
    if carried:
        shutil.copyfile(folder / "tokenizer.json", folder / "base" / "tokenizer.json")
        facts["base"] = to_json(EncoderBase("folder", "base"))
        _write_json(folder / FACTS, facts)
