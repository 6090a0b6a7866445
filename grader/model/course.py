"""What is asked of students: a course, its exercises, and how the inputs of one are drawn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from inspect import getdoc, isfunction, signature
from math import isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from grader.errors import CourseError
from grader.model.points import total
from grader.model.submission import Assets

if TYPE_CHECKING:
    from numpy import ndarray
    from numpy.random import RandomState


#: A value that is passed to the student's process as itself, not as a tensor: anything ``ast.literal_eval`` reads.
Constant = Union[int, float, bool, str, None, "tuple[Constant, ...]"]

#: Sizes that a letter may get where the author names none. No 2 and no 4: a factor of two must not look like a size.
SIZES = (3, 5, 6, 7, 8, 9, 10, 11)


def can_differ(choices: Sequence[Collection[int]]) -> bool:
    """Whether each can have one of its choices that no other has (a bipartite matching, by augmenting paths).

    >>> can_differ([(3, 5, 6), (3, 5), (3,)]), can_differ([(3, 5), (3, 5), (3, 5)])
    (True, False)
    """
    held: dict[int, int] = {}

    def settles(place: int, tried: set[int]) -> bool:
        for choice in choices[place]:
            if choice not in tried:
                tried.add(choice)
                if choice not in held or settles(held[choice], tried):
                    held[choice] = place
                    return True
        return False

    return all(settles(place, set()) for place in range(len(choices)))


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
        autograd differentiates; or a mapping of check → expected value, where the answer is not a gradient. It runs
        without grad: one that goes back itself does that under ``torch.enable_grad()``.
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
    numpy: inputs and answers are NumPy arrays. rerun: the student's tagged cell is run in place of ``call``.
    scalars: checks that may be a plain number, or a list of them. registered: checks that must be ``nn.Parameter`` s.
    raises: expression → name of the builtin exception that it must raise.
    variants, standard: cases that the author names; whether the standard ones are made too.
    ones: letters of which a case of size one is made. batch: the letter that counts samples, or None where none does;
        by default ``n``, or the first one where no letter is called so.
    sizes: letter → sizes it may have. magnitudes: the scales of the standard large and small cases.
    tolerance: multiplies the tolerance of the dtype.
    time_limit: seconds for all cases together, in place of the limit of the run. loops_flagged: whether a loop over
        single elements in the source is flagged for a human.
    measure: in place of comparison, gives the share of a check's points from ``(actual, expected)``; the first
        paragraph of its docstring is told to students as the goal.
    answers_in: where answers can be looked up in place of being worked out, as dotted names of modules or parts of the
        names of files; an answer that reaches there is flagged for a human.
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
    answers_in: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)
    gradcheck: bool = True

    def fault(self, message: str, *, field: str = "", remedy: str) -> CourseError:
        """The error that this declaration is broken, with the line where it stands."""
        return CourseError(message, exercise=self.id, field=field, place=place_of(self.forward), remedy=remedy)

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the samplers, in the order in which they first stand there."""
        return tuple(dict.fromkeys(letter for sampler in self.inputs.values() for letter in sampler.letters))

    def sizes_of(self, letter: str) -> tuple[int, ...]:
        """The sizes that a letter may have: the declared ones, or those that stand in no shape as a number."""
        numbers = {dim for sampler in self.inputs.values() for dim in sampler.dims}
        return tuple(self.sizes.get(letter, [size for size in SIZES if size not in numbers]))

    @property
    def possible(self) -> float:
        """The sum of all points, those of the variants included."""
        return total(self.checks.values())

    @property
    def checks(self) -> dict[str, float]:
        """Every check with its points, in the order of the declaration."""
        checks = dict(self.points)
        for variant in self.variants:
            for name, points in (variant.points or {}).items():
                checks[variant_check(name, variant)] = points
        return checks

    @property
    def parameters(self) -> tuple[str, ...]:
        """The inputs that the forward pass takes, in its order: ``"p.g"`` for its parameter ``p_g``."""
        by_parameter = {name.replace(".", "_"): name for name in self.inputs}
        return tuple(by_parameter[name] for name in _parameters_of(self.forward))

    def run_forward(self, values: Mapping[str, Any]) -> Any:
        """What the forward pass makes of ``values``, by the names of the inputs; raises whatever it raises."""
        return self.forward(**{name.replace(".", "_"): values[name] for name in self.parameters})

    def share(self, actual: Any, expected: Any) -> float:
        """The share of a measured check's points, 0 to 1, that a tensor earns beside the expected one.

        Raises:
            CourseError: ``measure`` raised, or gave no number.
        """
        assert self.measure is not None
        try:
            given = self.measure(actual, expected)
        except Exception as error:
            raise self._unmeasured(f"raised {type(error).__name__}: {error}") from error
        try:
            share = float(given)
        except (TypeError, ValueError, RuntimeError):
            share = nan
        if isnan(share):
            raise self._unmeasured(f"gives {given!r:.80}")
        return min(1.0, max(0.0, share))

    def _unmeasured(self, message: str) -> CourseError:
        remedy = "let it give a number from 0 to 1 for any two tensors (actual, expected) of one shape"
        return self.fault(message, field="measure", remedy=remedy)

    @property
    def goal(self) -> str:
        """The first paragraph of what ``measure`` says of itself; empty where that is no function with a docstring."""
        text = getdoc(self.measure) if isfunction(self.measure) else None
        return (text or "").partition("\n\n")[0].replace("\n", " ")

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


@cache
def _parameters_of(forward: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(signature(forward).parameters)


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
    ``assets`` are the other files in it, such as data, which every notebook finds when it is graded. ``files`` are all
    that the course is made of: its module, or whatever lies in its package's folder. ``private`` is what graded
    notebooks must not read: its package and those of the other installed courses.
    """

    name: str
    exercises: Mapping[str, Exercise]
    exercises_dir: Path | None = None
    assets: tuple[Assets, ...] = ()
    files: tuple[Path, ...] = ()
    private: tuple[Path, ...] = ()

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The notebooks' stems, sorted by name: their numbers give the order."""
        return tuple(dict.fromkeys(exercise.notebook for exercise in self.exercises.values()))

    def asked_beside(self, exercise: Exercise) -> set[str]:
        """The names that the other exercises ask for."""
        return {name for other in self.exercises.values() if other is not exercise for name in other.needs}
