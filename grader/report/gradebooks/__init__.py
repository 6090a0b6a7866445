"""Grades for the gradebooks of learning platforms.

``lms`` exports them for the students of a ``roster``, who are known also by what a ``download`` was called.
"""
