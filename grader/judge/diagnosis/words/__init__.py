"""The sentences of a diagnosis. To translate or rewrite them, change this package alone.

``wording`` fills the ``sentences`` of a code. They are named for what recognises the mistake: ``outcomes``, ``shapes``,
``factors``, ``operands``, ``relations``, ``passes``, ``values``, ``steps`` and ``loops``. The last two are filled with
``clauses``; those of exceptions with ``causes`` and ``call_causes``.
"""
