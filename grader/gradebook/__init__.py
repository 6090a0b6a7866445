"""What was graded, kept from run to run.

``book`` is the gradebook, in a ``file`` that is one run's alone; ``codec`` makes a row of it. ``run_head`` is what it
records when a run begins, ``overrides`` are the points that a human gives in place of the grader's, in a table too
(``ruling_file``), ``doubts`` tell which of them may not be right any more.
"""
