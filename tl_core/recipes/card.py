"""The card of an exported run: what it is, on what it was trained, how good it was, how to use it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from tl_core.encoders.adapted import FACTS
from tl_core.runs.store import Run
from tl_core.tasks.classify.strategies import strategy


def make_card(run: Run, folder: Path) -> str:
    """Markdown; texts of the user (title, labels) stand in code marks, so that they format nothing."""
    record = run.record
    report = record["report"]
    interval, f1 = report["accuracy_interval"], report["macro_f1_interval"]
    rows = record["rows"]
    lines = [
        f"# Text classifier: {strategy(record['strategy']).title}",
        "",
        f"Trained on {_code(record['title'])}, seed {record['seed']}. Classes: "
        + ", ".join(_code(each) for each in record["classes"])
        + ".",
        "",
        "| | |",
        "|---|---|",
        f"| rows | {rows['train']} trained, {rows['validation']} for choosing the epoch, {rows['test']} tested |",
        f"| accuracy | {report['accuracy']:.3f}, 95 % interval {interval['low']:.3f} to {interval['high']:.3f} |",
        f"| macro-F1 | {report['macro_f1']:.3f}, 95 % interval {f1['low']:.3f} to {f1['high']:.3f} |",
        f"| majority class | {report['majority_accuracy']:.3f} |",
        f"| expected calibration error | {report['expected_calibration_error']:.3f} |",
        f"| trained parameters | {record.get('trained_parameters', 0):,} |",
        f"| seconds of training | {record['seconds']:.1f} |",
        *_base_lines(folder, record),
        "",
        "## Use",
        "",
        "```",
        "pip install -r requirements.txt",
        'python predict.py "a text"',
        "```",
        "",
        "## Settings",
        "",
        "```json",
        json.dumps(record["config"], indent=1, ensure_ascii=False),
        "```",
        "",
        "The accuracy holds for texts like the test rows; on others it can be anything. The weights fall under the",
        "licence of the base encoder and of the data they were trained on.",
        "",
    ]
    return "\n".join(lines)


def _base_lines(folder: Path, record: dict[str, object]) -> list[str]:
    if not (folder / FACTS).exists():
        return []
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    lines = [f"| base encoder | {_code(facts['base']['name'])} |"]
    if (folder / "base" / "model.safetensors").exists():
        lines.append("| base weights | in `base/`, float16: probabilities may differ in the third decimal |")
    elif facts["whole"]:
        lines.append("| base weights | not needed: every weight is in `encoder.safetensors` |")
    else:
        lines.append(f"| base weights | hub: {_code(facts['hub'])} |")
        if facts["base"]["name"] == "e5":
            lines.append(
                "| note | trained on 4-bit base weights; with the hub's unquantised ones results differ a little |"
            )
    if record.get("source"):
        lines.append(f"| source | {_code(str(record['source']))} |")
    return lines


def _code(text: str) -> str:
    return "`" + " ".join(text.replace("`", "'").replace("|", "/").split()) + "`"


def requirements(folder: Path) -> str:
    """What predict.py of this zip needs, at the versions it was made with."""
    names = ["skops", "scikit-learn"]
    if (folder / FACTS).exists():
        names = ["torch", "transformers", "safetensors", "tokenizers"]
        names += ["peft"] if (folder / "adapter").exists() else []
    return "".join(f"{name}=={version(name).split('+')[0]}\n" for name in names)
