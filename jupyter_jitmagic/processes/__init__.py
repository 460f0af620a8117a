"""Many processes: records of all of them in one table, and programs that differ between them named."""
