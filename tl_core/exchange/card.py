"""The card of an exported run: what it is, on what it was trained, how good it was, how to use it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tl_core.encoders.adapted import FACTS
from tl_core.exchange.metadata import with_metadata
from tl_core.outcomes.tasks import kind_of
from tl_core.outcomes.tasks.kind import code
from tl_core.runs.records import RunRecord
from tl_core.runs.store import Run


def make_card(run: Run, folder: Path) -> str:
    """Markdown; texts of the user (title, labels) stand in code marks, so that they format nothing."""
    record = run.record
    tell = kind_of(run).card
    assert tell is not None
    text = tell(run)
    rows = {
        **text.rows,
        "trained parameters": f"{record.trained_parameters:,}",
        "seconds of training": f"{record.seconds:.1f}",
        **_base_rows(folder, record),
    }
    lines = [
        f"# {text.heading}",
        "",
        text.about,
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
        "## Use",
        "",
        "```",
        "pip install -r requirements.txt",
        text.command,
        "```",
        "",
        "## Settings",
        "",
        "```json",
        json.dumps(record.config, indent=1, ensure_ascii=False),
        "```",
        "",
        f"{text.limits} The weights fall under the",
        "licence of the base encoder and of the data they were trained on.",
        "",
    ]
    base = (
        json.loads((folder / FACTS).read_text(encoding="utf-8"))["hub"] if (folder / FACTS).exists() else ""
    )
    return with_metadata("\n".join(lines), task=text.tag, base=base, tags=[record.strategy])


def _base_rows(folder: Path, record: RunRecord) -> dict[str, str]:
    if not (folder / FACTS).exists():
        return {}
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    rows = {"base encoder": code(facts["base"]["name"])}
    if (folder / "base" / "model.safetensors").exists():
        rows["base weights"] = "in `base/`, float16: results may differ in the third decimal"
    elif facts["whole"]:
        rows["base weights"] = "not needed: every weight is in `encoder.safetensors`"
    else:
        rows["base weights"] = f"hub: {code(facts['hub'])}"
        if facts["base"]["name"] == "e5":
            rows["note"] = (
                "trained on 4-bit base weights; with the hub's unquantised ones results differ a little"
            )
    if record.source:
        rows["source"] = code(record.source)
    return rows


def requirements(packages: Sequence[str]) -> str:
    """These packages at the versions that are installed here, as pip reads them."""
    return "".join(f"{name}=={version(name).split('+')[0]}\n" for name in packages)
