"""Proving a course before students meet it: the one part of this package that runs and judges answers.

``validate`` has a ``proof`` made of each exercise. The ``answers`` are those of the solution notebooks, whose
``self_checks`` are looked at, and the specimens beside them. They are put on ``trial`` with the cases of each seed, in
a ``rehearsal``; so are ``mutants`` of them, made by the catalogue of ``mistakes``, and ``habits``. ``relevance`` tells
what no case can show. The ``ledger`` notes what came of it, which is the ``proof_report``, shown as ``proof_table``.
"""
