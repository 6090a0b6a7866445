"""The bundled course keeps to its contract, exercise by exercise."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from grader.course.autograd import capstone
from grader.course.loading import load_course
from grader.judge.cases import Prepared, prepare
from grader.model import Exercise

COURSE = load_course("grader.course.autograd")
CONTRACT = {
    "01_tensors": "outer_difference residual sum_to_shape",
    "02_gradients": ("dot_grad polynomial_vjp matvec_jacobian mse_vector_grad matvec_mse_grad two_layer_linear_grad"),
    "03_backprop": "lin_grad relu_grad mse_grad forward_and_backward",
    "04_layers": "Relu Lin Mse Model Module ReluModule LinModule MseModule Linear",
    "05_two_layer_network": (
        "numpy_grads torch_grads train_by_hand train_with_autograd train_module train_with_optimizer"
    ),
    "06_optimizers": "sgd_step SGD Adam resnet_step",
    "07_trace": "trace updated",
    "08_beyond": (
        "sigmoid_grad tanh_grad gelu_grad cross_entropy_grad layernorm_grad batchnorm_grad embedding_grad conv2d_grad "
        "attention_grad Value"
    ),
    "09_capstone": "train predict",
}
EXERCISES = tuple(COURSE.exercises.values())


@cache
def prepared(name: str, seed: int) -> tuple[Prepared, ...]:
    """The cases of a seed, made once for all tests, which only read them."""
    return prepare(COURSE.exercises[name], seed)


def test_every_exercise_of_the_contract_is_there_in_its_notebook() -> None:
    found = {stem: [e.id for e in EXERCISES if e.notebook == stem] for stem in COURSE.notebooks}
    assert {stem: set(names) for stem, names in found.items()} == {
        stem: set(names.split()) for stem, names in CONTRACT.items()
    }


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_cases_of_a_seed_are_the_same_and_of_another_seed_are_others(exercise: Exercise) -> None:
    first, again, other = prepared(exercise.id, 1), prepare(exercise, 1), prepared(exercise.id, 2)
    for one, same in zip(first, again, strict=True):
        assert one.case.constants == same.case.constants
        assert all(torch.equal(one.case.inputs[name], same.case.inputs[name]) for name in one.case.inputs)
        assert all(torch.equal(one.expected[check], same.expected[check]) for check in one.expected)
    assert any(
        one.case.sizes != two.case.sizes
        or any(not torch.equal(one.case.inputs[name], two.case.inputs[name]) for name in one.case.inputs)
        for one, two in zip(first, other, strict=True)
    )


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_sizes_of_a_case_differ_and_none_is_two_or_four(exercise: Exercise) -> None:
    for seed in range(3):
        for one in prepared(exercise.id, seed):
            sizes = [size for size in one.case.sizes.values() if size != 1]
            assert len(set(sizes)) == len(sizes), one.case.describe()
            assert not {2, 4} & set(sizes), one.case.describe()


def test_sizes_of_a_convolution_s_output_are_no_other_size_of_a_case() -> None:
    for one in (one for seed in range(3) for one in prepared("conv2d_grad", seed)):
        sizes = one.case.sizes
        if 1 not in (sizes["k"], sizes["l"]):  # a kernel of one leaves an axis as it is
            _, _, *out = one.case.program.tensors["out"].shape
            assert len({*out}) == len(out), one.case.describe()
            assert not {*out} & {*sizes.values()}, one.case.describe()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_check_is_made_in_some_case(exercise: Exercise) -> None:
    made = {check for one in prepared(exercise.id, 0) for check in one.case.checks}
    assert made == set(exercise.checks)


def test_classes_of_held_back_digits_stay_with_the_grader() -> None:
    (one,) = prepare(capstone.train, 5)
    tensors = one.case.program.tensors
    assert set(tensors) == {"x", "y", "held_back"}
    assert len(one.expected["result"]) == len(tensors["held_back"])
    rows = {row.numpy().tobytes() for row in tensors["x"]}
    assert not any(row.numpy().tobytes() in rows for row in tensors["held_back"])


@pytest.mark.parametrize(("right", "share"), [(0, 0.0), (10, 0.0), (50, 0.0), (95, 1.0), (100, 1.0), (77, 0.6)])
def test_accuracy_earns_in_proportion_from_half_to_95_percent(right: int, share: float) -> None:
    expected = torch.arange(100)
    actual = torch.where(torch.arange(100) < right, expected, -1)
    assert capstone.accuracy_share(actual, expected) == pytest.approx(share)


def test_predictions_must_be_each_row_s_own() -> None:
    batch = torch.tensor([1, 2, 3])
    assert capstone.row_by_row_share(batch, batch) == 1.0
    assert capstone.row_by_row_share(torch.tensor([1, -1, 3]), batch) == 0.0
    assert capstone.row_by_row_share(torch.zeros(3, dtype=torch.int64), batch) == 0.0
