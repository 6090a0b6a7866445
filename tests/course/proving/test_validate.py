from __future__ import annotations

import io
import json
import multiprocessing
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.course.loading import load_course
from grader.course.proving.proof_report import CourseProof, ExerciseProof, Problem
from grader.course.proving.proof_table import proof_view
from grader.course.proving.self_checks import refuse_wrong_checks
from grader.course.proving.validate import is_released, validate
from grader.course.releasing.release import release
from grader.errors import CourseError
from tests.course.courses import CELL, COURSE, write_course


def proved(folder: Path, seeds: int = 1, **parts: str) -> CourseProof:
    return validate(load_course(str(write_course(folder, **parts))), seeds=seeds)


def kinds(report: CourseProof) -> set[str]:
    return {problem.kind for problem in report.problems}


def refusal(report: CourseProof) -> Problem:
    """The one problem of an exercise that could not be proved at all."""
    (problem,) = report.problems
    assert problem.kind == "unproved"
    return problem


def shown(report: CourseProof) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(proof_view(report))
    return console.export_text()


def test_validate_of_a_right_course_is_ok(tmp_path: Path) -> None:
    report = proved(tmp_path, seeds=3)
    assert report.ok, report.problems
    (proof,) = report.exercises
    assert proof.gradcheck is True
    assert proof.mutants > 8
    assert proof.margins[0].correct < 0.1
    assert proof.margins[0].wrong > 10


BROKEN: dict[str, dict[str, Any]] = {
    "solution": {"cell": CELL.replace("2 * out.g", "3 * out.g")},
    "stub": {"cell": "def double_grad(inp, out):\n    inp.g = 2 * out.g"},
    "gradcheck": {"course": COURSE.replace("return 2 * inp", "return 2 * inp + inp.detach()")},
    "survivor": {
        "mistakes": '@mistake("double_grad", "wrong_value")\ndef right(inp, out):\n    inp.g = out.g + out.g\n'
    },
    "diagnosis": {"mistakes": '@mistake("double_grad", "zeros")\ndef half(inp, out):\n    inp.g = out.g\n'},
    "variant": {"variants": '@variant("double_grad")\ndef half(inp, out):\n    inp.g = out.g\n'},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_validate_names_what_is_broken(tmp_path: Path, kind: str) -> None:
    report = proved(tmp_path, **BROKEN[kind])
    assert kind in kinds(report)
    assert not report.ok


GIVEN = """%%time
%matplotlib inline
files = !ls
import torch
import tools
FACTOR = 2.0
SHIFT = tools.shift()
trained = double_grad(FACTOR, missing)
assert False, "only what defines something runs"
"""


def test_validate_runs_a_notebook_as_it_stands_beside_its_files(tmp_path: Path) -> None:
    write_course(tmp_path, given=GIVEN, cell=CELL.replace("2 * out.g", "FACTOR * out.g + SHIFT + tools.shift()"))
    (tmp_path / "solutions/tools.py").write_text("def shift():\n    return float(open('data/shift.txt').read())\n")
    (tmp_path / "solutions/data").mkdir()
    (tmp_path / "solutions/data/shift.txt").write_text("0.0")
    before = Path.cwd(), list(sys.path)
    try:
        report = validate(load_course(str(tmp_path / "small.py")), seeds=2)
    finally:
        sys.modules.pop("tools", None)
    assert report.ok, report.problems
    assert (Path.cwd(), sys.path) == before


def test_validate_of_a_wrong_solution_says_so_alone(tmp_path: Path) -> None:
    assert kinds(proved(tmp_path, cell=CELL.replace("2 * out.g", "DELTA * out.g"))) == {"solution"}


def test_variant_that_is_right_is_counted_and_loses_nothing(tmp_path: Path) -> None:
    report = proved(tmp_path, variants='@variant("double_grad")\ndef added(inp, out):\n    inp.g = out.g + out.g\n')
    assert report.ok, report.problems
    assert report.exercises[0].variants == 1


def test_mistake_that_raises_by_accident_is_told_with_its_exception(tmp_path: Path) -> None:
    text = '@mistake("double_grad", "zeros")\ndef slip(inp, out):\n    inp.g = torchh.zeros(3)\n'
    (problem,) = proved(tmp_path, mistakes=text).problems
    assert problem.message.endswith("is called raised, not zeros: NameError: name 'torchh' is not defined")


def test_input_that_never_matters_is_a_survivor_with_what_to_draw(tmp_path: Path) -> None:
    course = COURSE.replace("normal", "uniform").replace("2 * inp", "2 * inp.abs()")
    report = proved(tmp_path, course=course)
    assert kinds(report) == {"survivor"}
    assert "a tensor of ones in the place of `inp` changes nothing in any case; draw it otherwise" in shown(report)


LEARNING_RATE = """
from grader.course import exercise, fixed

NOTEBOOK = "doubling"


@exercise(call="[double_grad(t, peak) for t in range(3)]", inputs={"peak": fixed(0.5)}, points={"result": 2})
def double_grad(peak):
    'A learning rate that doubles.'
    return {"result": [peak, 2 * peak, 4 * peak]}
"""


def test_plain_numbers_of_a_solution_are_told_how_to_be_asked_for(tmp_path: Path) -> None:
    cell = CELL.replace("(inp, out)", "(t, peak)").replace("inp.g = 2 * out.g", "return peak * 2**t")
    (problem,) = proved(tmp_path, course=LEARNING_RATE, cell=cell).problems
    assert problem.message.endswith('plain numbers are asked for by scalars=("result",)')


UNUSUAL = {
    "a loss with one gradient, which has no rows": (
        COURSE.replace(
            """inputs={"inp": normal("n", "d")}""", """inputs={"inp": normal("d", "k"), "x": normal("n", "d")}"""
        )
        .replace("(inp, out)", "(inp, x)")
        .replace("def double_grad(inp)", "def double_grad(inp, x)")
        .replace("2 * inp", "(x @ inp).sum(1).mean()"),
        "def double_grad(inp, x):\n    ### BEGIN SOLUTION\n"
        "    inp.g = x.mean(0)[:, None].expand_as(inp).clone()\n    ### END SOLUTION",
    ),
    "two outputs in one": (
        COURSE.replace(
            '''"double_grad(inp, out)"''', '''"a, b = out\\na.g, b.g = upstream\\ndouble_grad(inp, a, b)"'''
        ).replace("2 * inp", "torch.stack((2 * inp, torch.tanh(inp)))"),
        "def double_grad(inp, a, b):\n    ### BEGIN SOLUTION\n"
        "    inp.g = 2 * a.g + (1 - b**2) * b.g\n    ### END SOLUTION",
    ),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_validate_of_an_unusual_exercise_calls_no_mistake_of_its_own_by_a_false_name(tmp_path: Path, kind: str) -> None:
    course, cell = UNUSUAL[kind]
    report = proved(tmp_path, course=course, cell=cell)
    assert report.ok, report.problems


def test_forward_pass_of_several_tensors_is_told_how_to_give_one(tmp_path: Path) -> None:
    problem = refusal(proved(tmp_path, course=COURSE.replace("return 2 * inp", "return 2 * inp, inp")))
    assert "gives 2 tensors for 'out'" in problem.message
    assert "torch.stack" in problem.remedy


def test_mistake_of_another_name_is_told_with_what_a_student_reads(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, **BROKEN["diagnosis"]).problems
    told = "the mistake half is called missing_factor_two, not zeros: `inp.g` is exactly half of what it should be."
    assert problem.message.startswith(told)


def test_mistake_may_call_the_solution(tmp_path: Path) -> None:
    text = (
        '@mistake("double_grad", "sign_flipped")\ndef turned(inp, out):\n    solution(inp, out)\n    inp.g = -inp.g\n'
    )
    assert proved(tmp_path, mistakes=text).ok


def test_mistake_that_calls_itself_for_the_solution_is_told_its_name(tmp_path: Path) -> None:
    text = '@mistake("double_grad", "zeros")\ndef endless(inp, out):\n    double_grad(inp, out)\n'
    (problem,) = proved(tmp_path, mistakes=text).problems
    assert problem.message.endswith("`double_grad` is the mistake itself here, and the right answer is `solution`")


def test_mistake_that_changes_its_input_is_told(tmp_path: Path) -> None:
    text = '@mistake("double_grad", "input_modified")\ndef changing(inp, out):\n    inp.g = 2 * out.g\n    inp += 1\n'
    assert proved(tmp_path, mistakes=text).ok


ENGINE = "    y = inp.clone().requires_grad_()\n    (2 * y).backward(out.g)\n    inp.g = y.grad\n"


def test_answer_that_uses_autograd_is_no_right_one(tmp_path: Path) -> None:
    variant = f'@variant("double_grad")\ndef engine(inp, out):\n{ENGINE}'
    (problem,) = proved(tmp_path, variants=variant).problems
    assert problem.message.startswith("the variant engine loses inp.g (uses_autograd")


def test_solution_that_uses_autograd_is_told(tmp_path: Path) -> None:
    report = proved(tmp_path, cell=CELL.replace("    inp.g = 2 * out.g", ENGINE.rstrip()))
    assert "uses_autograd" in report.problems[0].message


def test_mistake_may_be_to_use_autograd(tmp_path: Path) -> None:
    assert proved(tmp_path, mistakes=f'@mistake("double_grad", "uses_autograd")\ndef engine(inp, out):\n{ENGINE}').ok


SHORT = COURSE.replace('points={"inp.g": 2},', 'points={"inp.g": 2},\n    time_limit=1.0,')
ENDLESS = "def endless(inp, out):\n    while True:\n        pass\n"


def test_endless_variant_is_told_and_ends(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, course=SHORT, variants=f'@variant("double_grad")\n{ENDLESS}').problems
    assert "the variant endless loses inp.g (timed_out" in problem.message


def test_endless_solution_is_told_and_ends(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, course=SHORT, cell=CELL.replace("inp.g = 2 * out.g", "while True: pass")).problems
    assert "the solution loses inp.g (timed_out" in problem.message


def test_mistake_may_be_endless(tmp_path: Path) -> None:
    assert proved(tmp_path, course=SHORT, mistakes=f'@mistake("double_grad", "timed_out")\n{ENDLESS}').ok


def test_validate_in_two_processes_gives_the_same() -> None:
    course = load_course("grader.course.autograd")
    few = [name for name, exercise in course.exercises.items() if exercise.notebook == "07_trace"]
    alone, together = (validate(course, only=few, seeds=1, jobs=jobs) for jobs in (1, 2))
    assert [proof.exercise for proof in alone.exercises] == few
    assert [proof.margins for proof in alone.exercises] == [proof.margins for proof in together.exercises]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        pytest.param("double_grda", "did you mean 'double_grad'?", id="misspelt"),
        pytest.param("softmax", "it has double_grad", id="of another course"),
    ],
)
def test_validate_only_of_what_is_not_there_is_refused(name: str, remedy: str, tmp_path: Path) -> None:
    course = load_course(str(write_course(tmp_path)))
    with pytest.raises(CourseError, match=f"has no exercise '{name}'") as refused:
        validate(course, only=["double_grad", name])
    assert refused.value.remedy == remedy


def test_interrupt_while_an_answer_runs_ends_the_proof(tmp_path: Path) -> None:
    interrupted = f"import os\n    if os.getpid() == {os.getpid()}:\n        raise KeyboardInterrupt\n"
    variant = f'@variant("double_grad")\ndef f(inp, out):\n    {interrupted}    inp.g = 2 * out.g\n'
    with pytest.raises(KeyboardInterrupt):
        proved(tmp_path, seeds=2, variants=variant)  # the first seed's runs are in a process of their own


def test_interrupt_ends_the_proofs_in_other_processes(tmp_path: Path) -> None:
    def interrupt(seeds: int, total: int) -> None:
        if seeds:
            raise KeyboardInterrupt

    course = load_course(str(write_course(tmp_path)))
    with pytest.raises(KeyboardInterrupt):
        validate(course, seeds=1_000_000, jobs=2, underway=interrupt)  # which would take hours
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_is_told_how_many_seeds_are_done_of_how_many(jobs: int, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    course = load_course(str(write_course(tmp_path)))
    validate(course, seeds=3, jobs=jobs, underway=lambda seeds, total: told.append((seeds, total)))
    assert told == sorted(told)
    assert told[-1] == (3, 3)


def test_progress_is_told_each_exercise(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    def progress(proof: ExerciseProof, done: int, total: int) -> None:
        told.append((proof.exercise, done, total))

    validate(load_course(str(write_course(tmp_path))), quick=True, progress=progress)
    assert told == [("double_grad", 1, 1)]


def test_validate_without_solutions_says_what_to_do(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "solutions" / "doubling.ipynb").unlink()
    with pytest.raises(CourseError) as caught:
        validate(load_course(str(path)))
    assert "--solutions" in caught.value.remedy
    (tmp_path / "solutions").rmdir()
    with pytest.raises(CourseError, match="has no solutions"):
        validate(load_course(str(path)))


def test_validate_before_the_first_release_takes_the_solutions_beside_the_course(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "exercises").rmdir()
    assert validate(load_course(str(path)), quick=True).ok


def test_validate_refuses_a_cell_that_is_not_there(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    notebook = tmp_path / "solutions" / "doubling.ipynb"
    notebook.write_text(notebook.read_text().replace('"exercise": "double_grad"', '"exercise": "other"'))
    problem = refusal(validate(load_course(str(path))))
    assert "has no cell" in problem.message
    assert '"exercise": "double_grad"' in problem.remedy


IMPORT = "import torch\nfrom grader import check\n"


@pytest.mark.parametrize(
    ("given", "message", "remedy"),
    [
        ('check("doubel_grad", course="small")', "is for no exercise of the course", "name one of double_grad"),
        ('check("double_grad")', "looks in the bundled course", 'check("double_grad", course="…")'),
        ("check(double_grad)", "looks in the bundled course", 'check("double_grad", course="…")'),
    ],
    ids=["misspelt", "course left out", "function, course left out"],
)
def test_cell_that_would_check_nothing_is_refused(tmp_path: Path, given: str, message: str, remedy: str) -> None:
    problem = refusal(proved(tmp_path, given=IMPORT + given))
    assert message in problem.message
    assert remedy in problem.remedy


def test_cell_that_checks_the_bundled_exercise_of_that_name_is_refused() -> None:
    bundled = load_course("autograd")
    own = bundled.exercises["mse_grad"]
    cells = [IMPORT + 'check("mse_grad")']

    refuse_wrong_checks(Path("nb"), cells, replace(bundled, exercises={own.id: replace(own, points={"inp.g": 7.0})}))
    other = replace(bundled, exercises={own.id: replace(own, forward=lambda inp, targ: (inp - targ).abs().mean())})
    with pytest.raises(CourseError, match="which has another exercise of that name"):
        refuse_wrong_checks(Path("nb"), cells, other)


@pytest.mark.parametrize(
    "given",
    [
        'check("double_grad", course="small")',
        'check("double_grad", **mine)',
        'check = partial(check, course="small")\ncheck("double_grad")',
        'from builtins import print as check\ncheck("nothing")',
        'class check:\n    def __init__(self, name): pass\ncheck("nothing")',
        'for name in ["double_grad"]:\n    check(name, course="small")',
        "check()",
    ],
    ids=["course named", "options", "a check of its own", "an imported one", "a class", "loop", "everything"],
)
def test_cell_that_checks_an_exercise_is_proved(tmp_path: Path, given: str) -> None:
    assert proved(tmp_path, given=IMPORT + given).ok


def test_variant_that_is_wrong_on_each_seed_is_one_problem(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, seeds=3, **BROKEN["variant"]).problems
    assert (problem.kind, problem.seed) == ("variant", 0)


def test_specimen_of_an_unknown_exercise_is_refused(tmp_path: Path) -> None:
    report = proved(tmp_path, variants='@variant("treble_grad")\ndef f(inp, out):\n    pass\n')
    assert "no exercise" in refusal(report).message


def test_specimen_file_that_does_not_run_is_refused(tmp_path: Path) -> None:
    assert "cannot be run: ZeroDivisionError" in refusal(proved(tmp_path, variants="1 / 0\n")).message


def test_view_names_margins_problems_and_verdict(tmp_path: Path) -> None:
    text = shown(proved(tmp_path, **BROKEN["variant"]))
    assert "double_grad" in text
    assert "the variant half loses inp.g" in text
    assert "A right answer that loses points: fix it" in text
    assert "1 exercise," in text


TWICE = '@mistake("double_grad", "wrong_value")\ndef same(inp, out):\n    inp.g = 3 * out.g\n'
RIGHT = '@variant("double_grad")\ndef same(inp, out):\n    inp.g = out.g * 2\n'


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"mistakes": TWICE + TWICE}, "another same is there already"),
        ({"mistakes": TWICE.replace("same", "torch")}, "another torch is there already"),
        ({"mistakes": TWICE, "variants": RIGHT}, "another same is there already"),
        ({"mistakes": RIGHT}, "same is a variant"),
        ({"variants": TWICE}, "same is a mistake"),
    ],
    ids=["twice", "the notebook's", "in both files", "variant among mistakes", "mistake among variants"],
)
def test_specimen_that_would_hide_another_or_lies_in_the_wrong_file_is_refused(
    tmp_path: Path, parts: dict[str, Any], message: str
) -> None:
    assert message in refusal(proved(tmp_path, **parts)).message


def test_file_of_specimens_for_no_notebook_is_refused(tmp_path: Path) -> None:
    path = write_course(tmp_path, mistakes=TWICE)
    (tmp_path / "solutions/mistakes/_shared.py").write_text("")
    validate(load_course(str(path)), quick=True)
    (tmp_path / "solutions/mistakes/doublings.py").write_text("")
    with pytest.raises(CourseError, match="belongs to no notebook") as caught:
        validate(load_course(str(path)))
    assert caught.value.remedy.startswith("remove it, or ")


def test_metadata_of_another_form_are_told(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    notebook = tmp_path / "solutions" / "doubling.ipynb"
    notebook.write_text(
        notebook.read_text().replace('{"grader": {"exercise": "double_grad"}}', '{"grader": "double_grad"}')
    )
    assert "metadata say 'grader': 'double_grad'" in refusal(validate(load_course(str(path)))).message


def test_solution_of_another_format_is_told(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "solutions" / "doubling.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "cells": [{}]}')
    assert "is no notebook of format 4" in refusal(validate(load_course(str(path)))).message


@pytest.mark.parametrize(
    ("line", "error"),
    [("print(treble)", "NameError: name 'treble' is not defined"), ("print(]", "SyntaxError: ")],
)
def test_cell_that_does_not_run_is_told_with_its_line(tmp_path: Path, line: str, error: str) -> None:
    message = refusal(proved(tmp_path, cell=f"{CELL}\n\n{line}")).message
    assert error in message
    assert message.endswith("(the cell of 'double_grad', line 6)")


UNUSABLE = {
    "random forward pass": (
        "return 2 * inp",
        "return 2 * inp + torch.randn(())",
        "another 'out' comes of the same seed",
    ),
    "random sampler": (
        'normal("n", "d")',
        'computed("float", "n", "d", by=lambda case: np.random.rand(*case.shape(("n", "d"))))',
        "another 'inp' comes of the same seed",
    ),
    "NaN": ("return 2 * inp", "return torch.sqrt(inp)", "gives NaN or infinity for 'out'"),
    "infinity": ("return 2 * inp", "return torch.sqrt(inp * 0)", "gives NaN or infinity for 'inp.g'"),
    "changed in place": ("return 2 * inp", "y = inp.exp()\n    y += 1\n    return y", "autograd cannot go back"),
    "input not taken": ("def double_grad(inp)", "def double_grad()", "autograd gives 'inp' no gradient"),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_forward_pass_that_no_answer_can_agree_with_is_refused(tmp_path: Path, fault: str) -> None:
    old, new, told = UNUSABLE[fault]
    course = COURSE.replace(old, new).replace("normal\n", "computed, normal\n").replace("import torch", IMPORTS)
    course = course.replace("return 2 * inp", "return torch.ones(3)") if "taken" in fault else course
    assert told in refusal(proved(tmp_path, course=course)).message


IMPORTS = "import numpy as np\nimport torch"


def measured(share: str) -> str:
    """The course with a measure that gives ``share``."""
    function = f'def share(actual, expected):\n    """All are right."""\n    return {share}\n\n\n@exercise('
    return COURSE.replace("@exercise(", function).replace('points={"inp.g": 2},', 'points={"inp.g": 2}, measure=share,')


def test_measure_that_tells_right_from_wrong_is_proved(tmp_path: Path) -> None:
    assert proved(tmp_path, course=measured("torch.isclose(actual.double(), expected).double().mean()")).ok


@pytest.mark.parametrize(
    ("share", "told"),
    [
        ("1 / 0", "raised ZeroDivisionError: division by zero"),
        ("None", "gives None"),
        ("'x'", "gives 'x'"),
        ("float('nan')", "gives nan"),
        ("actual", "gives tensor("),
    ],
)
def test_measure_that_gives_no_share_is_refused(tmp_path: Path, share: str, told: str) -> None:
    problem = refusal(proved(tmp_path, course=measured(share)))
    assert told in problem.message
    assert "a number from 0 to 1" in problem.remedy


@pytest.mark.parametrize("share", ["1.0", "7.0"])
def test_measure_that_gives_all_to_whatever_comes_is_a_problem(tmp_path: Path, share: str) -> None:
    report = proved(tmp_path, course=measured(share))
    assert [problem.message for problem in report.problems] == [
        "the mistake zeros in inp.g loses nothing",
        "the mistake ones in inp.g loses nothing",
    ]


def test_gradient_of_an_input_without_effect_is_told(tmp_path: Path) -> None:
    report = proved(tmp_path, course=COURSE.replace("return 2 * inp", "return 0 * inp"))
    assert "zeros are expected in every case" in report.problems[0].message


BY_A_MASK = (
    COURSE.replace("out)", "out, k)")
    .replace('"d")}', '"d"), "k": integers("n", "d", high=HIGH)}')
    .replace("exercise, normal\n", "Variant, exercise, integers, normal\n")
    .replace("double_grad(inp)", "double_grad(inp, k)")
    .replace("2 * inp", "2 * inp * k")
)
MASKED = CELL.replace("out)", "out, k)").replace("2 * out", "2 * k * out")


def test_zeros_that_are_right_in_every_case_are_a_survivor(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, course=BY_A_MASK.replace("HIGH", "1"), cell=MASKED).problems
    told = "the mistake filled_with_zeros in inp.g loses nothing: zeros are expected in every case"
    assert (problem.kind, problem.message[: len(told)]) == ("survivor", told)


def test_value_of_zeros_in_every_case_is_on_purpose(tmp_path: Path) -> None:
    report = proved_result(tmp_path, 'normal("n", "d")', "{'result': torch.zeros_like(inp)}", "torch.zeros_like(inp)")
    assert not any("filled_with_zeros" in problem.message for problem in report.problems), report.problems


def test_zeros_that_a_variant_has_points_of_its_own_for_are_on_purpose(tmp_path: Path) -> None:
    variant = 'variants=(Variant("shut", {"k": integers("n", "d", high=1)}, points={"inp.g": 1}),)'
    course = BY_A_MASK.replace("HIGH", "2").replace('points={"inp.g": 2}', f'points={{"inp.g": 2}},\n    {variant}')
    report = proved(tmp_path, course=course, cell=MASKED)
    assert report.ok, report.problems


def test_gradcheck_names_the_input(tmp_path: Path) -> None:
    report = proved(tmp_path, **BROKEN["gradcheck"])
    assert any(problem.message.endswith("with respect to 'inp'") for problem in report.problems), report.problems


def test_release_that_is_not_of_the_solutions_is_seen(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "exercises").rmdir()
    assert is_released(load_course(str(path)))
    release(tmp_path / "solutions", tmp_path / "exercises")
    course = load_course(str(path))
    assert is_released(course)
    notebook = tmp_path / "solutions/doubling.ipynb"
    text = notebook.read_text()
    notebook.write_text(text.replace("import torch", "import math"))
    assert not is_released(course)
    notebook.write_text(text.replace("### END SOLUTION", ""))
    assert not is_released(course)


def tagged(folder: Path, tag: object) -> Problem:
    """What is told of a course in whose solution the answer's cell has this tag."""
    path = write_course(folder)
    notebook = folder / "solutions" / "doubling.ipynb"
    notebook.write_text(notebook.read_text().replace('"exercise": "double_grad"', f'"exercise": {json.dumps(tag)}'))
    return refusal(validate(load_course(str(path))))


@pytest.mark.parametrize(("tag", "told"), [("duoble_grad", ", but one that is tagged 'duoble_grad'"), ("other", "")])
def test_tag_that_is_misspelt_is_told(tmp_path: Path, tag: str, told: str) -> None:
    assert tagged(tmp_path, tag).message.endswith(f"doubling.ipynb has no cell for it{told}")


@pytest.mark.parametrize("tag", [["double_grad"], {"id": "double_grad"}, 7])
def test_tag_that_is_no_name_is_told(tmp_path: Path, tag: object) -> None:
    assert f"a cell's metadata say 'grader': {{'exercise': {tag!r}}}" in tagged(tmp_path, tag).message


def test_markers_that_do_not_pair_are_told_with_their_cell(tmp_path: Path) -> None:
    message = refusal(proved(tmp_path, cell=CELL.replace("    ### END SOLUTION", ""))).message
    assert message.endswith("doubling.ipynb, the cell of 'double_grad': BEGIN in line 2 has no END")


def test_two_cells_of_one_tag_are_refused(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    notebook = tmp_path / "solutions" / "doubling.ipynb"
    document = json.loads(notebook.read_text())
    document["cells"].append({**document["cells"][-1], "id": "c"})
    notebook.write_text(json.dumps(document))
    assert "has 2 cells for it" in refusal(validate(load_course(str(path)))).message


@pytest.mark.parametrize(
    "cell",
    [
        "### BEGIN SOLUTION\ndef double_grad(inp, out):\n    inp.g = 2 * out.g\n### END SOLUTION",
        """class double_grad:
    'double_grad(inp, out) sets inp.g.'
    ### BEGIN SOLUTION
    def __init__(self, inp, out):
        inp.g = 2 * out.g
    ### END SOLUTION""",
    ],
    ids=["cell", "class"],
)
def test_solution_may_be_all_of_a_definition(tmp_path: Path, cell: str) -> None:
    report = proved(tmp_path, cell=cell)
    assert report.ok, report.problems


TREBLE = COURSE[COURSE.index("@exercise") :].replace("double_grad", "treble_grad").replace("2 * inp", "3 * inp")


def test_exercise_that_cannot_be_proved_spoils_only_itself(tmp_path: Path) -> None:
    report = proved(tmp_path, course=f"{COURSE}\n\n{TREBLE}")
    assert refusal(report).exercise == "treble_grad"
    assert [proof.cases > 0 for proof in report.exercises] == [True, False]
    assert 'give its cell the metadata {"grader": {"exercise": "treble_grad"}}' in shown(report)


def test_problem_of_a_whole_notebook_is_told_once(tmp_path: Path) -> None:
    report = proved(tmp_path, variants="1 / 0\n")
    (proof,) = report.exercises
    other = replace(proof, exercise="other", problems=(replace(refusal(report), exercise="other"),))
    text = shown(replace(report, exercises=(proof, other)))
    assert "double_grad, other: " in text
    assert text.count("ZeroDivisionError") == 1


STATISTICS = """
from torch.nn.functional import batch_norm

from grader.course import exercise, normal, uniform

NOTEBOOK = "doubling"


@exercise(
    call="double_grad(inp, out, mean, var)",
    inputs={"inp": normal("n", "d"), "mean": normal("d"), "var": uniform("d", low=0.5, high=2.0)},
    points={"inp.g": 2},
)
def double_grad(inp, mean, var):
    'Batch normalisation by given statistics.'
    return batch_norm(inp, mean, var, eps=0.0)
"""


def test_argument_that_no_answer_needs_is_no_mistake_to_ignore(tmp_path: Path) -> None:
    course = COURSE.replace("out)", "out, spare)").replace('"d")}', '"d"), "spare": normal("n")}')
    report = proved(tmp_path, course=course, cell=CELL.replace("out)", "out, spare)"))
    assert report.ok, report.problems


def test_argument_that_is_the_same_in_every_case_is_a_survivor(tmp_path: Path) -> None:
    course = (
        COURSE.replace("out)", "out, k)")
        .replace('"d")}', '"d"), "k": fixed(2)}')
        .replace("normal\n", "fixed, normal\n")
    )
    report = proved(tmp_path, course=course, cell=CELL.replace("out)", "out, k)").replace("2 * out", "k * out"))
    (problem,) = report.problems
    told = (
        "the mistake k_of_the_first_call loses nothing: draw `k`, by number() or another, or give a Variant another one"
    )
    assert problem.message == told


def test_forward_pass_may_take_what_torch_has_no_gradient_of(tmp_path: Path) -> None:
    cell = CELL.replace("inp, out)", "inp, out, mean, var)").replace("2 * out.g", "out.g / var.sqrt()")
    report = proved(tmp_path, course=STATISTICS, cell=cell)
    assert report.ok, report.problems
    assert report.exercises[0].gradcheck is True


CLIPPING = """
from grader.course import exercise, normal

NOTEBOOK = "doubling"


@exercise(call="double_grad(p)", inputs={"p": normal("n"), "p.g": normal("n")}, points={"p.g": 2}, in_place=("p.g",))
def double_grad(p_g):
    'A gradient tripled in place.'
    return {"p.g": 3 * p_g}
"""


def test_gradient_that_is_an_input_may_be_changed_in_place(tmp_path: Path) -> None:
    cell = CELL.replace("(inp, out)", "(p)").replace("inp.g = 2 * out.g", "p.g.mul_(3)")
    report = proved(tmp_path, course=CLIPPING, cell=cell)
    assert report.ok, report.problems


#: What gives whole tensors, not gradients: how its input is drawn, its forward pass, its solution.
GIVEN_AS_RESULTS = {
    "a mapping by NumPy": ('normal("n", "d")', '{"result": torch.from_numpy(3 * inp.numpy())}', "3 * inp"),
    "a mapping by a step in place": ('normal("n", "d")', '{"result": inp.mul_(3)}', "3 * inp"),
    "whole numbers": ('integers("n", high=9)', "inp.double() / 3", "inp / 3"),
}


def proved_result(folder: Path, drawn: str, forward: str, answer: str) -> CourseProof:
    course = COURSE.replace("(inp, out)", "(inp)").replace("exercise, normal", "exercise, integers, normal")
    course = course.replace('normal("n", "d")', drawn).replace('"inp.g"', '"result"').replace("2 * inp", forward)
    cell = CELL.replace("(inp, out)", "(inp)").replace("inp.g = 2 * out.g", f"return {answer}")
    return proved(folder, course=course, cell=cell)


@pytest.mark.parametrize("kind", GIVEN_AS_RESULTS)
def test_forward_pass_that_autograd_has_nothing_to_do_with_is_proved_without_gradcheck(
    tmp_path: Path, kind: str
) -> None:
    report = proved_result(tmp_path, *GIVEN_AS_RESULTS[kind])
    assert report.ok, report.problems
    assert report.exercises[0].gradcheck is None


def test_forward_pass_that_autograd_cannot_run_is_a_problem_of_its_own(tmp_path: Path) -> None:
    (problem,) = proved_result(tmp_path, 'normal("n", "d")', "torch.from_numpy(3 * inp.numpy())", "3 * inp").problems
    assert (problem.kind, problem.message[:27]) == ("gradcheck", "gradcheck: Can't call numpy")
