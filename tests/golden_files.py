"""The files in tests/golden, which the TypeScript tests read, too."""

from __future__ import annotations

import json
import os
from typing import Any

from checkout import TESTS

GOLDEN = TESTS / "golden"


def golden(name: str, made: Any = None) -> Any:
    """The golden file; with JITMAGIC_GOLDEN=write it is first written anew from what was made."""
    path = GOLDEN / f"{name}.json"
    if made is not None and os.environ.get("JITMAGIC_GOLDEN") == "write":
        path.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))
