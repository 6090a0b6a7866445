"""What a call left under other names is found, whatever else stands among the notebook's names."""

from __future__ import annotations

from typing import Any

import torch

from grader.kernel.check.extras import Extras


def test_extras_of_names_that_are_no_text_are_passed_over() -> None:
    names: Any = {5: torch.zeros(2)}
    extras = Extras(names)
    kept, given = torch.ones(2), torch.zeros(2)
    own: Any = vars(given)
    own.update({7: torch.ones(2), "grad_of_w": kept})
    names.update({5: torch.ones(2), None: torch.ones(2), "dw": kept})

    found = extras.found({"w": given}, {id(given)}, ())
    assert {name: value is kept for name, value in found.items()} == {"w.grad_of_w": True, "dw": True}
