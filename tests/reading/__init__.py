"""Tests of `lab` and the copies that it opens."""
