"""Benchmarks: measured side by side in one run, printed as ratios. Not part of the test suite."""
