"""Tests of the exercises: every declared answer, and the cells that hold them."""
