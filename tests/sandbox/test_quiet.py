"""What a diagnosis must leave as it was in the interpreter."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from jupyter_jitmagic.sandbox.limit import OutOfTime, limited

def endless():
    while True:
        pass

limited(5.0, lambda: limited(1.0, int))
try:
    limited(0.1, endless)
except OutOfTime:
    print("stopped")
lines = []
sys.settrace(lambda frame, event, argument: lines.append(event))
(lambda: 1)()
sys.settrace(None)
print(lines)
"""


def test_a_debugger_can_trace_after_a_time_limit() -> None:
    """On CPython 3.11 an exception taken back from a thread leaves it stuck as soon as something traces."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n")[:2] == ["stopped", "['call']"], done.stderr
