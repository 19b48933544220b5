"""Tests of `run` and `execute`."""
