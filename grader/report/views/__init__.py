"""Reports for people to look at.

``terminal``, the HTML ``pages`` with their ``heatmap``, ``markdown``, and
``spreadsheet``, a table for a spreadsheet program.
"""
