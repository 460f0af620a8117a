"""What was recorded: functions, entries, calls, misses, diagnoses, and who listens. Knows no writer and no reader."""
