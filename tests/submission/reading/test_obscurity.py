"""Code that is run from a text which nobody can read in the notebook."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.model import Assets, Cell
from grader.submission.entry import Entry
from grader.submission.reading.bindings import Bindings
from grader.submission.reading.meddling import meddling_flags
from grader.submission.reading.modules import sources_beside
from grader.submission.reading.obscurity import hidden_code

HIDDEN = {
    "decoded": ("exec(base64.b64decode('eCA9IDE='))", "exec(base64.b64decode('eCA9IDE='))"),
    "decoded_before": ("text = base64.b64decode(data).decode()\nexec(text)", "exec(text)"),
    "joined": ("exec('imp' + 'ort x')", "exec('imp' + 'ort x')"),
    "in_a_format": ("exec(f'import {name}')", "exec(f'import {name}')"),
    "other_files": ("exec(open('notes.txt').read())", "exec(open('notes.txt').read())"),
    "compiled": ("exec(compile(text[::-1], '', 'exec'))", "exec(compile(text[::-1], '', 'exec'))"),
    "evaluated": ("eval(''.join(map(chr, codes)))", "eval(''.join(map(chr, codes)))"),
    "by_another_name": ("run = exec\nrun(text)", "exec"),
    "imported": ("from builtins import eval as value\nvalue(text)", "from builtins import eval as value"),
    "by_itself": ("exec = exec\nexec(text)", "exec"),
    "beside_a_method": ("class Net:\n    def eval(self): pass\neval(text)", "eval(text)"),
    "by_builtins": ("import builtins\nbuiltins.eval(text)", "builtins.eval(text)"),
    "by_the_shell": ("get_ipython().run_cell(text)", "get_ipython().run_cell(text)"),
    "by_the_shell_at_once": ("ip = get_ipython()\nip.ex(text)", "ip.ex(text)"),
    "by_a_magic": (
        "get_ipython().run_cell_magic('capture', '', text)",
        "get_ipython().run_cell_magic('capture', '', text)",
    ),
    "by_a_console": (
        "code.InteractiveInterpreter(globals()).runsource(text)",
        "code.InteractiveInterpreter(globals()).runsource(text)",
    ),
    "by_a_profiler": ("Profile().runctx(text, globals(), globals())", "Profile().runctx(text, globals(), globals())"),
    "by_a_profiler_at_once": ("p = cProfile.Profile()\np.run(text)", "p.run(text)"),
    "behind_a_magic": ("%time exec(text)", "exec(text)"),
    "behind_a_magic_by_name": ("t = %timeit -n 1 -o \\\n  exec(text)", "exec(text)"),
    "module_written": ("Path('helper.py').write_bytes(data)", "Path('helper.py').write_bytes(data)"),
    "module_written_bit_by_bit": ("with open(folder / 'helper.py', 'wb') as f:\n    f.write(data)", "f.write(data)"),
    "module_among_others": ("f = open('a.txt')\nf = open('a.py', 'w')\nf.write(text)", "f.write(text)"),
    "file_that_is_no_module": ("x = 1\n%run -i data/notes.txt\ny = 2", "%run -i data/notes.txt"),
    "by_keyword": (
        "compile(source=text, filename='x', mode='exec')",
        "compile(source=text, filename='x', mode='exec')",
    ),
    "fullwidth": ("\uff45xec(text)", "exec(text)"),
    "argument": ("def run(text='x = 1'):\n    exec(text)", "exec(text)"),
    "many": ("exec('x')\n" * 101, "exec('x')"),
    "of_itself": ("text = other\nother = text\nexec(text)", "exec(text)"),
}
READ = {
    "text": "exec('inp.g = out.g @ w.T')\ncompile('1', 'x', 'eval')",
    "named": "text = 'x = 1'\nexec(text)",
    "each": "for name in ['w.g', 'b.g']:\n    print(name, eval(name))",
    "each_of_a_name": "names = ('w', 'b')\nfor name in sorted(names):\n    print(eval(name))",
    "each_of_two": "for name, color in zip(['w', 'b'], colors):\n    plot(eval(name), color)",
    "numbered": "for i in range(3):\n    exec(f'w{i} = w{i} - lr * w{i}.g')",
    "own_file": "exec(open('helper.py').read())",
    "own_file_with": "with open('helper.py', encoding='utf-8') as f:\n    exec(f.read())",
    "own_file_named": "path = 'helper.py'\nsource = open(path).read()\nexec(compile(source, path, 'exec'), globals())",
    "own_file_of_a_path": "exec((Path.cwd() / 'helper.py').read_text())\nexec(Path('a', 'helper.py').open().read())",
    "own_file_joined": "exec(open(os.path.join(folder, 'helper.py')).read())",
    "run": "%run helper.py\n%run -i helper\n%run ../a.b/helper.py 0.5\n%run -n 'other.ipynb'",
    "own_function": "def eval(model, data):\n    return model(data)\neval(net, digits)\nprint(eval)",
    "own_value": "eval = loss(net, digits)\nprint(eval)",
    "patterns": "from re import compile\nwords = compile(pattern)",
    "modes": "model.eval()\nframe.eval(text)\nre.compile(pattern)",
    "source": "exec(inspect.getsource(f))",
    "dedented": "exec(textwrap.dedent('  x = 1').strip())",
    "files": "with open('notes.txt', 'w') as f:\n    f.write(text)\nPath('helper.py').read_text()",
    "module_in_the_clear": "text = 'x = 1'\nwith open('helper.py', 'w') as f:\n    f.write(text)\n    f.write(text)",
    "module_of_a_function": "Path('helper.py').write_text(inspect.getsource(f))",
    "magics": "get_ipython().run_line_magic('matplotlib', backend)\nget_ipython().run_line_magic('timeit', 'f(x)')",
    "profile": "cProfile.run('f(x)')\np = Profile()\np.enable()\nmodel.run(x)\nerror.ex(x)",
    "timed": "%time model.eval()\n%timeit -n 3 f(x)",
    "broken": "exec(text",
}


@pytest.mark.parametrize(("source", "sign"), HIDDEN.values(), ids=HIDDEN)
def test_hidden_code_is_shown_where_it_is_run(source: str, sign: str) -> None:
    assert hidden_code(source, Bindings(source)) == sign


@pytest.mark.parametrize("source", READ.values(), ids=READ)
def test_hidden_code_is_none_that_can_be_read(source: str) -> None:
    assert hidden_code(source, Bindings(source)) is None


def test_hidden_code_is_flagged_in_cells_and_modules(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def run(text):\n    exec(text)\n")
    entry = Entry("ada", "03_backprop.ipynb", tmp_path / "03_backprop.ipynb", "03_backprop.ipynb", (Assets(tmp_path),))
    sources = (
        "text = 'x = 1'\ndef compile(net): pass",
        "exec(text)\ncompile(net)",
        "eval(zlib.decompress(data))",
        "%%file made.py\nexec(more)",
    )
    cells = [Cell(index, source) for index, source in enumerate(sources)]
    assert meddling_flags(cells, sources_beside(entry)) == (
        "code that cannot be read is run: `eval(zlib.decompress(data))` (cell 2)",
        "code that cannot be read is run: `exec(more)` (cell 3)",
        "code that cannot be read is run: `exec(text)` (helper.py)",
    )


@pytest.mark.parametrize(
    "source",
    [
        "".join(f"a{n} = a{n + 1}\na{n} = a{n + 1}\n" for n in range(10_000)) + "exec(a0)",
        "a = 'x'\n" * 60_000 + "exec(a)\n" * 90,
        "exec(f'{a}')\n" * 20_000,
        "for i in range(3): exec(f'" + "{i}" * 10_000 + "')",
        "f = open('a.py')\n" * 200 + "f.write(text)\n" * 30_000,
        "exec(" * 90 + "[" + "1," * 60_000 + "]" + ")" * 90,
    ],
    ids=["chain", "bindings", "calls", "parts", "writes", "nested"],
)
def test_hidden_code_is_looked_for_in_no_time(source: str) -> None:
    began = time.process_time()
    meddling_flags([Cell(0, source)])
    assert time.process_time() - began < 20
