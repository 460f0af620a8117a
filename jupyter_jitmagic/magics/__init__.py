"""The magics and what they hook into IPython's shell: a line in, a call of another room, a display out."""
