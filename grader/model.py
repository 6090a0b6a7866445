"""The frozen types that the wings pass to one another.

Nothing here imports torch at run time: ``import grader`` stays light, and the wings that need tensors import them.
Every type is a frozen dataclass; the ones that are persisted (``SubmissionReport`` and below, ``RunReport``) have a
published JSON Schema in ``grader/report/schema``.

The flow: a course gives ``Exercise`` objects (``grader.course``); a seed makes ``Case`` objects of them
(``grader.judge.cases``) and each case becomes a ``Program``, the only part of it that the student's process sees.
``grader.submission`` reads a notebook into a ``Submission``; ``Check`` and ``Job`` tell the kernel wing what to run;
``Execution`` is what came back; ``grader.judge`` turns it into an ``ExerciseScore``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from grader.errors import CourseError

if TYPE_CHECKING:
    from numpy import ndarray
    from numpy.random import RandomState
    from torch import Tensor

#: A value that is passed to the student's process as itself, not as a tensor: anything ``ast.literal_eval`` reads.
Constant = Union[int, float, bool, str, None, "tuple[Constant, ...]"]

#: Sizes that a letter may get where the author names none. No 2 and no 4: a factor of two must not look like a size.
SIZES = (3, 5, 6, 7, 8, 9, 10, 11)

# -------------------------------------------------------------------------------------------------- course


@dataclass(frozen=True, slots=True)
class Draw:
    """What a sampler may use: a seeded generator, the sizes of the case by letter, and the case's magnitude."""

    rng: RandomState
    sizes: Mapping[str, int]
    magnitude: float
    drawn: Mapping[str, Any]

    def shape(self, dims: tuple[str | int, ...]) -> tuple[int, ...]:
        """``("n", 1)`` → ``(7, 1)``."""
        return tuple(self.sizes[dim] if isinstance(dim, str) else dim for dim in dims)


@dataclass(frozen=True, slots=True)
class Sampler:
    """How one input is drawn: ``dims`` are its sizes by letter (or a number), ``draw`` makes the values.

    ``kind`` is ``float`` (a tensor of the case's dtype, differentiated by the reference), ``int`` (an int64 tensor) or
    ``constant`` (a plain Python value).
    """

    kind: Literal["float", "int", "constant"]
    dims: tuple[str | int, ...]
    draw: Callable[[Draw], ndarray[Any, Any] | Constant]
    letters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.letters:
            object.__setattr__(self, "letters", tuple(dim for dim in self.dims if isinstance(dim, str)))


@dataclass(frozen=True, slots=True)
class Variant:
    """A further case of an exercise that its author names: other samplers or constants, fixed sizes, a magnitude.

    With ``points`` of its own, the variant's expressions are checks of their own, named ``"p (momentum)"``; without,
    it is one more case of the exercise's checks.
    """

    label: str
    inputs: Mapping[str, Sampler] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    points: Mapping[str, float] | None = None
    magnitude: float = 1.0
    dtype: Literal["float32", "float64"] = "float32"


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is asked of a student, declared through ``grader.course.exercise`` by writing the forward pass.

    id, title, notebook: the name of the stub, one line for the report, the stem of the notebook it stands in.
    forward: takes the inputs that it names as parameters (``p.g`` as ``p_g``), as float64 tensors, and returns what
        autograd differentiates; or a mapping of check → expected value, where the answer is not a gradient.
    inputs: a sampler for each input; ``"p.g"`` is the attribute ``g`` of the input ``p``.
    call: the code run in the student's process (``Program.call``). It may use ``out`` (the true output, carrying a
        random upstream gradient ``out.g``) and ``upstream`` (that gradient) without declaring them.
    points: check → points. A check is a path read after the call, or a key of ``reads`` or of ``raises``.
    reads: check → the path read for it, where the check's name is not the path.
    expects: check → the name of the expected tensor, where that is not the check's own name: ``"w.g"`` is autograd's
        gradient of ``w``, ``"out"`` what ``forward`` returns.
    needs: the names that a student must have defined, by default the id.
    follows: the exercises whose stubs this one calls.
    autograd: whether autograd is the subject here, and so allowed.
    globals: inputs bound in the notebook's namespace. in_place: inputs that the stub must modify.
    numpy: inputs are NumPy arrays. rerun: the student's tagged cell is run in place of ``call``.
    scalars: checks that may be a plain number, or a list of them. registered: checks that must be ``nn.Parameter`` s.
    raises: expression → name of the builtin exception that it must raise.
    variants, standard: cases that the author names; whether the standard ones are made too.
    ones: letters of which a case of size one is made. batch: the letter that counts samples, or None where none does.
    sizes: letter → sizes it may have. magnitudes: the scales of the standard large and small cases.
    tolerance: multiplies the tolerance of the dtype.
    time_limit: seconds for all cases together, in place of the limit of the run. loops_flagged: whether a loop over
        single elements in the source is flagged for a human.
    measure: in place of comparison, gives the share of a check's points from ``(actual, expected)``; the first
        paragraph of its docstring is told to students as the goal.
    hints: check → what a student is asked where no known mistake explains a wrong value of it.
    gradcheck: whether ``forward`` can be proved by ``torch.autograd.gradcheck``.
    """

    id: str
    title: str
    notebook: str
    forward: Callable[..., Any]
    inputs: Mapping[str, Sampler]
    call: str
    points: Mapping[str, float]
    reads: Mapping[str, str] = field(default_factory=dict)
    expects: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    autograd: bool = False
    globals: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    numpy: bool = False
    rerun: bool = False
    scalars: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    raises: Mapping[str, str] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()
    standard: bool = True
    ones: tuple[str, ...] | None = None
    batch: str | None = "n"
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    magnitudes: tuple[float, ...] = (1e3, 1e-3)
    tolerance: float = 1.0
    measure: Callable[[Any, Any], float] | None = None
    time_limit: float | None = None
    loops_flagged: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)
    gradcheck: bool = True

    def fault(self, message: str, *, field: str = "", remedy: str) -> CourseError:
        """The error that this declaration is broken, with the line where it stands."""
        return CourseError(message, exercise=self.id, field=field, place=place_of(self.forward), remedy=remedy)

    @property
    def possible(self) -> float:
        """The sum of all points, those of the variants included."""
        return sum(self.checks.values())

    @property
    def checks(self) -> dict[str, float]:
        """Every check with its points, in the order of the declaration."""
        checks = dict(self.points)
        for variant in self.variants:
            for name, points in (variant.points or {}).items():
                checks[variant_check(name, variant)] = points
        return checks

    def base_name(self, check: str) -> str:
        """``"p (momentum)"`` → ``"p"``; the name of a check that belongs to no variant is itself."""
        if check in self.points:
            return check
        for variant in self.variants:
            for name in variant.points or {}:
                if check == variant_check(name, variant):
                    return name
        return check

    def path_of(self, check: str) -> str:
        """The path that is read for a check."""
        plain = self.base_name(check)
        return self.reads.get(plain, plain)

    def expected_name(self, check: str) -> str:
        """The name under which a check's expected tensor is known, where its declaration says or it is the same."""
        plain = self.base_name(check)
        return self.expects.get(plain, plain)


def place_of(forward: Callable[..., Any]) -> str:
    """``"/courses/logistic.py, line 12"``: where a forward pass is declared; empty for what is no function."""
    code = getattr(forward, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if code is not None else ""


def variant_check(name: str, variant: Variant) -> str:
    """``"p (momentum)"``: the name of a check that belongs to one variant alone."""
    return f"{name} ({variant.label})"


@dataclass(frozen=True, slots=True)
class Course:
    """A set of exercises under a name.

    ``notebooks`` are the stems in their order; ``exercises_dir`` is the folder of the released notebooks, or None;
    ``files`` are all that the course is made of: its module, or whatever lies in its package's folder. ``private`` is
    what graded notebooks must not read: its package and those of the other installed courses.
    """

    name: str
    exercises: Mapping[str, Exercise]
    exercises_dir: Path | None = None
    files: tuple[Path, ...] = ()
    private: tuple[Path, ...] = ()

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks' stems, sorted by name: their numbers give the order."""
        return tuple(dict.fromkeys(exercise.notebook for exercise in self.exercises.values()))


# ---------------------------------------------------------------------------------------------- submission


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell of a notebook.

    ``index`` counts all cells of the notebook from 0, Markdown included, so that a message can name the cell as the
    student sees it. ``exercise`` is the id in the cell's ``{"grader": {"exercise": …}}`` metadata, or None.
    """

    index: int
    source: str
    exercise: str | None = None


@dataclass(frozen=True, slots=True)
class Stub:
    """Where an exercise's answer stands in a notebook.

    ``cell`` is the ``Cell.index`` after which the check runs (the last one, where several names are needed);
    ``line`` the 1-based line of the definition in that cell; ``source`` the code of the definition or cell;
    ``found_by`` is ``"metadata"`` or ``"name"``; ``flags`` are remarks for a human ("defined 3 times").
    """

    exercise: str
    cell: int
    line: int
    source: str
    found_by: Literal["metadata", "name"]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """Who handed in what.

    ``path`` is the notebook on disk, or the student's folder when it holds no notebook; ``shown_path`` is how reports
    name it (relative to what was given on the command line, ``archive.zip!ada/nb.ipynb`` inside an archive).
    ``unreadable`` is the reason when the notebook could not be read; then ``cells`` is empty. ``assets`` is the folder
    whose regular files are there for the notebook in its job folder, or None; with ``assets_below`` those in its
    folders are too. ``flags`` are remarks for a human.
    """

    student: str
    notebook: str
    path: Path
    shown_path: str
    sha256: str
    cells: tuple[Cell, ...] = ()
    total_cells: int = 0
    stubs: Mapping[str, Stub] = field(default_factory=dict)
    assets: Path | None = None
    assets_below: bool = True
    unreadable: str | None = None
    flags: tuple[str, ...] = ()


# -------------------------------------------------------------------------------------------------- kernel

#: What confines student code, best first.
Sandbox = Literal["bwrap", "landlock", "none"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a submission may use. Seconds are wall-clock, sizes bytes."""

    cell_s: float = 30.0
    check_s: float = 10.0
    submission_s: float = 300.0
    memory: int = 4 * 1024**3
    processes: int = 64
    open_files: int = 1024
    written: int = 256 * 1024**2
    printed: int = 1024**2
    result: int = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Program:
    """One case of one exercise, as the student's process sees it: what to bind, what to run, what to read.

    ``call`` is Python source, run as the body of a function whose globals are the notebook's namespace and whose
    parameters are the inputs, so that a stub which uses a global in place of its argument does not find it. The value
    of a last expression statement is bound to ``result``. ``tensors`` maps a name (``"inp"``) or an attribute of one
    (``"out.g"``) to its value; ``constants`` are bound as they are. Names in ``globals`` are bound in the notebook's
    namespace instead. Each path in ``poison`` (``"inp.g"``) is preset to a tensor full of NaN of the owner's shape.
    ``reads`` are the paths captured afterwards: a name, then attributes, ``[0]`` and ``['key']``. ``raises`` are
    expressions evaluated after the call, each for the exception it raises. With ``numpy`` the inputs are handed over
    as NumPy arrays. With ``rerun`` the student's own cell is executed in the notebook's namespace in place of
    ``call``, after the names read have been deleted from it.
    """

    case: str
    call: str
    tensors: Mapping[str, Tensor]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    globals: tuple[str, ...] = ()
    poison: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    numpy: bool = False
    rerun: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One exercise to be checked after a cell.

    ``needs`` are the names the student must have defined. ``source`` is the student's cell, for ``Program.rerun``.
    ``autograd`` tells whether autograd is allowed. ``time_limit`` (seconds for all programs) overrides
    ``Limits.check_s``.
    """

    exercise: str
    cell: int
    needs: tuple[str, ...]
    programs: tuple[Program, ...]
    autograd: bool = False
    source: str | None = None
    time_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What the kernel wing runs for one submission: its code cells in order, and the checks after them."""

    name: str
    cells: tuple[Cell, ...]
    checks: tuple[Check, ...]
    assets: Path | None = None
    assets_below: bool = True


#: How a case ended in the student's process.
Ending = Literal[
    "returned",  # the call came back; captures tell the rest
    "raised",  # an exception of the student's; NotImplementedError too
    "not_defined",  # a name in ``Check.needs`` is not there
    "timed_out",
    "crashed",  # the process died: signal, os._exit, forged result
    "memory_exceeded",
    "output_exceeded",  # more printed, written or returned than the limits allow
]

#: What a capture holds, seen by the harness: ``parameter`` is an ``nn.Parameter`` that its module has registered.
Kind = Literal["tensor", "parameter", "ndarray", "scalar", "sequence"]

#: Why an expression has no tensor: the name or attribute is absent; it is None; it is the poison, untouched; it is
#: something else (``detail`` names the type); its dtype cannot be carried (``detail`` names it).
Absence = Literal["missing", "none", "untouched", "not_a_tensor", "unsupported"]


@dataclass(frozen=True, slots=True)
class Capture:
    """One expression of one case: a tensor, or why there is none."""

    tensor: Tensor | None = None
    kind: Kind = "tensor"
    absence: Absence | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StudentError:
    """An exception in student code. All text is the student's: untrusted, bounded, to be escaped.

    ``bases`` are the names of the *builtin* exception classes it derives from, most derived first. ``line`` is 1-based
    in the student's own cell ``cell``, with ``code`` that line's text; None where no frame of theirs is in it.
    ``operands`` describes the tensors that met on that line (``"inp (7, 5)"``).
    """

    type: str
    message: str
    bases: tuple[str, ...] = ()
    cell: int | None = None
    line: int | None = None
    code: str = ""
    operands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRun:
    """What came back of one ``Program``.

    ``captures`` maps each path of ``Program.reads``; ``inputs`` each tensor of ``Program.tensors`` to its value after
    the call (a name that is absent was not carried back); ``errors`` maps each expression of ``Program.raises`` to the
    exception it raised or None. ``extras`` are tensors found where nobody asked for them, for the diagnosis only:
    ``"result"``, ``"w.grad"``, ``"layer.b"``, the name of a new global. ``autograd`` names the entry point of autograd
    that was called, or is None. ``printed`` is the (cut) text that the call wrote to stdout.
    """

    case: str
    ended: Ending
    captures: Mapping[str, Capture] = field(default_factory=dict)
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    errors: Mapping[str, StudentError | None] = field(default_factory=dict)
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    error: StudentError | None = None
    autograd: str | None = None
    printed: str = ""


@dataclass(frozen=True, slots=True)
class CellFailure:
    """A cell that did not end well. ``error`` is one line for the report, ``"NameError: name 'x' is not defined"``."""

    cell: int
    error: str
    ended: Literal["raised", "timed_out", "crashed", "memory_exceeded", "output_exceeded"] = "raised"


@dataclass(frozen=True, slots=True)
class Execution:
    """What running one submission gave.

    ``ended`` is ``finished`` when every cell was run or skipped for a reason of its own; ``timed_out`` when the time
    of the submission was up, ``crashed`` when the kernel could not be kept alive; checks made before then are kept in
    ``checks`` (exercise → one ``CaseRun`` per program; an exercise whose check was never reached is absent).
    ``outputs`` is the text printed by each cell (cut), by ``Cell.index``; ``seconds`` is the time that all took.
    """

    ended: Literal["finished", "timed_out", "crashed"]
    checks: Mapping[str, tuple[CaseRun, ...]] = field(default_factory=dict)
    failures: tuple[CellFailure, ...] = ()
    outputs: Mapping[int, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    seconds: float = 0.0


# --------------------------------------------------------------------------------------------------- judge


@dataclass(frozen=True, slots=True)
class Case:
    """An exercise on seeded values.

    ``program`` is what the student's process sees of it, ``inputs`` what the grader keeps (the same tensors, and the
    upstream gradient), ``sizes`` the letters of the samplers (``n=7``), ``checks`` the names of what is judged.
    """

    exercise: str
    label: str
    program: Program
    inputs: Mapping[str, Tensor]
    constants: Mapping[str, Constant]
    sizes: Mapping[str, int]
    upstream: Tensor | None
    checks: tuple[str, ...]

    def number(self, name: str, default: float | None = None) -> float:
        """The constant of that name; raises ``LookupError`` where there is none, or it is no number."""
        value = self.constants.get(name, default)
        if not isinstance(value, int | float):
            raise LookupError(f"the case has no number {name!r}")
        return float(value)

    def describe(self) -> str:
        """``"batch of one: n=1, i=5, o=3"``, as a report names the case."""
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        return f"{self.label}: {sizes}" if sizes else self.label


#: How much a report helps: with nothing, with ``Diagnosis.hint``, or with its ``explanation`` too.
Hints = Literal["none", "nudge", "full"]

#: Whose form grades are exported in.
Target = Literal["canvas", "moodle", "gradescope", "brightspace", "csv"]

Verdict = Literal[
    "close",
    "absent",
    "not_a_tensor",
    "wrong_shape",
    "wrong_dtype",
    "non_finite",
    "different",
]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An actual tensor beside the expected one. ``worst`` is the index of the largest error."""

    verdict: Verdict
    actual_shape: tuple[int, ...] | None = None
    expected_shape: tuple[int, ...] | None = None
    max_abs_error: float | None = None
    tolerance: float | None = None
    worst: tuple[int, ...] | None = None
    worst_actual: float | None = None
    worst_expected: float | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The mistake that explains a failed check.

    ``code`` is public; ``message`` says what was seen and what makes it, ``hint`` is a nudge that gives nothing away,
    ``explanation`` what to do about it.
    """

    code: str
    message: str
    hint: str = ""
    explanation: str = ""


# --------------------------------------------------------------------------------------------------- report


@dataclass(frozen=True, slots=True)
class Sample:
    """Expected and actual values of a failed check, cut to what a small heat map shows: rows of at most 12 × 12."""

    expected: tuple[tuple[float, ...], ...]
    actual: tuple[tuple[float, ...], ...]
    worst: tuple[int, int] | None
    cut: bool


@dataclass(frozen=True, slots=True)
class CheckScore:
    """One checked expression of an exercise. Only one whose exercise has a ``measure`` can be ``partial``."""

    name: str
    status: Literal["passed", "failed", "partial", "grader_error"]
    score: float
    possible: float
    case: str | None = None
    diagnosis: Diagnosis | None = None
    expected_shape: tuple[int, ...] | None = None
    actual_shape: tuple[int, ...] | None = None
    max_abs_error: float | None = None
    worst: tuple[int, ...] | None = None
    worst_actual: float | None = None
    worst_expected: float | None = None
    sample: Sample | None = None


ExerciseStatus = Literal["passed", "partial", "failed", "not_implemented", "missing", "grader_error"]
SubmissionStatus = Literal[
    "graded", "unreadable", "crashed", "timed_out", "no_exercises", "not_assigned", "grader_error"
]


@dataclass(frozen=True, slots=True)
class Task:
    """An exercise as it was asked for in a run: what a human may rule on where there is no answer to judge."""

    id: str
    title: str
    notebook: str
    possible: float


@dataclass(frozen=True, slots=True)
class Override:
    """That a human gave an exercise's points, and why; ``graded`` are the grader's own, None where it gave none."""

    graded: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class ExerciseScore:
    """One exercise of one submission.

    ``cell`` is the cell of its stub, ``line`` the line in it; ``printed`` what the stub printed during the check (cut);
    ``follows_from`` the exercises whose failure explains this one's. Where there is an ``override``, ``score`` and
    ``status`` are the human's, and the checks what the grader found.
    """

    id: str
    title: str
    status: ExerciseStatus
    score: float
    possible: float
    checks: tuple[CheckScore, ...] = ()
    flags: tuple[str, ...] = ()
    cell: int | None = None
    line: int | None = None
    printed: str = ""
    follows_from: tuple[str, ...] = ()
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class SubmissionReport:
    """The result of one submission, as stored in the gradebook.

    ``score`` is None where nothing can be said (``unreadable``, ``grader_error``): a fault of the grader or of a file
    never looks like a student's zero.
    """

    student: str
    notebook: str
    path: str
    sha256: str
    status: SubmissionStatus
    score: float | None
    possible: float
    seconds: float
    total_cells: int = 0
    failed_cells: tuple[CellFailure, ...] = ()
    exercises: tuple[ExerciseScore, ...] = ()
    flags: tuple[str, ...] = ()
    reason: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether there was nothing to grade, for the ``reason`` given, and a human ruled on it all the same."""
        return self.status == "graded" and bool(self.reason)


@dataclass(frozen=True, slots=True)
class RunReport:
    """A whole run: what ``report.json`` holds.

    ``assigned`` are the exercises that count, with their points, also where they were not handed in; where it is empty
    every student's total is of what they handed in. ``absent`` are those of whom the class list says that they belong
    to the class, and who handed in nothing. ``course_digest`` is a hash of all that the course was made of, empty where
    it is not known.
    """

    grader_version: str
    course: str
    seed: int
    torch_version: str
    sandbox: str
    submissions: tuple[SubmissionReport, ...]
    schema_version: int = 1
    assigned: Mapping[str, float] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    course_digest: str = ""
