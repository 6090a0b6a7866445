"""From the paths of the command line to entries: one for each notebook, and for each student without one.

``collection`` decides what needs the whole class. Each path is a ``listing``, each file in it a ``draft`` until its
student is settled. ``belongings`` are the files beside a notebook. ``missing`` knows who has no notebook, ``excess``
who has too many, ``repeats`` what is found twice; ``remarks`` are for the operator.
"""
