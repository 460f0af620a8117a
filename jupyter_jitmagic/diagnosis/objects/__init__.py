"""Functions that write to an object: what they compute under jit, as a function of its attributes; what they write, outside."""

from jupyter_jitmagic.diagnosis.objects.finding import STALE, Written, before_the_trace, written_outside

__all__ = ["STALE", "Written", "before_the_trace", "written_outside"]
