"""Signs that a notebook, or a module beside it, gets round a check: each becomes a flag for a human, never a loss."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from grader.cell_code import parses_quickly, stream_safe, without_bare_texts, without_comments
from grader.model import Cell
from grader.names.enumeration import few
from grader.recent import by_source
from grader.submission.reading.bindings import Assignments, Bindings
from grader.submission.reading.modules import written_by
from grader.submission.reading.obscurity import hidden_code, runs_texts, texts_run

#: What ``from … import`` goes through before a name: a line, or a parenthesis of many.
_LISTED = r"(?:\s*\([^)]{0,300}|(?:\\\n|[^\n#;]){0,200})"
#: A loaded module taken by its name as it is written.
_TAKEN = r"\s*(?:\[|\.\s*(?:get|pop)\s*\()\s*(?:__name__|[\"'][\w.]+[\"'])\s*[\]),]"
#: What no exercise needs, in any cell: the grader's own modules (the digits are for everybody), modules by computed or
#: looked-up names, objects by way of frames, classes or the heap, code that runs within other code, bytes written to
#: descriptors (where results leave), private parts of torch, and the graph of autograd walked or traced: by hand, by
#: torch's compilers or by those of its modes that hand operators on. Each alternative begins with the boundary of a
#: word: else the search takes ten times as long.
_MEDDLING = re.compile(
    r"\bgrader\s*\.\s*(?:kernel|judge|pipeline|seeded_course|notebook|course(?!\.autograd\.digits))\b"
    rf"|\bfrom\s+grader\s+import\b{_LISTED}\b(?:kernel|judge|course|seeded_course|notebook|pipeline)\b"
    r"|\bsys(?<!\bin sys)(?<!\blist\(sys)(?<!\bset\(sys)(?<!\bsorted\(sys)(?<!\blen\(sys)"
    rf"\s*\.\s*modules\b(?!{_TAKEN})"
    rf"|\bsys\s*\.\s*modules(?=\s*(?:\[|\.(?!\s*keys\b)))(?!{_TAKEN})"
    rf"|\bfrom\s+sys\s+import\b{_LISTED}\bmodules\b"
    r"|\bvars\s*\(\s*(?:sys|torch)\s*\)|\b(?:sys|torch)\s*\.\s*__dict__|\bsys\s*\.\s*monitoring\b"
    r"|\bgetattr\s*\(\s*(?:sys|torch)\b[\w\s.]{0,100},(?!\s*[\"']\w+[\"']\s*[,)])"
    r"|\bgetattr\s*\(\s*(?:sys\s*,\s*[\"']modules|torch\s*,\s*[\"'](?:compile|export|jit|library|ops))[\"']"
    r"|\b(?:import_module|__import__)\s*\((?!\s*[\"'][\w.]+[\"']\s*[,)])|\bimport_module\s+as\b"
    r"|\b(?:__subclasses__|__globals__|getclosurevars|get_objects|get_referrers|get_referents|register_at_fork)\b"
    r"|\b(?:tb|gi|cr|ag)_frame\b|\bf_(?:(?<=[.\"']f_)|(?<=\. f_))(?:back|locals|globals)\b"
    r"|\b(?:addaudithook|setprofile|settrace|setitimer|__torch_dispatch__)\b|\bgc\s*\.\s*callbacks\b"
    r"|\b(?:_getframe|_current_frames|currentframe|walk_stack|getargvalues|get(?:inner|outer)frames)\b"
    r"|\binspect\s*\.\s*(?:stack|trace)\b|\bresolve_name\b|\bpydoc\s*\.\s*locate\b|\bpickle\s*\.\s*loads\s*\(\s*b?[\"']"
    rf"|\bos\s*\.\s*p?writev?\b|\bfrom\s+os\s+import\b{_LISTED}\bp?writev?\b|\bsocket\s*\(\s*fileno\b|\bfromfd\b"
    rf"|\bfunctorch\s*\.\s*compile\b|\bfrom\s+functorch\s+import\b{_LISTED}\bcompile\b|\bproxy_tensor\b"
    r"|\b(?:runpy|marshal|CodeType|SourceFileLoader|SourcelessFileLoader|ExtensionFileLoader|load_dynamic)\b"
    r"|\b_?ctypes(?:lib)?\b|\b_export_forward_backward\b"
    r"|\btorch\s*\.\s*(?:(?:compile|export|fx|jit|library|ops)\b|(?:(?:utils|distributed)\s*\.\s*)?_(?!assert\b|foreach)[A-Za-z]\w*)"
    r"|\bjit\s*\.\s*(?:load|script|trace)(?:_module)?\b|\bCompilationUnit\b|\bdefault_decompositions\b"
    r"|\b_(?<=[.\"']_)(?<!\bself\._)(?:C|decomp|functorch|python_dispatch|debug_mode|mode_utils)\b"
    rf"|\bfrom\s+torch\s+import\b{_LISTED}\b(?:compile|export|fx|jit|library|ops|_[A-Za-z]\w*)\b"
    r"|\b(?:TorchDispatch|LoggingTensor|CommDebug)Mode\b|\b(?:create_selective_checkpoint_contexts|CheckpointPolicy)\b"
    r"|\b(?:flop_registry|register_flop_formula|custom_mapping)\b"
    r"|\bredispatch\b|\bno_dispatch\b|\b_op_dk\b"
    r"|\bautograd_watch\b|\bnext_functions\b|\b_input_metadata\b|\bml_meth\b"
    r"|\b(?:make_fx|aot_\w+|compiled_function)\b|\btesting\s*\.\s*_internal\b|\bfrom\s+torch\.testing\s+import\s+_internal\b"
)
#: Another name for a module that signs begin with.
_OPENED = r"(functorch|gc|grader|importlib|inspect|os|pickle|pydoc|sys|torch)"
_RENAMED = re.compile(rf"\b{_OPENED}[ \t]+as[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*=[ \t]*{_OPENED}[ \t]*$", re.MULTILINE)
#: A name that is no attribute, nor the first word of a string.
_NAME = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*")
#: A name as the last thing of a call's arguments.
_ONE_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*[,)]")
#: Characters of a sign that are shown.
_LONGEST = 80


def meddling_flags(cells: Sequence[Cell], beside: Iterable[tuple[str, str | None]] = ()) -> tuple[str, ...]:
    """A remark for each cell, and each module ``beside`` the notebook, that seems to get round a check.

    Others are for what nobody can read: code that is run from a text made only then (``obscurity``), code that would
    take the parser too long, and modules that say nothing of what they do, compiled ones and those beyond what is read.
    """
    beside = [*beside]
    assigned = Assignments([cell.source for cell in cells])
    places = []
    for cell in cells:
        module = written_by(cell.source)
        source, assignments = (cell.source, assigned) if module is None else (module[1], None)
        places.append((f"cell {cell.index}", source, Bindings(source, assignments)))
    places += [(place, source, Bindings(source)) for place, source in beside if source is not None]
    known = _names_of_modules(source for _, source, _ in places)
    found = ((place, meddling_suspected(source, known, names)) for place, source, names in places)
    remarks = few([f"meddling with the check suspected: `{sign}` ({place})" for place, sign in found if sign])
    hidden = ((place, hidden_code(source, names)) for place, source, names in places)
    remarks += few([f"code that cannot be read is run: `{sign}` ({place})" for place, sign in hidden if sign])
    remarks += few(
        [f"code that was not looked into: {place}" for place, source, _ in places if not parses_quickly(source)]
    )
    unseen = [place for place, source in beside if source is None]
    if unseen:
        more = f" and {len(unseen) - 1} more" if unseen[1:] else ""
        remarks = (*remarks, f"modules that were not looked into: {unseen[0]}{more}")
    return remarks


def meddling_suspected(
    source: str, known: Mapping[str, str] = MappingProxyType({}), bindings: Bindings | None = None
) -> str | None:
    r"""What in a cell, or a module beside the notebook, suggests that it gets round a check; None for nothing.

    ``known`` are other names of modules, by which it may call them; ``bindings`` what its names stand for, by itself
    where they are not given.

    >>> meddling_suspected("from grader.kernel import autograd_watch as w")
    'grader.kernel'
    >>> meddling_suspected("from grader import check\nfrom grader.course.autograd.digits import load_digits") is None
    True
    >>> meddling_suspected("importlib.import_module('gra' + 'der.kernel')")
    'import_module('
    >>> meddling_suspected("if 'google.colab' in sys.modules: pass") is None
    True
    """
    if _MEDDLING.search(_as_read(source, known)) is None and not runs_texts(source):
        return None
    bindings = bindings or Bindings(source)
    text = without_comments(_as_read(without_bare_texts(source), known))
    for sign in _MEDDLING.finditer(text):
        if not _takes_words(text, sign, bindings):
            return _shown(sign)
    run = {text for _, texts in texts_run(source, bindings) for text in texts or ()}
    signs = (_sign_in(_as_read(text, known)) for text in sorted(run))
    return next(filter(None, signs), None)


def _as_read(source: str, known: Mapping[str, str]) -> str:
    """``source`` as Python reads it, which takes ``ｍodules`` for ``modules``, by the modules' own names."""
    text = source if source.isascii() else unicodedata.normalize("NFKC", stream_safe(source))
    return _NAME.sub(lambda name: known.get(name[0], name[0]), text) if known else text


@by_source
def _sign_in(text: str) -> str | None:
    """The first sign in a text that code may run, or in a word: one that many calls and cells may be given."""
    sign = _MEDDLING.search(text)
    return None if sign is None else _shown(sign)


def _shown(sign: re.Match[str]) -> str:
    return " ".join(sign[0].split())[:_LONGEST]


def _names_of_modules(sources: Iterable[str]) -> dict[str, str]:
    """Each other name that a source gives to a module, and the module."""
    found = (name.groups() for source in sources for name in _RENAMED.finditer(source))
    return {imported or assigned: module or value for module, imported, assigned, value in found}


def _takes_words(text: str, sign: re.Match[str], bindings: Bindings) -> bool:
    """Whether what seems a computed name is only ever a word written out, of which none is a sign."""
    named = _ONE_NAME.match(text, sign.end()) if sign[0].endswith((",", "(")) else None
    words = bindings.texts(ast.Name(named[1])) if named is not None else None
    of = "sys." if re.match(r"getattr\W+sys\b", sign[0]) else "torch." if sign[0].startswith("getattr") else ""
    return words is not None and not any(_sign_in(of + word) for word in words)
