"""The results that the kernels of a run wrote into their files; what came before is not read again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.kernel.protocol.results import CellOf, parsed, unfinished
from grader.model import CaseRun, Program
from grader.recent import Recent

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import ProgramDone, ProgramLost

#: Results that are kept, and bytes of the largest of them.
_MOST, _SMALL = 2000, 8192


@dataclass(frozen=True, slots=True)
class _Read:
    """What some bytes were read as; ``cells`` are the requests that they name and where these led."""

    program: Program  # kept, since its identity would else be given to another
    case: CaseRun
    missed: str | None
    cells: Mapping[int, int | None]


class Reader:
    """Reads results. Small ones are kept: the same bytes again, from the same cells, are the same ``CaseRun``."""

    def __init__(self) -> None:
        self._known: Recent[tuple[int, bytes], _Read] = Recent(_MOST)

    def read(
        self, result_file: int, run: ProgramDone | ProgramLost, program: Program, cell_of: CellOf
    ) -> tuple[CaseRun, str | None]:
        """The result of one program, and the global name that its ``NameError`` missed, if that is how it ended.

        ``result_file`` is the result file; ``run`` what the job's init says of the program. Never raises for what the
        student's process wrote.
        """
        if run["ended"] == "trapped":
            return CaseRun(program.case, "crashed", autograd=run["how"]), None
        if run["ended"] != "done":
            return unfinished(program, run["ended"], run["how"], run.get("limit", "")), None
        length = run["length"] if run["length"] <= os.fstat(result_file).st_size else 0
        data = os.pread(result_file, length, run["at"])
        key = id(program), data
        known = self._known.get(key)
        if known is None or any(cell_of(request) != cell for request, cell in known.cells.items()):
            cells: dict[int, int | None] = {}

            def noted(request: int) -> int | None:
                return cells.setdefault(request, cell_of(request))

            known = _Read(program, *parsed(data, program, noted), cells)
            if len(data) <= _SMALL:
                self._known.keep(key, known)
        return known.case, known.missed
