"""Tests of the report wing."""
