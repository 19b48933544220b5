"""Tests that run every lesson, and tests of single lessons."""
