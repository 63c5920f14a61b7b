"""`devices` and `check`: what there is, and what is in a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tl_core.commands.get import have_encoders
from tl_core.commands.output import add_json, show
from tl_core.commands.train import add_column_options, add_group_option
from tl_core.data.columns import Columns, guess_columns
from tl_core.data.tables import read_table_file
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.wording import bytes_text


def add_commands(commands: Any) -> None:
    devices = commands.add_parser("devices", help="what this machine computes on")
    add_json(devices)
    devices.set_defaults(run=run_devices)
    check = commands.add_parser("check", help="report on a labelled file before training on it")
    check.add_argument("file", type=Path)
    check.add_argument("--test", type=Path, help="a separate test file")
    check.add_argument("--encoder", default="minilm")
    check.add_argument("--max-tokens", type=int, default=256)
    add_column_options(check)
    add_group_option(check)
    add_json(check)
    check.set_defaults(run=run_check)


def run_devices(options: argparse.Namespace) -> int:
    from tl_core.jobs.devices import measure_devices

    devices = measure_devices(read_settings())
    lines = [
        f"{device['name']}: {bytes_text(device['memory'])}, bfloat16: {device['bfloat16']}"
        for device in devices["devices"]
    ]
    lines += [
        f"{work}: on the {device['title']}. {device['why']}" for work, device in devices["chosen"].items()
    ]
    show(options, devices, [*lines, *devices["advice"]])
    return 0


def run_check(options: argparse.Namespace) -> int:
    from tl_core.jobs.classify.data_report import check_table

    header = False if options.no_header else None
    table = read_table_file(options.file, has_header=header)
    test = read_table_file(options.test, has_header=header) if options.test else None
    guess = guess_columns(table)
    columns = Columns(tuple(options.text) or guess.text, options.label or guess.label, options.group or None)
    settings = read_settings()
    have_encoders(Store(settings), options.encoder)
    report = check_table(
        settings,
        table,
        columns,
        test=test,
        merge_labels=options.merge_labels,
        encoder=options.encoder,
        max_tokens=options.max_tokens,
    )
    answer = report.summary()
    lines = [f"{report.rows} rows read, {len(report.refused)} refused; {report.encoding}, {report.delimiter}"]
    lines += [f"  row {refusal.row}: {refusal.reason}" for refusal in report.refused[:20]]
    lines += [f"  {label}: {count}" for label, count in report.classes.items()]
    lines += [f"warning: {warning}" for warning in report.warnings]
    show(options, answer, lines)
    return 0
