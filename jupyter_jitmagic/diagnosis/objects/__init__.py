"""Functions that write to an object: what they compute under jit, as a function of its attributes; what they write, outside.

Nothing is imported here: `given` says whether a call gets an object at all, and most answers need no more of this room.
"""
