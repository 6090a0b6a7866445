"""Reports for people to look at.

``terminal`` (``progress`` while a run goes on), the HTML ``pages`` with their ``heatmap``, ``markdown``, and
``spreadsheet``, a table for a spreadsheet program.
"""
