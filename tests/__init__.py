"""What proves the course; run by `python3 -m course_utils test`."""

HANG = 1800  # seconds: what any test waits for takes a moment, so only a hang takes so long
