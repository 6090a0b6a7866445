"""What the check's own code calls things, so that a message can use the names that a student knows.

A check may read a name that its code makes (``cleared = [int(p.g is None), …]``), or hand an input over in pieces
(``p.g = p_grads[t]``): no student knows such a name. Some names of inputs say what these are, in an exercise of
whatever course: they stand here, and ``docs/authors.md`` tells authors what follows from each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

#: One of several values that a call returned.
PLACE = re.compile(r"result\[(\d+)\]")
#: What an earlier call, or another object, is given in a case (for the input ``{}``), and the mistake that uses it.
USED_BEFORE = {"earlier": "stale", "earlier_{}": "stale", "between": "state_shared", "other_{}": "state_shared"}
#: How many steps are taken; by which rate, under either name; what else an optimizer is told.
STEPS, RATE, LEARNING_RATE, MOMENTUM, OPTIONS = "steps", "lr", "learning_rate", "momentum", "options"
#: Whether the parameters come as a generator, and whether an optimizer is given nothing but them.
LAZILY, BARE = "lazily", "bare"
#: Where steps begin, and the gradients of each.
START, GRADIENTS = "start", "gradients"
#: Samples and targets of a training loop; parameters that an optimizer is driven with, and their gradients.
LOOP = frozenset({"x", "y", STEPS})
DRIVEN = frozenset({"p", "q", "r", "p_grads", "q_grads", "r_grads", RATE})
OF_GRADIENTS = (".g", "grad", "grads", "gradients", "gradient")


def is_loop(inputs: Iterable[str]) -> bool:
    """Whether the inputs are those of a training loop."""
    return LOOP.issubset(inputs)


def is_driven(inputs: Iterable[str]) -> bool:
    """Whether the inputs are those of an optimizer that is driven through given gradients."""
    return DRIVEN.issubset(inputs)


def is_gradient(name: str) -> bool:
    """Whether an input is a gradient, by its name."""
    return name.endswith(OF_GRADIENTS)


def is_mask(name: str) -> bool:
    """Whether an input is a mask, by its name."""
    return "mask" in name.lower()


@lru_cache(maxsize=256)
def outputs_of(source: str) -> tuple[str, ...]:
    """By which names a check takes ``out`` apart, where it holds several outputs of the forward pass.

    >>> outputs_of("h, c = out; h.g, c.g = upstream; tail_grad(f, i, h, c)"), outputs_of("lin_grad(inp, out, w, b)")
    (('h', 'c'), ())
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names) | ast.List(elts=names)], value=ast.Name(id="out")):
                return tuple(map(ast.unparse, names))
    return ()


@lru_cache(maxsize=256)
def call_of(source: str, path: str) -> str | None:
    """The student's call whose value is read under ``path``; None where something else is read.

    >>> call_of("layer = Relu(); out = layer(inp); layer.backward()", "out")
    'layer(inp)'
    >>> call_of("dot_grad(w, x)", "result[0]")
    'dot_grad(w, x)'
    >>> call_of("batch = predict(params, some); batch = where(batch == rows, batch, -1); classes = batch", "classes")
    'predict(params, some)'
    """
    value = _value_of(source, "result" if PLACE.fullmatch(path) else path)
    return ast.unparse(value) if value is not None and _is_call(value) else None


@lru_cache(maxsize=256)
def made_of(source: str, path: str) -> str | None:
    """The expression by which the check's code makes what it reads, where that is no call of the student's.

    >>> made_of("out.backward(); grads = [a.grad, b.grad]", "grads")
    '[a.grad, b.grad]'
    >>> made_of("model[0].weight = first = Parameter(first)", "first")
    'model[0].weight'
    """
    value = _value_of(source, path)
    return None if value is None or _is_call(value) else ast.unparse(value)


@lru_cache(maxsize=256)
def question(source: str, path: str, place: int) -> str:
    """What the check's code asks where it keeps the answer under ``path``, at a place of a list; else ``path`` itself.

    >>> question("cleared = [int(p.g is None), int(q.g is None)]", "cleared", 1)
    'q.g is None'
    >>> question("stepped = int(bool(taken))", "stepped", 0)
    'stepped'
    """
    match _value_of(source, path):
        case ast.List(elts=elements) if place < len(elements):
            match elements[place]:
                case ast.Call(func=ast.Name(id="int"), args=[asked]):
                    return ast.unparse(asked)
    return path


@lru_cache(maxsize=256)
def handed_over(source: str, name: str) -> tuple[str, int] | None:
    """The student's function that the check calls with ``name``, and the argument's place; None where there is none.

    >>> handed_over("mse_grad(inp, targ)", "targ")
    ('mse_grad', 1)
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for place, argument in enumerate(node.args):
                if isinstance(argument, ast.Name) and argument.id == name:
                    return node.func.id, place
    return None


def is_used(source: str, name: str) -> bool:
    """Whether the check's code itself reads or writes ``name``, a name with or without attributes.

    >>> is_used("layer.out.g = upstream", "layer.out"), is_used("layer.out.g = upstream", "out")
    (True, False)
    """
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", source) is not None


@lru_cache(maxsize=256)
def given_as(source: str, name: str) -> str:
    """The attribute as which the check's code hands over an input or pieces of it, or else the input's own name.

    >>> given_as("for t in range(5): p.g, q.g = p_grads[t], q_grads[t]", "p_grads")
    'p.g'
    >>> given_as("layer.out.g = upstream", "upstream")
    'layer.out.g'
    """
    for target, value in _assignments(ast.parse(source)):
        pieces = [node.value for node in ast.walk(value) if isinstance(node, ast.Subscript)]
        handed = any(isinstance(node, ast.Name) and node.id == name for node in (value, *pieces))
        if handed and isinstance(target, ast.Attribute):
            return ast.unparse(target)
    return name


def _value_of(source: str, name: str) -> ast.expr | None:
    """The expression that is bound to a name; the last statement's is bound to ``result``."""
    tree = ast.parse(source)
    value = tree.body[-1].value if name == "result" and tree.body and isinstance(tree.body[-1], ast.Expr) else None
    for target, assigned in _assignments(tree):
        if isinstance(target, ast.Name) and target.id == name:
            value = assigned
    if isinstance(value, ast.Name) and value.id != name:  # another name for what a call gave first
        firsts = (made for target, made in _assignments(tree) if ast.unparse(target) == value.id)
        return next(firsts, value)
    return value


def _assignments(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Every target of an assignment with its value, those of a tuple one by one.

    Where an object gets the value at the same time, that attribute says best what it is.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        held = next((target for target in node.targets if isinstance(target, ast.Attribute)), node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target, held
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(target.elts, node.value.elts, strict=False)
            else:
                yield target, node.value


def _is_call(value: ast.expr) -> bool:
    """Whether an expression calls a plain name, as a student's function or object is called, not one of a library."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
