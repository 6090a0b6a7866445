"""Reading a cell's code as Python although it may hold magics, shell lines, prompts or errors.

Importing IPython for its transformer costs 0.2 s, so the few forms that occur are masked here, line for line: the line
numbers stay those of the cell.
"""

from __future__ import annotations

import ast
import itertools
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from grader.recent import by_source

#: Characters of code that a notebook may have: parsing takes up to 5 µs and 1 KB a character.
MOST_CODE = 512 * 1024
#: A cell magic's first line; what follows it is Python only for these. Of what it defines, some leave nothing.
_CELL_MAGIC = re.compile(r"\s*%%(\w*)")
_APART = frozenset({"timeit", "python3", "python", "px"})
_PYTHON_MAGICS = _APART | {"", "time", "capture", "prun", "memit", "mprun"}
_LINE_MAGIC = re.compile(r"([ \t]*)(?:%{1,2}[A-Za-z_]|!|\?{1,2}\s*[A-Za-z_*%]|[\w.*%]+\?{1,2}\s*$)")
_ASSIGNED_MAGIC = re.compile(r"([ \t]*[A-Za-z_][\w, \t]*?)=[ \t]*(?:![^=]|%[A-Za-z_])")
#: The attributes of one name, and how many of them a name may have: the parser takes the square of their number.
_ATTRIBUTES, _MOST_ATTRIBUTES = re.compile(r"(?:\.\s*+\w++\s*+)++"), 1000
#: An f-string, and how many characters the parser may read for its fields: it begins anew for each, 0.7 ns a character.
_F_STRING, _MOST_READ = re.compile(r"""\b(?:[fF][rR]?|[rR][fF])['"]"""), 10**9
#: Marks upon one letter (as many as Unicode's Stream-Safe Text Format has, UAX #15): sorting them takes the square.
_MOST_MARKS = 30
#: Behind the end of a string these letters cannot stand.
_APOSTROPHE = re.compile(r"'(?=(?:s|t|d|m|re|ll|ve)\b)")
#: What holds statements that run where it stands.
_BLOCKS = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith),
    *(ast.Try, ast.TryStar, ast.ExceptHandler, ast.Match, ast.match_case),
)
#: What has names of its own: none that it gives is one of those around it, but by ``global`` or ``nonlocal``.
SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
#: The deepest nesting that is parsed: no formula needs more, and a recursive walk takes about five of Python's 1,000
#: frames a level.
_DEEPEST = 100
#: Texts that nothing is done with, in one source: those beyond are left there.
_MOST_TEXTS = 200
#: The name by which a notebook calls ``grader.check``, and the package that it is imported from.
CHECK, _PACKAGE = "check", "grader"
#: What Python raises of text that it does not read as code.
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def masked(source: str) -> str:
    r"""``source`` with every magic replaced by a statement that does nothing, line numbers kept.

    >>> masked("%matplotlib inline\nfiles = !ls\nx = 1")
    'pass\nfiles = None\nx = 1'
    """
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first])
    if magic is not None:
        if magic[1] not in _PYTHON_MAGICS:
            return "\n" * (len(lines) - 1)
        lines[first] = ""
    continued = False
    for i, line in enumerate(lines):
        if continued:
            continued, lines[i] = line.rstrip().endswith("\\"), ""
            continue
        found, assigned = _LINE_MAGIC.match(line), _ASSIGNED_MAGIC.match(line)
        if found is not None:
            lines[i] = f"{found[1]}pass"
        elif assigned is not None:
            lines[i] = f"{assigned[1]}= None"
        continued = (found is not None or assigned is not None) and line.rstrip().endswith("\\")
    return _dedented(lines)


def magic_apart(source: str) -> str:
    r"""The cell magic that runs a cell as Python and leaves nothing of what it defines; empty where there is none.

    >>> magic_apart("%%timeit -n 1\nx = 1"), magic_apart("%%time\nx = 1")
    ('%%timeit', '')
    """
    magic = _CELL_MAGIC.match(source)
    return f"%%{magic[1]}" if magic is not None and magic[1] in _APART else ""


def _dedented(lines: list[str]) -> str:
    """Take off the indentation of the first line, as IPython does."""
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    if indent:
        lines = [line.removeprefix(indent) for line in lines]
    return "\n".join(lines)


def without_comments(source: str) -> str:
    r"""``source`` without its comments, line for line; one in which a quote stands is kept.

    That may be no comment but the end of a string.

    >>> without_comments("x = 1  # it's torch's\ny = '#'; z = 2")
    "x = 1  \ny = '#'; z = 2"
    """
    lines = _APOSTROPHE.sub("\u2019", source).split("\n")
    ends = (line.find("#", max(line.rfind('"'), line.rfind("'")) + 1) for line in lines)
    kept = zip(source.split("\n"), ends, strict=True)
    return "\n".join(line if end < 0 else line[:end] for line, end in kept)


def without_bare_texts(source: str) -> str:
    r"""``source``, line for line, without its docstrings and other texts that nothing is done with.

    >>> without_bare_texts("def f(x):\n    'Not by autograd.'; y = 'sys'")
    "def f(x):\n    ''; y = 'sys'"
    """
    tree = parsed(source)
    lines = source.split("\n")
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)) if tree is not None else iter(())
    texts = (value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str))
    for text in itertools.islice(texts, _MOST_TEXTS):
        first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
        try:
            before, behind = lines[first].encode()[: text.col_offset], lines[last].encode()[text.end_col_offset :]
            written = "\n".join(lines[first : last + 1]).encode()[len(before) :]
            same = ast.literal_eval(written[: len(written) - len(behind)].decode()) == text.value
        except (*UNPARSABLE, IndexError):
            same = False
        if same:  # else magics stand in the cell, and what Python reads was moved
            lines[first : last + 1] = [before.decode() + "''", *[""] * (last - first)]
            lines[last] += behind.decode()
    return "\n".join(lines)


@by_source
def parsed(source: str) -> ast.Module | None:
    """The syntax tree of a cell (not to be changed), magics masked; None where it is no Python.

    What is nested in it more deeply than code that anybody writes is a constant with its text.

    >>> parsed("def f(:") is None
    True
    """
    tree = _parsed(source)
    return tree if tree is not None else _parsed(masked(source))


def syntax_error(source: str) -> str:
    r"""What Python has against a cell, with the line in it; empty where it has nothing.

    >>> syntax_error("x = (1"), syntax_error("%time\nx = 1")
    ("'(' was never closed, line 1", '')
    """
    if parsed(source) is not None or not parses_quickly(source):
        return ""
    try:
        ast.parse(masked(source))
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except UNPARSABLE:
        return "nested too deeply"
    return ""


def statements_in(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Yield the statements among ``nodes``; of one that is a block (``if``, ``for``, ``try``), those in it."""
    for node in nodes:
        if isinstance(node, _BLOCKS):
            yield from statements_in(ast.iter_child_nodes(node))
        elif isinstance(node, ast.stmt):
            yield node


def is_stub(source: str) -> bool:
    r"""Whether a cell is as it was handed out, or cleared: nothing in it but comments and what ``is_empty`` allows.

    >>> is_stub("import torch\n# gradient = …\nraise NotImplementedError"), is_stub("gradient = 1")
    (True, False)
    """
    tree = parsed(source)
    return tree is not None and is_empty(tree.body)


def is_empty(body: Iterable[ast.stmt]) -> bool:
    """Whether statements answer nothing: imports, a docstring or ``...``, ``pass``, ``raise NotImplementedError``."""
    return all(
        isinstance(item, ast.Pass | ast.Import | ast.ImportFrom)
        or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        or (isinstance(item, ast.Raise) and _is_not_implemented(item.exc))
        for item in body
    )


def origin_of_check(tree: ast.Module) -> Literal["grader", "elsewhere"] | None:
    """Where a cell takes the name ``check`` from, None where it does not bind it; an import of everything may.

    >>> origin_of_check(ast.parse("from grader import check")), origin_of_check(ast.parse("del check"))
    ('grader', 'elsewhere')
    """
    found: Literal["grader"] | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            for alias in node.names:
                if alias.name != "*" and (alias.asname or alias.name) != CHECK:
                    continue
                if not (isinstance(node, ast.ImportFrom) and node.module == _PACKAGE and alias.name == CHECK):
                    return "elsewhere"
                found = "grader"
        elif not isinstance(node, ast.alias | ast.arg) and CHECK in names_bound_by(node):
            return "elsewhere"
    return found


def text_of(node: ast.stmt, lines: Sequence[str]) -> str:
    """The text of a statement in ``lines``, those of its cell."""
    first, last = lines_of(node)
    return "\n".join(lines[first - 1 : last])


def lines_of(node: ast.stmt) -> tuple[int, int]:
    """The first and the last line of a statement, those of its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first, node.end_lineno or node.lineno


def without_lines(source: str, statements: Iterable[tuple[int, int]]) -> str:
    r"""``source`` with a statement that does nothing in the place of each of those, told by first and last line.

    >>> without_lines("if x:\n    def f():\n        raise NotImplementedError\ny = f", [(2, 3)])
    'if x:\n    pass\n\ny = f'
    """
    lines = source.split("\n")
    for first, last in statements:
        code = lines[first - 1].lstrip()
        indent = lines[first - 1].removesuffix(code)
        lines[first - 1 : last] = [f"{indent}pass", *[""] * (last - first)]
    return "\n".join(lines)


def code_of(node: ast.AST) -> str:
    r"""The code of an expression in one form, however it was laid out; where there is none, what it consists of.

    Python 3.11 has none for a string with a control character that stands in an f-string.

    >>> code_of(ast.parse("f( x )", mode="eval")), code_of(ast.parse("f'{x}'", mode="eval"))
    ('f(x)', "f'{x}'")
    """
    try:
        return ast.unparse(node)
    except ValueError:
        return ast.dump(node)


def name_called(call: ast.Call) -> str:
    """The name, or the attribute, that is called; empty for anything else.

    >>> name_called(ast.parse("layers.pop()", mode="eval").body)
    'pop'
    """
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def names_bound_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that one node of a syntax tree assigns, deletes, imports or defines, parameters included.

    >>> [name for node in ast.walk(ast.parse("import a.b; from c import d as e")) for name in names_bound_by(node)]
    ['a', 'e']
    """
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.alias():
            yield (node.asname or node.name).partition(".")[0]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def of_one_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and those below it, but for what stands in ``SCOPES``, which are yielded themselves.

    >>> [node.id for node in of_one_scope(ast.parse("f = lambda x: a")) if isinstance(node, ast.Name)]
    ['f']
    """
    left = [node]
    while left:  # no recursion: a formula may be nested more deeply than Python calls
        node = left.pop()
        yield node
        if not isinstance(node, SCOPES):
            left += ast.iter_child_nodes(node)


def bound_among(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that any of ``nodes`` binds; methods have none that is found without their object."""
    nodes = [*nodes]
    methods = {id(item) for node in nodes if isinstance(node, ast.ClassDef) for item in node.body}
    return {name for node in nodes if id(node) not in methods for name in names_bound_by(node)}


def parses_quickly(source: str) -> bool:
    """Whether Python's parser gets through ``source`` in time.

    60,000 attributes of one name take it minutes, 40,000 marks upon one letter of a name too, 100,000 fields of one
    f-string 10 s.
    """
    if stream_safe(source) != source:
        return False
    if source.count("{") * len(source) > _MOST_READ and _F_STRING.search(source) is not None:
        return False
    return all(found.group().count(".") < _MOST_ATTRIBUTES for found in _ATTRIBUTES.finditer(source))


def stream_safe(text: str) -> str:
    r"""``text`` without the marks upon a letter beyond those that any script has, so that it is soon normalised.

    >>> stream_safe("e\u0301"), len(stream_safe("e" + "\u0301\u0316" * 1000))
    ('é', 31)
    """
    if text.isascii():
        return text
    marks = "".join(one for one in set(text) if unicodedata.combining(unicodedata.normalize("NFKD", one)[0]))
    return re.sub(rf"([{re.escape(marks)}]{{{_MOST_MARKS}}})[{re.escape(marks)}]+", r"\1", text) if marks else text


def _is_not_implemented(error: ast.expr | None) -> bool:
    if isinstance(error, ast.Call):
        error = error.func
    return isinstance(error, ast.Name) and error.id == "NotImplementedError"


def _parsed(source: str) -> ast.Module | None:
    if not parses_quickly(source):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\\d" in a student's string is not our business
        try:
            tree: ast.Module = compile(
                source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
            )
        except UNPARSABLE:
            return None
    _cut_depths(tree, source)
    return tree


def _cut_depths(tree: ast.Module, source: str) -> None:
    """Put their text in the place of expressions and statements that are nested too deeply."""
    lines = source.split("\n")
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                if depth >= _DEEPEST:
                    value[:] = [_text(child, lines) for child in value]
                waiting += [(child, depth + 1) for child in value if isinstance(child, ast.AST)]
            elif isinstance(value, ast.AST) and value._fields:
                if depth >= _DEEPEST:
                    value = _text(value, lines)
                    setattr(node, field, value)
                waiting.append((value, depth + 1))


def _text(node: Any, lines: Sequence[str]) -> Any:
    """A constant with the lines of an expression, or a statement that is one; anything else as it is."""
    if not isinstance(node, ast.expr | ast.stmt):
        return node
    last = node.end_lineno or node.lineno
    text = lines[node.lineno - 1][node.col_offset : node.end_col_offset if last == node.lineno else None]
    constant = ast.copy_location(ast.Constant("\n".join([text, *lines[node.lineno : last]])), node)
    return constant if isinstance(node, ast.expr) else ast.copy_location(ast.Expr(constant), node)
