"""What is watched beside a call: globals that a trace froze, `check=`, what would have saved a miss."""
