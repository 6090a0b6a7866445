"""Signs that a notebook, or a module beside it, gets round a check: each becomes a flag for a human, never a loss."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from grader.model import Cell
from grader.submission.cell_code import MOST_CODE
from grader.submission.entry import Entry
from grader.submission.regular_file import Refused, content
from grader.visible import files_of_work

#: What no exercise needs, in any cell: the grader's own modules (the digits are for everybody), modules by computed or
#: looked-up names, objects by way of frames, classes or the heap, torch below its public face, and the graph of
#: autograd walked or traced by hand. Each alternative begins with the boundary of a word: else the search takes ten
#: times as long.
_MEDDLING = re.compile(
    r"\bgrader\s*\.\s*(?:kernel|judge|pipeline|seeded_course|notebook|course(?!\.autograd\.digits))\b"
    r"|\bfrom\s+grader\s+import\b[^\n#]{0,200}\b(?:kernel|judge|course|seeded_course|notebook|pipeline)\b"
    r"|\b(?<!\bin )sys\s*\.\s*modules\b|\bsys\s*\.\s*modules(?=\s*(?:\[|\.(?!\s*keys\b)))"
    r"|\bfrom\s+sys\s+import\b[^\n#]{0,200}\bmodules\b"
    r"|\bvars\s*\(\s*sys\b|\bsys\s*\.\s*(?:__dict__|monitoring)\b"
    r"|\bgetattr\s*\(\s*(?:sys|torch)\b[\w\s.]{0,100},(?!\s*[\"']\w+[\"']\s*[,)])"
    r"|\b(?:import_module|__import__)\s*\((?!\s*[\"'][\w.]+[\"']\s*[,)])|\bimport_module\s+as\b"
    r"|\b(?:__subclasses__|tb_frame|gi_frame|cr_frame|ag_frame|f_back|f_locals|f_globals|get_objects|get_referrers)\b"
    r"|\bctypes\b|\btorch\s*\.\s*(?:library\b|_(?!assert\b|foreach)[A-Za-z]\w*)"
    r"|\bfrom\s+torch\s+import\b[^\n#]{0,200}\b(?:library|_[A-Za-z]\w*)\b|\bredispatch\b|\bno_dispatch\b"
    r"|\bautograd_watch\b|\bnext_functions\b|\b_input_metadata\b|\bmake_fx\b|\bml_meth\b"
)


def meddling_flags(entry: Entry, cells: Sequence[Cell]) -> tuple[str, ...]:
    """A remark for each cell, and each module beside the notebook, that seems to get round a check."""
    sources = [*((f"cell {cell.index}", cell.source) for cell in cells), *_sources_beside(entry)]
    found = ((place, meddling_suspected(source)) for place, source in sources)
    return tuple(f"meddling with the check suspected: `{sign}` ({place})" for place, sign in found if sign)


def meddling_suspected(source: str) -> str | None:
    r"""Return what in a cell, or a module beside the notebook, suggests that it gets round a check; None for nothing.

    >>> meddling_suspected("from grader.kernel import autograd_watch as w")
    'grader.kernel'
    >>> meddling_suspected("from grader import check\nfrom grader.course.autograd.digits import load_digits") is None
    True
    >>> meddling_suspected("importlib.import_module('gra' + 'der.kernel')")
    'import_module('
    >>> meddling_suspected("if 'google.colab' in sys.modules: pass") is None
    True
    """
    # Python takes ``ｍodules`` for ``modules``.
    match = _MEDDLING.search(source if source.isascii() else unicodedata.normalize("NFKC", source))
    return None if match is None else " ".join(match[0].split())


def _sources_beside(entry: Entry) -> Iterator[tuple[str, str]]:
    """Path and text of the Python files that the notebook can import."""
    if entry.assets is None:
        return
    left = MOST_CODE
    for place, files in files_of_work(entry.assets, below=entry.assets_below):
        for name in files:
            if name.endswith(".py") and left > 0:
                path = Path(place, name)
                with suppress(Refused):
                    text = content(path, left).decode("utf-8", "replace")
                    left -= len(text)
                    yield str(path.relative_to(entry.assets)), text
