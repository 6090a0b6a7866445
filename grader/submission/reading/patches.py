"""What a cell adds to a class that another cell defines, as in a notebook that builds a class bit by bit.

``Value.tanh = tanh``, ``setattr(Value, name, f)``, ``@add_to(Value)``, ``@patch`` over ``def tanh(self: Value)``, and
``class Value(Value)``.
"""

from __future__ import annotations

import ast

from grader.cell_code import parsed, statements_in, text_of


def patches_in(source: str, name: str) -> tuple[tuple[int, str], ...]:
    """The line and the text of every top-level statement that adds to the class ``name``. Never raises.

    A plain value (``Value.count = 0``) adds no behaviour and does not count.
    """
    tree = parsed(source) if name in source else None
    if tree is None:
        return ()
    lines = source.split("\n")
    found = [node for node in statements_in(tree.body) if _adds_to(node, name)]
    return tuple((node.lineno, text_of(node, lines)) for node in found)


def goes_on(node: ast.AST | None) -> bool:
    """Whether a class goes on with the one that had its name before.

    >>> goes_on(ast.parse("class Value(Value): ...").body[0])
    True
    """
    return isinstance(node, ast.ClassDef) and any(_is_name(base, node.name) for base in node.bases)


def _adds_to(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name == name and goes_on(node)
    if isinstance(node, ast.Assign):
        return not isinstance(node.value, ast.Constant) and any(
            isinstance(target, ast.Attribute) and _is_name(target.value, name) for target in node.targets
        )
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        return _is_name(call.func, "setattr") and bool(call.args) and _is_name(call.args[0], name)
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        given = [each for one in node.decorator_list if isinstance(one, ast.Call) for each in one.args]
        owner = [argument.annotation for argument in (*node.args.posonlyargs, *node.args.args)[:1]]
        return any(_is_name(each, name) for each in (*given, *owner))
    return False


def _is_name(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
