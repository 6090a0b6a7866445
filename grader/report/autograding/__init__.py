"""Results in the formats of the services that run the grader.

``actions`` is for any job of GitHub's, ``classroom`` (in equal ``units``) and ``classroom50`` for its classrooms,
``gradescope`` for Gradescope's autograder, ``junit`` for other CI services. Some show only ``plain_feedback``.
"""
