"""One check, in whatever process it runs: a fork of a student's kernel, or a student's own.

``program`` binds the inputs and makes the call: ``capture`` reads what it left, ``extras`` what it left elsewhere,
``studenterror`` what it raised, ``sink`` what it printed, ``autograd_watch`` what it called, in ``calm`` before and
after.
"""
