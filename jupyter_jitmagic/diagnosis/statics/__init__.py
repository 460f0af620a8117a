"""The smallest set of static arguments with which a function traces."""
