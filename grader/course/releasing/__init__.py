"""Making the students' notebooks from the solutions.

``release`` writes them, without each ``solution`` in a cell, and refuses a ``leak`` of one elsewhere.
"""
