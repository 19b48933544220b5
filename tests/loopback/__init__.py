"""Tests of the servers and loads that lessons start."""
