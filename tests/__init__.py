"""What proves the course; run by `python3 -m course_utils test`."""
