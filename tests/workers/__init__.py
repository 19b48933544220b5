"""Tests of the processes that train one model together."""
