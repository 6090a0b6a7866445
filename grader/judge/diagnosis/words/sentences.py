"""What is said of one mistake.

A key is a code, or a code with a variant behind a dot (``"stale.copied"``). ``{fields}`` are filled in by
``wording.say``; what a student wrote is only ever a field, never a template.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one mistake.

    What was *seen* (with numbers and shapes), the *cause* (what makes it), a *nudge* (a question that does not give the
    answer away) and the *full* hint.
    """

    seen: str
    cause: str = ""
    nudge: str = ""
    full: str = ""
