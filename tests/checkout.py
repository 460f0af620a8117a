"""Where the tests lie, and what lies beside them."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"
"""Reference material that may lie beside the checkout."""
