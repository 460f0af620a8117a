"""Running the user's code unseen: output by thread, a limit of time, effects stopped or undone."""
