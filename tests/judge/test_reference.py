"""Expected tensors: autograd in float64, or what the forward pass says itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grader.course import exercise, fixed, integers, normal, number
from grader.errors import CourseError
from grader.judge.cases import prepare
from grader.judge.reference import forward_value, reference_for
from grader.model import Variant
from tests.judge.builders import cases, linear


@exercise(
    call="loss(x)",
    inputs={"x": normal("n")},
    points={"result": 1, "x.g": 1},
    variants=(Variant("half", points={"result": 1}),),
    notebook="small",
)
def loss(x):
    """Sum of squares."""
    return (x**2).sum()


@exercise(call="table(x, k)", inputs={"x": normal("n"), "k": fixed(3)}, points={"result": 1}, reads={"result": "y"})
def table(x, k):
    """A mapping."""
    return {"result": [1.0, 2.0, k]}


X = torch.tensor([1.0, -2.0], requires_grad=True)


def test_scalar_loss_is_differentiated_directly():
    found = reference_for(loss, {"x": X}, {}, None)
    assert found["x.g"].tolist() == [2.0, -4.0]
    assert found["result"].item() == found["result (half)"].item() == 5.0
    assert found["x.g"].dtype == torch.float64
    assert X.grad is None


def test_upstream_weighs_a_tensor_result():
    case = cases(linear)[0].case
    assert case.upstream is not None
    found = reference_for(linear, case.inputs, {}, case.upstream)
    torch.testing.assert_close(found["b.g"], case.upstream.double().sum(0))
    torch.testing.assert_close(found["w.g"], case.inputs["inp"].double().T @ case.upstream.double())


def test_input_that_the_result_does_not_depend_on_has_a_gradient_of_zeros():
    unused = replace(linear, forward=lambda inp, w, b: inp @ w)
    case = cases(linear)[0].case
    assert case.upstream is not None
    found = reference_for(unused, case.inputs, {}, case.upstream)
    assert torch.equal(found["b.g"], torch.zeros_like(case.inputs["b"]).double())
    torch.testing.assert_close(found["w.g"], case.inputs["inp"].double().T @ case.upstream.double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
def test_forward_pass_that_changes_its_input_changes_none_of_the_case(dtype):
    given = torch.ones(2, dtype=dtype)
    assert forward_value(replace(linear, forward=lambda inp: inp.add_(1)), {"inp": given}, {}).tolist() == [2, 2]
    assert given.tolist() == [1, 1]


def test_mapping_gives_the_values_itself():
    assert reference_for(table, {"x": X}, {"k": 3}, None)["result"].tolist() == [1, 2, 3]


def test_failing_forward_pass_names_exercise_and_shapes():
    with pytest.raises(CourseError, match=r"inp \(2,\)"):
        forward_value(linear, {"inp": torch.ones(2), "w": torch.ones(3, 3), "b": torch.ones(3)}, {})


def test_forward_pass_that_goes_back_itself_is_told_to_enable_grad():
    def trained(w):
        """One step of training."""
        held = w.clone().requires_grad_()
        (held**2).sum().backward()
        return {"w": w - held.grad}

    with pytest.raises(CourseError, match="does not require grad") as caught:
        forward_value(replace(linear, forward=trained), {"w": torch.ones(2)}, {})
    assert "with torch.enable_grad():" in caught.value.remedy


def test_check_without_expectation_is_refused():
    declared = exercise(call="odd(x)", inputs={"x": normal("n")}, points={"y": 1})

    def odd(x):
        """Nothing for y."""
        return x

    with pytest.raises(CourseError, match="field 'points': nothing is expected of 'y'"):
        reference_for(declared(odd), {"x": torch.ones(2)}, {}, torch.ones(2))


@pytest.mark.parametrize("gives", [lambda x: x, lambda x: {"x.g": x}], ids=["tensor", "mapping"])
def test_misspelt_expectation_is_refused_although_the_check_has_a_value_of_its_own_name(gives):
    declared = exercise(call="odd(x)", inputs={"x": normal("n")}, points={"x.g": 1}, expects={"x.g": "nonsense"})

    def odd(x):
        """Something for x.g."""
        return gives(x)

    with pytest.raises(CourseError, match=r"field 'expects': .* 'x\.g'"):
        reference_for(declared(odd), {"x": torch.ones(2)}, {}, torch.ones(2))


def test_check_that_the_mapping_lacks_is_refused():
    declared = exercise(call="step(p)", inputs={"p": normal("n")}, points={"p.g": 1})

    def step(p):
        """Nothing for p.g."""
        return {"p": 2 * p}

    with pytest.raises(CourseError, match=r"has nothing for 'p\.g' \(.*test_reference\.py, line \d+\)") as caught:
        reference_for(declared(step), {"p": torch.ones(2)}, {}, None)
    assert caught.value.remedy == "add 'p.g' to it, or name one of p"


def test_answer_that_is_no_gradient_leaves_its_graph_behind():
    declared = exercise(call="step(p, lr)", inputs={"p": normal("n"), "lr": number(0.1, 0.2)}, points={"result": 1})

    def step(p, lr):
        """A formula, as an author writes it."""
        return {"result": (1 - lr) * p}

    assert not reference_for(declared(step), {"p": torch.ones(2)}, {"lr": 0.1}, None)["result"].requires_grad


def test_base_name_drops_the_variant():
    assert loss.base_name("result (half)") == "result"
    assert loss.base_name("result") == "result"


def test_input_cut_off_from_the_result_is_named():
    def cut(x, w):
        """A product that autograd does not see."""
        return (x @ w).detach()

    declared = exercise(call="cut(x, w)", inputs={"x": normal("n", "i"), "w": normal("i", "o")}, points={"w.g": 1})(cut)
    with pytest.raises(CourseError, match="autograd gives 'w' no gradient") as refused:
        prepare(declared, 1)
    assert "detach" in refused.value.remedy


@pytest.mark.parametrize("given", [number(1, 2), integers("n", high=3)], ids=["plain value", "integers"])
def test_input_that_has_no_gradient_is_to_be_drawn_as_floats(given):
    def scaled(x, w):
        """A product with what torch gives no gradient."""
        return x * w

    declared = exercise(call="scaled(x, w)", inputs={"x": normal("n"), "w": given}, points={"w.g": 1})(scaled)
    with pytest.raises(CourseError, match=r"field 'inputs': autograd gives 'w' no gradient") as refused:
        prepare(declared, 1)
    assert "draw 'w' as floats" in refused.value.remedy
