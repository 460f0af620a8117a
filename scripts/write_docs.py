"""Write docs/tables.md from the one place that says what every column means; `--check` only says whether it is up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tables.md"
sys.path.insert(0, str(ROOT))

LEVELS = {
    "functions": "One row for each jitted function.",
    "entries": "One row for each cache entry.",
    "calls": "One row for each call, in the order in which calls ended.",
    "misses": "One row for each cause of a miss.",
    "others": "One row for each function that compiled outside `jm.jit`: plain `jax.jit`, libraries, JAX's own operations.",
    "diagnoses": "One row for each failed trace that was diagnosed.",
}

HEAD = """# The tables

`jm.stats(level)` gives them as `pandas.DataFrame`; `%jitstats --level LEVEL` shows them, `-o VAR` stores them.
Times are seconds; `started_s` and `last_used_s` are Unix time. A value that was not measured is missing, never 0.

(Written by `scripts/write_docs.py` from `COLUMNS` in `jupyter_jitmagic/_tables.py`.)
"""


def page() -> str:
    from jupyter_jitmagic._tables import COLUMNS

    parts = [HEAD]
    for level in [*LEVELS, *(level for level in COLUMNS if level not in LEVELS)]:
        rows = "\n".join(f"| `{name}` | {meaning.replace('|', chr(92) + '|')} |" for name, meaning in COLUMNS[level].items())
        parts.append(f"## {level}\n\n{LEVELS.get(level, '')}\n\n| column | meaning |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/tables.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    check = parser.parse_args().check
    text = page()
    if check:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        print("docs/tables.md is up to date" if fresh else "docs/tables.md is not up to date: run scripts/write_docs.py")
        return 0 if fresh else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
