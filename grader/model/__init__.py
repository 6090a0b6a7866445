"""The frozen types that the packages of the grader pass to one another.

Nothing here imports torch at run time: ``import grader`` stays light, and the packages that need tensors import them.
Every type is a frozen dataclass; the ones that are persisted (``SubmissionReport`` and below, ``RunReport``) have a
published JSON Schema in ``grader/report/schema``.

The flow: a ``course`` gives ``Exercise`` objects (``grader.course``); a seed makes ``Case`` objects of them
(``grader.judge.cases``) and each case becomes a ``Program``, the only part of it that the student's process sees.
``grader.submission`` reads a notebook into a ``submission``; ``Check`` and ``Job`` tell ``grader.kernel`` what to run;
its ``execution`` is what came back; ``grader.judge`` comes to a ``judgement`` of it and to an ``ExerciseScore``, of
which the ``report`` is made. ``points`` are added in one way.

The names below are the public ones.
"""

from __future__ import annotations

from grader.model.course import SIZES as SIZES
from grader.model.course import Constant as Constant
from grader.model.course import Course as Course
from grader.model.course import Draw as Draw
from grader.model.course import Exercise as Exercise
from grader.model.course import Sampler as Sampler
from grader.model.course import Variant as Variant
from grader.model.course import can_differ as can_differ
from grader.model.course import place_of as place_of
from grader.model.course import variant_check as variant_check
from grader.model.execution import UNSEEN as UNSEEN
from grader.model.execution import Absence as Absence
from grader.model.execution import Capture as Capture
from grader.model.execution import CaseRun as CaseRun
from grader.model.execution import CellFailure as CellFailure
from grader.model.execution import Check as Check
from grader.model.execution import Ending as Ending
from grader.model.execution import Execution as Execution
from grader.model.execution import Job as Job
from grader.model.execution import Kind as Kind
from grader.model.execution import Limits as Limits
from grader.model.execution import Program as Program
from grader.model.execution import Sandbox as Sandbox
from grader.model.execution import StudentError as StudentError
from grader.model.judgement import Case as Case
from grader.model.judgement import Comparison as Comparison
from grader.model.judgement import Diagnosis as Diagnosis
from grader.model.judgement import Verdict as Verdict
from grader.model.points import total as total
from grader.model.report import CheckScore as CheckScore
from grader.model.report import ExerciseScore as ExerciseScore
from grader.model.report import ExerciseStatus as ExerciseStatus
from grader.model.report import Hints as Hints
from grader.model.report import Override as Override
from grader.model.report import RunReport as RunReport
from grader.model.report import Sample as Sample
from grader.model.report import SubmissionReport as SubmissionReport
from grader.model.report import SubmissionStatus as SubmissionStatus
from grader.model.report import Target as Target
from grader.model.report import Task as Task
from grader.model.submission import Assets as Assets
from grader.model.submission import Cell as Cell
from grader.model.submission import Stub as Stub
from grader.model.submission import Submission as Submission
