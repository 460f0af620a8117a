"""Where the time goes, line by line: equations, estimates and measured execution on the source that they come from."""
