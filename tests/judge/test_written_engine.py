"""Scalar engines with one mistake: what is said of it, in every check that shows it, and nothing of another."""

from __future__ import annotations

import pytest

from tests.judge.answered import answered, assert_not_told, assert_told, assert_unsaid, evidence, whole

ENGINE = """
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.pass_on = data, {initial}, parents, lambda: None

    def lift(self, o):
        return o if isinstance(o, Value) else Value(o)

    def __add__(self, o):
        o = self.lift(o)
        out = Value(self.data + o.data, (self, o))
        def pass_on():
            self.grad {add}
            o.grad {add}
        out.pass_on = pass_on
        return out

    def __mul__(self, o):
        o = self.lift(o)
        out = Value(self.data * o.data, (self, o))
        def pass_on():
            self.grad {mul} {left}
            o.grad {mul} {right}
        out.pass_on = pass_on
        return out

    def made(self, data, slope):
        out = Value(data, (self,))
        def pass_on():
            self.grad += slope(out)
        out.pass_on = pass_on
        return out

    def __pow__(self, n):
        if isinstance(n, Value):
            return {nodes}
        return self.made(self.data**n, lambda out: {pow})

    def log(self):
        return self.made(math.log(self.data), lambda out: out.grad / self.data)

    def __rpow__(self, n):
        return self.made(n**self.data, lambda out: {rpow})

    def __neg__(self):
        return {neg}

    def __sub__(self, o):
        return {less}

    def __rsub__(self, o):
        return {rsub}

    def __truediv__(self, o):
        o = self.lift(o)
        out = Value(self.data / o.data, (self, o))
        def pass_on():
            self.grad += out.grad / o.data
            o.grad += {div}
        out.pass_on = pass_on
        return out

    def __rtruediv__(self, o):
        return self.lift(o) / self

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made({cut}, lambda out: {relu})

    def tanh(self):
        return self.made(math.tanh(self.data), lambda out: {tanh})

    def exp(self):
        return self.made(math.exp(self.data), lambda out: {exp})

    def backward(self):
        nodes, seen = [], set()
        def visit(node):
            {before}
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            {behind}
        visit(self)
        self.grad = {seed}
        for node in {walk}:
            node.pass_on()
"""
RIGHT = {
    "initial": "0.0",
    "add": "+= out.grad",
    "mul": "+=",
    "left": "o.data * out.grad",
    "right": "self.data * out.grad",
    "pow": "n * self.data ** (n - 1) * out.grad",
    "rpow": "out.data * math.log(n) * out.grad",
    "nodes": "(n * self.log()).exp()",
    "neg": "self * -1",
    "less": "self + -self.lift(o)",
    "cut": "max(self.data, 0.0)",
    "rsub": "self.lift(o) - self",
    "div": "-self.data / o.data**2 * out.grad",
    "relu": "(out.data > 0) * out.grad",
    "tanh": "(1 - out.data**2) * out.grad",
    "exp": "out.data * out.grad",
    "before": "if node in seen: return",
    "behind": "nodes.append(node)",
    "seed": "1.0",
    "walk": "nodes[::-1]",
}
#: What is changed, what is said of it, the code, and the number of checks that are told.
WRONG: dict[str, tuple[dict[str, str], str, str, int]] = {
    "add_unweighted": ({"add": "+= 1.0"}, "`+` does not multiply by", "wrong_value", 4),
    "mul_unweighted": ({"left": "o.data", "right": "self.data"}, "`*` does not multiply by", "wrong_value", 10),
    "tanh_passes_nothing_on": ({"tanh": "0.0"}, "`tanh` passes nothing on", "wrong_value", 1),
    "tanh_unweighted": ({"tanh": "1 - out.data**2"}, "`tanh` does not multiply by", "wrong_value", 1),
    "pow_unweighted": ({"pow": "n * self.data ** (n - 1)"}, "`**` does not multiply by", "wrong_value", 1),
    "own_factors": (
        {"left": "self.data * out.grad", "right": "o.data * out.grad"},
        "each factor of `*` gets its own value",
        "wrong_value",
        10,
    ),
    "plus_for_minus": ({"less": "self + self.lift(o)"}, "x − y gives x + y", "wrong_value", 4),
    "leaky": (
        {"cut": "max(self.data, 0.01 * self.data)", "relu": "(1 if self.data > 0 else 0.01) * out.grad"},
        "as a leaky one does",
        "wrong_value",
        2,
    ),
    "leaky_forward": (
        {"cut": "max(self.data, 0.01 * self.data)"},
        "1 % of what is negative",
        "wrong_value",
        1,
    ),
    "first_by_itself": ({"left": "self.data * out.grad"}, "the first factor of `*` gets its own", "wrong_value", 10),
    "second_by_itself": ({"right": "o.data * out.grad"}, "the second factor of `*` gets its own", "wrong_value", 5),
    "not_negated": ({"neg": "self * 1", "less": "self + -o"}, "−x gives x", "wrong_value", 4),
    "left_alone": ({"right": "0.0"}, "nothing on to its second operand", "wrong_value", 9),
    "assigned": ({"mul": "=", "add": "= out.grad"}, "have to be added", "overwritten", 8),
    "exponent_kept": ({"pow": "n * self.data**n * out.grad"}, "the exponent is not lowered", "wrong_value", 1),
    "one_from_the_power": ({"pow": "(n * self.data**n - 1) * out.grad"}, "1 is taken from the power", "wrong_value", 1),
    "factor_missing": ({"pow": "self.data ** (n - 1) * out.grad"}, "the factor n is missing", "wrong_value", 1),
    "exponent_as_a_number": (
        {"nodes": "self ** n.data"},
        "an exponent that is a node gets no gradient",
        "wrong_value",
        1,
    ),
    "base_as_a_number": (
        {"nodes": "(n * math.log(self.data)).exp()"},
        "its logarithm is a plain number",
        "wrong_value",
        1,
    ),
    "no_logarithm": ({"rpow": "out.data * out.grad"}, "without the logarithm", "wrong_value", 1),
    "divisor_plus": ({"div": "self.data / o.data**2 * out.grad"}, "without the minus", "wrong_value", 1),
    "divisor_unsquared": ({"div": "-self.data / o.data * out.grad"}, "without the square", "wrong_value", 1),
    "negated_number": ({"neg": "Value(-self.data)"}, "the negation passes nothing on", "wrong_value", 2),
    "subtracted_from_itself": ({"rsub": "self - o"}, "the node less the number", "wrong_value", 2),
    "tanh_one_left_out": ({"tanh": "-(out.data**2) * out.grad"}, "the 1 is left out", "wrong_value", 1),
    "tanh_unsquared": ({"tanh": "(1 - out.data) * out.grad"}, "1 − tanh", "wrong_value", 1),
    "tanh_of_input": ({"tanh": "(1 - self.data**2) * out.grad"}, "of its input", "wrong_value", 1),
    "exp_of_input": ({"exp": "self.data * out.grad"}, "exp goes back as its input x", "wrong_value", 2),
    "exp_as_power": ({"exp": "self.data * math.exp(self.data - 1) * out.grad"}, "a power of x", "wrong_value", 2),
    "relu_by_value": ({"relu": "out.data * out.grad"}, "relu goes back as its", "wrong_value", 1),
    "relu_at_zero": ({"relu": "(self.data >= 0) * out.grad"}, "exactly 0", "mask_at_zero", 1),
    "no_seed": ({"seed": "0.0"}, "the result itself", "zeros", 12),
    "seed_of_value": ({"seed": "self.data"}, "the value of the result", "wrong_value", 12),
    "gradients_from_one": ({"initial": "1.0"}, "begins at 1", "wrong_value", 12),
    "from_the_inputs": ({"walk": "nodes"}, "only the last operation", "wrong_value", 12),
    "by_branches": (
        {"before": "if node in seen: return\n            nodes.append(node)", "behind": "pass", "walk": "nodes"},
        "before all of it has come in",
        "wrong_value",
        1,
    ),
    "every_path": (
        {"before": "nodes.append(node)", "behind": "pass", "walk": "nodes"},
        "passes its gradient on twice",
        "wrong_value",
        1,
    ),
}


def engine(**changed: str) -> str:
    return ENGINE.format(**{**RIGHT, **changed})


def test_engine_without_a_mistake_passes() -> None:
    assert answered("Value", engine()) == {}


@pytest.mark.parametrize("name", WRONG)
def test_mistake_in_an_engine_is_named_in_every_check_that_shows_it(name: str) -> None:
    changed, said, code, count = WRONG[name]

    found = answered("Value", engine(**changed))

    assert len(found) == count
    assert {diagnosis.code for diagnosis in found.values()} == {code}
    assert all(said in whole(diagnosis) for diagnosis in found.values())


#: Formats of the engine, what is written in place of what, and the operation that is told of.
OVERWRITING: dict[str, tuple[dict[str, str], tuple[str, str], str]] = {
    "first_of_sum": ({}, ("self.grad += out.grad\n", "self.grad = out.grad\n"), "`+`"),
    "second_of_sum": ({}, ("o.grad += out.grad\n", "o.grad = out.grad\n"), "`+`"),
    "first_of_product": ({}, ("self.grad += o.data", "self.grad = o.data"), "`*`"),
    "second_of_product": ({}, ("o.grad += self.data", "o.grad = self.data"), "`*`"),
    "first_of_quotient": ({}, ("self.grad += out.grad / o", "self.grad = out.grad / o"), "`/`"),
    "second_of_quotient": ({}, ("o.grad += -self", "o.grad = -self"), "`/`"),
    "power": ({"pow": f"{RIGHT['pow']}, True"}, ("", ""), "`**`"),
    "power_of_number": ({"rpow": f"{RIGHT['rpow']}, True"}, ("", ""), "a number to the power of a node"),
    "negation": ({"neg": "self.made(-self.data, lambda out: -out.grad, True)"}, ("", ""), "the negation"),
    **{name: ({name: f"{RIGHT[name]}, True"}, ("", ""), f"`{name}`") for name in ("relu", "tanh", "exp")},
}


@pytest.mark.parametrize("name", OVERWRITING)
def test_engine_that_writes_over_one_operand_is_told_the_same_in_every_order(name: str) -> None:
    changed, written, said = OVERWRITING[name]
    source = engine(**changed).replace(*written, 1).replace("slope):", "slope, over=False):")
    source = source.replace("self.grad += slope(out)", "self.grad = slope(out) + (0.0 if over else self.grad)")
    shuffled = source.replace("in node.parents", "in RANDOM.sample(node.parents, len(node.parents))")

    found, *others = (
        answered("Value", f"import random\nRANDOM = random.Random({order})\n{shuffled}") for order in range(4)
    )

    assert found
    assert all(f"when {said} writes over" in whole(diagnosis) for diagnosis in found.values())
    assert all(other == found for other in others)


@pytest.mark.parametrize("name", ["tanh_unweighted", "exp_of_input", "every_path", "add_unweighted"])
@pytest.mark.parametrize("nodes", ["Value(self.data ** n)", "1 / 0"])
def test_mistake_is_named_in_an_engine_that_knows_no_powers_of_two_nodes(name: str, nodes: str) -> None:
    changed, said, code, _ = WRONG[name]

    found = answered("Value", engine(**changed, nodes=nodes))

    assert all(said in whole(found[check]) for check in found if "two nodes" not in check)
    assert code in {diagnosis.code for diagnosis in found.values()}


def test_two_mistakes_in_an_engine_are_named_apart() -> None:
    found = answered("Value", engine(tanh="(1 - out.data) * out.grad", exp="out.data"))

    assert "1 − tanh" in whole(found["grads (tanh)"])
    assert "`exp` does not multiply" in whole(found["grads (exp)"])


def test_contributions_that_are_replaced_are_told_beside_another_mistake() -> None:
    found = answered("Value", engine(mul="=", add="= out.grad", tanh="(1 - out.data) * out.grad"))

    replaced = [check for check, told in found.items() if "one of several contributions" in told.message]
    assert len(replaced) == 6
    assert "grads (a node used twice)" in replaced


@pytest.mark.parametrize(
    ("changed", "check", "false"),
    [
        ({"seed": "-1.0"}, "grads (/)", "without the minus"),
        ({"neg": "self * 1"}, "grads (-)", "with the same sign"),
        ({"less": "self + self.lift(o) * 1.5"}, "grads (relu)", "is exactly 0"),
        ({"relu": "(self.data > 1) * out.grad"}, "grads (relu)", "one of several contributions"),
    ],
)
def test_mistake_that_looks_like_another_in_one_formula_is_not_called_so(
    changed: dict[str, str], check: str, false: str
) -> None:
    assert_not_told("Value", engine(**changed), check, false)


def test_subtraction_of_its_own_without_the_chain_rule_is_no_mask() -> None:
    source = engine().replace(
        "        return self + -self.lift(o)",
        "        o = self.lift(o)\n        out = Value(self.data - o.data, (self, o))\n        def pass_on():\n"
        "            self.grad += 1.0\n            o.grad -= 1.0\n        out.pass_on = pass_on\n        return out",
    )

    found = answered("Value", source)

    assert set(found) == {"grads (-)", "grads (relu)"}
    assert all("`-` does not multiply" in whole(diagnosis) for diagnosis in found.values())


def test_numbers_near_zero_hide_no_wrong_derivative() -> None:
    source = engine(tanh="(1 - self.data**2) * out.grad")

    for seed in range(60):
        assert not all(one.passed for one in evidence("Value", source, seed).findings["grads (tanh)"])


def test_number_that_a_quotient_multiplies_is_the_last_factor_as_in_any_product() -> None:
    source = engine(right="o.data * out.grad").replace("return self.lift(o) / self", "return o * self ** -1")
    source = source.replace("def __truediv__(self, o):", "def __truediv__(self, o):\n        return self * o ** -1")

    assert "the second factor of `*` gets its own" in whole(answered("Value", source)["grads (/)"])


def test_gradient_that_is_multiplied_into_itself_is_not_called_a_mistake_of_each_operation() -> None:
    source = engine(left="o.data * self.grad", right="self.data * o.grad")

    found = answered("Value", source)

    assert len(found) == 10
    for diagnosis in found.values():
        assert_unsaid(diagnosis, "passes nothing on", "the divisor of x/y gets")


def test_quotient_the_other_way_round_is_named() -> None:
    source = engine().replace("def __truediv__(", "def under(")
    source += "\n    def __truediv__(self, o):\n        return self.lift(o).under(self)\n"

    found = answered("Value", source)

    assert set(found) == {"out.data (/)", "grads (/)"}
    assert all("x / y gives y / x" in whole(diagnosis) for diagnosis in found.values())


@pytest.mark.parametrize("name", ["own_factors", "mul_unweighted", "exp_of_input"])
def test_mistake_shows_in_a_power_that_is_put_together_from_a_logarithm(name: str) -> None:
    changed, said, code, _ = WRONG[name]
    source = engine(**changed).replace(
        "self.made(n**self.data, lambda out: out.data * math.log(n) * out.grad)", "(self * math.log(n)).exp()"
    )

    found = answered("Value", source)

    assert "grads (**)" in found
    assert {diagnosis.code for diagnosis in found.values()} == {code}
    assert all(said in whole(diagnosis) for diagnosis in found.values())


@pytest.mark.parametrize("nodes", ["(n * self.log()).exp()", "(self.log() * n).exp()"])
def test_product_that_passes_half_of_it_on_is_named_whatever_stands_first_in_a_power(nodes: str) -> None:
    found = answered("Value", engine(right="0.0", nodes=nodes))

    assert "grads (** of two nodes)" in found
    assert all("nothing on to its second operand" in whole(diagnosis) for diagnosis in found.values())


def test_unknown_mistake_in_an_engine_gets_no_name() -> None:
    found = answered("Value", engine(tanh="(1.3 - out.data**3) * out.grad"))

    assert "None of the usual" in whole(found["grads (tanh)"])


def test_order_is_pointed_at_where_only_inner_results_are_off() -> None:
    by_use = "(node for node in nodes[::-1] if node.parents and sum(node in up.parents for up in nodes) > 1)"
    found = answered("Value", engine(walk=f"[*nodes[::-1], *{by_use}]"))

    assert list(found) == ["grads (a diamond)"]
    assert "look at the order of the nodes" in whole(found["grads (a diamond)"])


ENGINE_OF_ITS_OWN = """
import math

class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = float(data), 0.0, parents

    @staticmethod
    def of(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, {add})

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, other):
        other = Value.of(other)
        out = self.data**other.data
        log = math.log(self.data) if self.data > 0 else 0.0
        return Value(out, [(self, other.data * self.data ** (other.data - 1)), (other, out * log)])

    def relu(self):
        return Value({relu}, [(self, {slope})])

    def tanh(self):
        return Value(math.tanh(self.data), [(self, 1 - math.tanh(self.data) ** 2)])

    def exp(self):
        return Value(math.exp(self.data), [(self, math.exp(self.data))])

    def __neg__(self): return self * -1
    def __sub__(self, other): return self + -Value.of(other)
    def __truediv__(self, other): return self * Value.of(other) ** -1
    def __radd__(self, other): return Value.of(other) + self
    def __rmul__(self, other): return Value.of(other) * self
    def __rsub__(self, other): return Value.of(other) - self
    def __rtruediv__(self, other): return Value.of(other) / self
    def __rpow__(self, other): return Value.of(other) ** self

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = {seed}
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
"""
RIGHT_PARTS = {
    "add": "[(self, 1.0), (other, 1.0)]",
    "relu": "max(self.data, 0.0)",
    "slope": "float(self.data > 0)",
    "seed": "1.0",
}
#: What differs from the right engine, the check, what is said, and the code.
ENGINES: dict[str, tuple[dict[str, str], str, str]] = {
    "second_operand_of_a_sum": ({"add": "[(self, 1.0)]"}, "grads (a node used twice)", "second operand"),
    "second_operand_with_a_number": ({"add": "[(self, 1.0)]"}, "grads (+)", "second operand"),
    "begins_with_two": ({"seed": "2.0"}, "grads (tanh)", "begins with 2, in place of 1"),
    "begins_with_minus_one": ({"seed": "-1.0"}, "grads (*)", "begins with −1, in place of 1"),
    "relu_left_out": ({"relu": "self.data"}, "out.data (relu)", "relu gives back what comes in"),
    "relu_left_out_both_ways": (
        {"relu": "self.data", "slope": "1.0"},
        "out.data (relu)",
        "relu gives back what comes in",
    ),
}


def engine_with(**parts: str) -> str:
    source = ENGINE_OF_ITS_OWN
    for name, part in {**RIGHT_PARTS, **parts}.items():
        source = source.replace(f"{{{name}}}", part)
    return source


def test_engine_of_its_own_is_right() -> None:
    assert answered("Value", engine_with()) == {}


@pytest.mark.parametrize("name", ENGINES)
def test_engine_with_one_part_changed_is_told_which(name: str) -> None:
    parts, check, said = ENGINES[name]

    assert_told("Value", engine_with(**parts), check, said)


def test_contribution_that_was_never_passed_on_is_not_said_to_be_replaced() -> None:
    found = answered("Value", engine_with(add="[(self, 1.0)]"))

    assert "grads (a node used twice)" in found
    for one in found.values():
        assert_unsaid(one, "replaced the one before")


#: What is written in place of what, a check and what is said of it, another and the same, and what would be false.
FORWARD: dict[str, tuple[tuple[str, str], str, str, str, str]] = {
    "difference": (
        ("return self + -o\n", "return -self + o\n"),
        "out.data (relu)",
        "in every formula with `-`, and in no other",
        "grads (relu)",
        "is exactly 0",
    ),
    "quotient": (
        ("Value(self.data / o.data", "Value(self.data * o.data"),
        "out.data (/)",
        "in every formula with `/`, and in no other",
        "grads (/)",
        "the divisor of x/y gets",
    ),
    "tangent": (
        ("math.tanh(self.data)", "1.0"),
        "out.data (tanh)",
        "in every formula with `tanh`, and in no other",
        "grads (tanh)",
        "`tanh` passes nothing on",
    ),
    "product": (
        ("self.data * o.data, (self", "self.data, (self"),
        "out.data (**)",
        "`*` gives its first operand alone",
        "grads (**)",
        "goes back as",
    ),
}


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("seed", [7, 11])
def test_wrong_value_of_an_operation_is_named_and_its_gradients_point_there(name: str, seed: int) -> None:
    written, value, said, gradients, false = FORWARD[name]
    found = answered("Value", engine(less="self + -o", rsub="-self + o").replace(*written, 1), seed)

    assert said in whole(found[value])
    if found[gradients].code != "zeros":
        assert "The result of the forward pass is wrong already" in whole(found[gradients])
    assert_unsaid(found[gradients], false)


def test_sum_that_passes_nothing_on_to_its_first_operand_is_named() -> None:
    found = answered("Value", engine().replace("self.grad += out.grad\n", "pass\n", 1))

    assert len(found) == 9
    assert all("`+` passes nothing on to its first operand" in whole(diagnosis) for diagnosis in found.values())


def test_small_gradient_that_is_wrong_beside_a_large_one_is_not_nearly_right() -> None:
    source = engine(left="o.data * out.grad * (1 if o.data > 0 else 0.7)")

    for seed in (7, 11):
        assert_not_told("Value", source, "grads (exp)", "is nearly right", seed)
