"""Progress that is written while a page reads it, under the rules of Windows: how many lines are lost.

    python -m tests.benchmarks.progress_race [--writes 3000]

One process writes a record again and again, another one opens and reads it six times a second. `plain` moves
the new file over the old one once, as this project did before; `ours` is `write_record`. A write is lost
if it is refused; a read is broken if it finds no whole record. The rules are simulated on Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.measure import figure
from tl_core.errors import TLError
from tl_core.records import write_record

RULES = Path(__file__).parents[1] / "laptops" / "rules"
READS, HELD, PAUSE = 6, 0.004, 0.02  # reads a second, seconds a file stays open, seconds between writes
READER = """
import json, sys, time
from pathlib import Path
path, reads, held = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
count = broken = 0
while not path.with_name("end").exists():
    try:
        with path.open(encoding="utf-8") as file:
            time.sleep(held)
            json.load(file)
        count += 1
    except PermissionError:
        pass
    except (OSError, ValueError):
        broken += 1
    time.sleep(1 / reads)
print(json.dumps({"reads": count, "broken": broken}))
"""


def plain(path: Path, number: int) -> bool:
    """One write as it was done before; whether it came through."""
    aside = path.with_name(".aside")
    aside.write_text(json.dumps({"number": number}), encoding="utf-8")
    try:
        os.replace(aside, path)
    except PermissionError:
        return False
    return True


def ours(path: Path, number: int) -> bool:
    with contextlib.suppress(TLError):
        write_record(path, {"number": number})
        return True
    return False


def race(write: Callable[[Path, int], bool], writes: int) -> dict[str, int | float]:
    """Lost writes, reads and broken reads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.json"
        write_record(path, {"number": -1})
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(path), str(READS), str(HELD)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        time.sleep(1)
        lost, longest = 0, 0.0
        for number in range(writes):
            began = time.perf_counter()
            lost += not write(path, number)
            longest = max(longest, time.perf_counter() - began)
            time.sleep(PAUSE)
        (Path(folder) / "end").touch()
        told = json.loads(reader.communicate(timeout=30)[0])
    return {"writes": writes, "lost": lost, "longest_write": longest, **told}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=3000)
    parser.add_argument("--under-rules", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.under_rules:
        with tempfile.TemporaryDirectory() as processes:
            environment = {
                **os.environ,
                "TL_LAPTOP_RULES": "windows",
                "TL_LAPTOP_PIDS": processes,
                "PYTHONPATH": os.pathsep.join([str(RULES), os.environ.get("PYTHONPATH", "")]),
            }
            command = [sys.executable, "-m", "tests.benchmarks.progress_race", "--under-rules"]
            return subprocess.run([*command, f"--writes={options.writes}"], env=environment).returncode
    for name, write in (("plain", plain), ("ours", ours)):
        found = race(write, options.writes)
        figure("lost writes", found.pop("lost"), f"of {options.writes}", side=name, **found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
