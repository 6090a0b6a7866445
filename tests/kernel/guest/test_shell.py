"""The shell's own parts, one by one; what they do together is in ``test_contract``."""

from __future__ import annotations

import ast

from grader.kernel.guest.shell import Compiler


def test_tree_of_a_cell_is_handed_out_once_and_for_that_cell_alone() -> None:
    compiler = Compiler()
    tree = ast.parse("x = 1\n")

    compiler.parsed = "x = 1\n", tree
    assert compiler.ast_parse("x = 1\n") is tree
    again = compiler.ast_parse("x = 1\n")
    assert again is not tree
    assert ast.dump(again) == ast.dump(tree)

    compiler.parsed = "x = 1\n", tree
    assert ast.dump(compiler.ast_parse("x = 2\n")) == ast.dump(ast.parse("x = 2\n"))
