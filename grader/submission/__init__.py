"""Who handed in what: collect submissions from folders and archives, read a notebook, find its answers.

``collecting`` makes an ``entry`` of each notebook, with ``attribution`` to its student; ``reading`` makes a submission
of an entry. Both open ``files`` that students control.
"""
