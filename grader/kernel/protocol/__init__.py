"""What the processes of a run say to one another. It imports nothing of either side.

``wire`` carries ``messages`` in ``plainjson``, a check's result with its ``proof``; ``memfiles`` hold tensors as
``exchange`` writes them. ``programs`` are what is asked, ``results`` what comes back. With a kernel it is Jupyter's
``session`` over ``zmtp``.
"""
