"""Tests of the set-up, on a project of tiny packages."""
