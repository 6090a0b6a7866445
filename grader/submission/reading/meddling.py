"""Signs that a notebook, or a module beside it, gets round a check: each becomes a flag for a human, never a loss."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from grader.cell_code import MOST_CODE, without_comments
from grader.model import Cell
from grader.names.enumeration import few
from grader.names.visible import files_of
from grader.submission.entry import Entry
from grader.submission.files.regular_file import Refused, TooLarge, content

#: What ``from … import`` goes through before a name: a line, or a parenthesis of many.
_LISTED = r"(?:\s*\([^)]{0,300}|(?:\\\n|[^\n#;]){0,200})"
#: A loaded module taken by its name as it is written.
_TAKEN = r"\s*(?:\[|\.\s*(?:get|pop)\s*\()\s*(?:__name__|[\"'][\w.]+[\"'])\s*[\]),]"
#: What no exercise needs, in any cell: the grader's own modules (the digits are for everybody), modules by computed or
#: looked-up names, objects by way of frames, classes or the heap, code that runs within other code, bytes written to
#: descriptors (where results leave), private parts of torch, and the graph of autograd walked or traced by hand or
#: by torch's compilers. Each alternative begins with the boundary of a word: else the search takes ten times as long.
_MEDDLING = re.compile(
    r"\bgrader\s*\.\s*(?:kernel|judge|pipeline|seeded_course|notebook|course(?!\.autograd\.digits))\b"
    rf"|\bfrom\s+grader\s+import\b{_LISTED}\b(?:kernel|judge|course|seeded_course|notebook|pipeline)\b"
    r"|\bsys(?<!\bin sys)(?<!\blist\(sys)(?<!\bset\(sys)(?<!\bsorted\(sys)(?<!\blen\(sys)"
    rf"\s*\.\s*modules\b(?!{_TAKEN})"
    rf"|\bsys\s*\.\s*modules(?=\s*(?:\[|\.(?!\s*keys\b)))(?!{_TAKEN})"
    rf"|\bfrom\s+sys\s+import\b{_LISTED}\bmodules\b"
    r"|\bvars\s*\(\s*(?:sys|torch)\s*\)|\b(?:sys|torch)\s*\.\s*__dict__|\bsys\s*\.\s*monitoring\b"
    r"|\bgetattr\s*\(\s*(?:sys|torch)\b[\w\s.]{0,100},(?!\s*[\"']\w+[\"']\s*[,)])"
    r"|\b(?:import_module|__import__)\s*\((?!\s*[\"'][\w.]+[\"']\s*[,)])|\bimport_module\s+as\b"
    r"|\b(?:__subclasses__|__globals__|getclosurevars|get_objects|get_referrers|get_referents|register_at_fork)\b"
    r"|\b(?:tb|gi|cr|ag)_frame\b|\bf_(?:(?<=[.\"']f_)|(?<=\. f_))(?:back|locals|globals)\b"
    r"|\b(?:addaudithook|setprofile|settrace|setitimer|__torch_dispatch__)\b|\bgc\s*\.\s*callbacks\b"
    r"|\b(?:_getframe|_current_frames|currentframe|walk_stack|getargvalues|get(?:inner|outer)frames)\b"
    r"|\binspect\s*\.\s*(?:stack|trace)\b|\bresolve_name\b|\bpydoc\s*\.\s*locate\b|\bpickle\s*\.\s*loads\s*\(\s*b?[\"']"
    rf"|\bos\s*\.\s*p?writev?\b|\bfrom\s+os\s+import\b{_LISTED}\bp?writev?\b|\bsocket\s*\(\s*fileno\b|\bfromfd\b"
    rf"|\bfunctorch\s*\.\s*compile\b|\bfrom\s+functorch\s+import\b{_LISTED}\bcompile\b|\bproxy_tensor\b"
    r"|\b(?:runpy|marshal|CodeType|SourceFileLoader|SourcelessFileLoader|ExtensionFileLoader|load_dynamic)\b"
    r"|\bexec\s*\(\s*open\s*\(\s*[\"'](?![^\"'\n]*\.py[\"'])"
    r"|\b_?ctypes(?:lib)?\b|\b_export_forward_backward\b"
    r"|\btorch\s*\.\s*(?:(?:compile|export|jit|library|ops)\b|_(?!assert\b|foreach)[A-Za-z]\w*)"
    r"|\bjit\s*\.\s*(?:load|script|trace)(?:_module)?\b|\bCompilationUnit\b|\bdefault_decompositions\b"
    r"|\b_(?<=[.\"']_)(?<!\bself\._)(?:C|decomp|functorch|python_dispatch)\b"
    rf"|\bfrom\s+torch\s+import\b{_LISTED}\b(?:compile|export|jit|library|ops|_[A-Za-z]\w*)\b"
    r"|\bredispatch\b|\bno_dispatch\b"
    r"|\bautograd_watch\b|\bnext_functions\b|\b_input_metadata\b|\bmake_fx\b|\bml_meth\b"
)
#: Another name for a module that signs begin with.
_OPENED = r"(functorch|gc|grader|importlib|inspect|os|pickle|pydoc|sys|torch)"
_RENAMED = re.compile(rf"\b{_OPENED}[ \t]+as[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*=[ \t]*{_OPENED}[ \t]*$", re.MULTILINE)
#: A name that is no attribute, nor the first word of a string.
_NAME = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*")
#: A name as the last thing of a call's arguments, and words written one after the other.
_ONE_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*[,)]")
_WORDS = r"[\[({]\s*(?:[\"'][\w.]+[\"']\s*(?:,\s*)?)+[\])}]"
#: How the names of modules end that are no text.
_COMPILED = (".pyc", ".so", ".pyd")
#: Characters of a sign that are shown.
_LONGEST = 80
#: Computed names that are looked up, each in the whole of a source.
_MOST_PLAIN = 20


def meddling_flags(entry: Entry, cells: Sequence[Cell]) -> tuple[str, ...]:
    """A remark for each cell, and each module beside the notebook, that seems to get round a check.

    And one for the modules that say nothing of what they do: compiled ones, and those beyond what is read.
    """
    beside = tuple(_sources_beside(entry))
    sources = [*((f"cell {cell.index}", cell.source) for cell in cells), *beside]
    known = _names_of_modules(source for _, source in sources if source is not None)
    found = ((place, meddling_suspected(source, known)) for place, source in sources if source is not None)
    remarks = few([f"meddling with the check suspected: `{sign}` ({place})" for place, sign in found if sign])
    unseen = [place for place, source in beside if source is None]
    if unseen:
        more = f" and {len(unseen) - 1} more" if unseen[1:] else ""
        remarks = (*remarks, f"modules that were not looked into: {unseen[0]}{more}")
    return remarks


def meddling_suspected(source: str, known: Mapping[str, str] = MappingProxyType({})) -> str | None:
    r"""What in a cell, or a module beside the notebook, suggests that it gets round a check; None for nothing.

    ``known`` are other names of modules, by which it may call them.

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
    text = source if source.isascii() else unicodedata.normalize("NFKC", source)
    if known:
        text = _NAME.sub(lambda name: known.get(name[0], name[0]), text)
    if _MEDDLING.search(text) is None:
        return None
    text = without_comments(text)
    for number, sign in enumerate(_MEDDLING.finditer(text)):
        if number == _MOST_PLAIN or not _takes_words(text, sign):
            return " ".join(sign[0].split())[:_LONGEST]
    return None


def _names_of_modules(sources: Iterable[str]) -> dict[str, str]:
    """Each other name that a source gives to a module, and the module."""
    found = (name.groups() for source in sources for name in _RENAMED.finditer(source))
    return {imported or assigned: module or value for module, imported, assigned, value in found}


def _takes_words(text: str, sign: re.Match[str]) -> bool:
    """Whether what seems a computed name is a loop's, over words written there, as where packages are checked."""
    named = _ONE_NAME.match(text, sign.end()) if sign[0].endswith((",", "(")) else None
    if named is None or re.search(rf"\b{named[1]}\s*=(?!=)", text):
        return False
    loop = re.search(rf"\bfor\s+{named[1]}\s+in\s+(?:(\w+)\s*[:\])]|{_WORDS})", text)
    return loop is not None and (loop[1] is None or bool(re.search(rf"\b{loop[1]}\s*=\s*{_WORDS}", text)))


def _sources_beside(entry: Entry) -> Iterator[tuple[str, str | None]]:
    """Path and text of the modules that the notebook can import; None for what is compiled, or too much to read."""
    left = MOST_CODE
    for name, path in files_of(entry.assets):
        if name.endswith(_COMPILED):
            yield name, None
        elif name.endswith(".py"):
            try:
                text = content(path, left).decode("utf-8", "replace")
            except TooLarge:
                yield name, None
            except Refused:
                continue
            else:
                left -= len(text)
                yield name, text
