from __future__ import annotations

import pytest

from grader.submission.reading.patches import patches_in

ADDING = {
    "attribute": "Value.tanh = tanh",
    "setattr": "setattr(Value, 'tanh', tanh)",
    "decorator": "@add_to(Value)\ndef tanh(self): ...",
    "class_of_its_name": "class Value(Value): tanh = tanh",
    "annotation": "@patch\ndef tanh(self: Value): ...",
}


@pytest.mark.parametrize("name", ADDING)
@pytest.mark.parametrize("block", ["", "if x:", "try: x\nexcept E:", "with x:", "match x:\n  case _:"])
def test_patches_in_a_cell_are_found_with_their_text(name: str, block: str) -> None:
    lines = ADDING[name].split("\n")
    text = "\n".join(f"    {line}" for line in lines) if block else ADDING[name]
    source = f"{block}\n{text}" if block else text
    assert patches_in(source, "Value") == ((source.count("\n") + 1, text),)


@pytest.mark.parametrize(
    "source",
    ["Value.count = 0", "Other.tanh = tanh", "def tanh(self: Value): ...", "Value.x =", "class Value(Other): ..."],
)
def test_patches_in_a_cell_that_adds_nothing_are_none(source: str) -> None:
    assert patches_in(source, "Value") == ()
