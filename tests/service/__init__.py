"""Tests of the service: its parts, the real server, its page in a browser."""
