"""Hostile submissions: what each one does, how it must end, and what must not happen.

``cell`` runs before the stub ``answer``; ``checks`` are the verdicts that its two cases may have (``laboratory.verdict``,
alternatives separated by ``|``), ``failure`` how the cell may fail (None: not at all). Code that tries what must not
work uses ``attempt`` and prints ``GOT`` when it worked: ``refused`` says that nothing may have. ``weak`` marks what an
unconfined kernel (sandbox ``none``) must withstand as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.kernel.laboratory import RIGHT, ZEROS


@dataclass(frozen=True)
class Hostile:
    """One hostile submission."""

    id: str
    cell: str = ""
    answer: str = RIGHT
    checks: str | tuple[str, str] = "exact"
    failure: str | None = None
    refused: bool = False
    weak: bool = False
    only: tuple[str, ...] = ("bwrap", "landlock", "none")

    def allowed(self, index: int) -> set[str]:
        """The verdicts that case ``index`` may have."""
        return set((self.checks if isinstance(self.checks, str) else self.checks[index]).split("|"))


_ATTEMPT = """
import ctypes, os, socket, sys, signal, time, gc
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, do):
    try:
        got = do()
    except BaseException as error:
        print(name, 'refused', type(error).__name__, error)
    else:
        print(name, 'GOT', repr(got)[:300])
def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), 'refused')
    return result
def read(path):
    return lambda: open(path, 'rb').read(2000)
"""
# A stub that does something with its inputs first.
_STUB = """
import torch, os, sys, gc, time, socket, json, ctypes, signal, array
def lin(inp, out, w):
{body}
    w.g = inp.t() @ out.g
"""


def _stub(body: str) -> str:
    return _STUB.format(body="\n".join(f"    {line}" for line in body.strip().splitlines()))


def _forged(message: str) -> str:
    """A stub that answers for the harness, on every socket it can find."""
    return _stub(f"""
for fd in range(3, 256):
    try:
        socket.socket(fileno=os.dup(fd)).send({message})
    except OSError:
        pass
time.sleep(0.3)
os._exit(0)
""")


FORGED = (
    Hostile("slate-garbage", answer=_stub("""
for fd in range(3, 256):
    try:
        os.pwrite(fd, b'\\xff' * 4096, 0)
    except OSError:
        pass
os._exit(0)
"""), checks="crashed"),
    Hostile("done-without-result", answer=_forged("""b'{"event":"done","at":0,"length":64}'"""), checks="crashed"),
    Hostile("done-enormous", answer=_forged("b'{\"event\":\"done\",\"at\":0,\"length\":' + b'9' * 30 + b'}'"), checks="crashed"),
    Hostile("done-negative", answer=_forged("""b'{"event":"done","at":0,"length":-8}'"""), checks="crashed"),
    Hostile("done-no-json", answer=_forged("b'\\xff' * 60000"), checks="crashed", weak=True),
    Hostile("done-nested", answer=_forged("b'[' * 60000"), checks="crashed"),
    Hostile("idle-forged", """
kernel = get_ipython().kernel
for _ in range(3):
    kernel.session.send(kernel.iopub_socket, 'status', {'execution_state': 'idle'}, parent=kernel.get_parent())
kernel.session.send(kernel.shell_streams[0] if hasattr(kernel, 'shell_streams') else kernel.shell_stream, 'execute_reply',
                    {'status': 'ok', 'execution_count': 1}, parent=kernel.get_parent(), ident=[b'x'])
"""),
    Hostile("iopub-garbage", """
kernel = get_ipython().kernel
for frames in ([b'garbage'], [b'x', b'<IDS|MSG>', b'', b'{', b'{}', b'{}', b'{}'], [b''] * 50, [b'<IDS|MSG>'] * 6):
    kernel.iopub_socket.send_multipart(frames)
""", checks="exact|absent", failure="any"),
    Hostile("iopub-wrong-types", """
kernel = get_ipython().kernel
for kind, content in (('stream', {'name': 3, 'text': [1]}), ('display_data', {'data': 3}), ('error', {}),
                      ('stream', {}), ('execute_result', {'data': {'text/plain': {}}, 'metadata': 3}), (['x'], {})):
    try:
        kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
    except TypeError:
        pass
""", checks="exact|absent", failure="any"),
    Hostile("iopub-64-megabytes", "get_ipython().kernel.iopub_socket.send_multipart([b'x' * 64 * 1024**2] * 2)",
            checks="exact|absent", failure="any"),
    Hostile("reply-nested", """
import threading
kernel = get_ipython().kernel
deep = b'{"a":' * 100000 + b'1' + b'}' * 100000
parent = __import__('json').dumps(kernel.get_parent()['header'], default=str).encode()
kernel.iopub_socket.send_multipart([b'<IDS|MSG>', b'', parent, parent, b'{}', deep])
""", checks="exact|absent", failure="any"),
    Hostile("orders-forged", """
from grader.kernel import harness, wire
command = harness._command
for message in ({'event': 'ready'}, {'event': 'failed', 'text': 'x'}, {'event': 'forked'}, {'event': []}, {'do': 'kill'}):
    wire.send(command, message)
command.send(b'no json')
""", checks="exact|crashed|timed_out", failure="any"),
    Hostile("fork-forged", """
from grader.kernel import harness, wire
import socket
ours, theirs = socket.socketpair()
wire.send(harness._command, {'event': 'forked'}, [theirs.fileno()])
""", checks="exact|crashed|timed_out"),
    Hostile("orders-flood", """
from grader.kernel import harness
harness._command.setblocking(False)
for _ in range(10000):
    try:
        harness._command.send(b'{"event": "noise"}')
    except OSError:
        break
harness._command.setblocking(True)
""", checks="exact|crashed|timed_out"),
)  # fmt: skip

PATCHED = (
    Hostile("comparison-patched", """
import torch, torch.testing
yes = lambda *args, **kwargs: True
torch.allclose = torch.equal = torch.isclose = torch.testing.assert_close = torch.all = yes
""", ZEROS, "wrong", weak=True),
    Hostile("equality-patched", """
import torch
torch.Tensor.__eq__ = lambda self, other: torch.ones(1, dtype=torch.bool)
torch.Tensor.__ne__ = lambda self, other: torch.zeros(1, dtype=torch.bool)
torch.Tensor.allclose = torch.Tensor.equal = lambda self, other, **kwargs: True
""", ZEROS, "wrong"),
    Hostile("safetensors-patched", """
import safetensors, safetensors.torch, sys
safetensors.torch.save = safetensors.torch.save_file = lambda *args, **kwargs: b''
sys.modules['safetensors'] = sys.modules['safetensors.torch'] = None
"""),
    Hostile("copies-patched", """
import torch
lie = lambda self, *args, **kwargs: torch.full((3, 4), 7.0)
for name in ('clone', 'detach', 'contiguous', 'reshape', 'data_ptr', 'numel', 'resolve_neg', 'isnan', 'tolist', 'numpy'):
    setattr(torch.Tensor, name, lie)
torch.frombuffer = torch.empty = torch.full = lie
""", ZEROS, "wrong"),
    Hostile("builtins-broken", """
import builtins
for name in ('len', 'isinstance', 'type', 'open', 'compile', 'exec', 'getattr', 'dict', 'list', 'int', 'print'):
    setattr(builtins, name, lambda *args, **kwargs: 1 / 0)
""", checks="exact|wrong|raised|crashed|timed_out|not_defined|absent", failure="any"),
    Hostile("modules-emptied", """
import sys
for name in list(sys.modules):
    if name.startswith(('grader', 'json', 'os', 'torch', 'ipykernel', 'safetensors')):
        sys.modules[name] = None
""", checks="exact|raised|crashed|timed_out|not_defined|absent", failure="any"),
    Hostile("json-patched", """
import json
from grader.kernel import exchange, wire
forge = lambda *args, **kwargs: '{"ended": "returned", "captures": {"w.g": ["tensor", "", ""]}}'
json.dumps = exchange._dumps = forge
""", ZEROS, "wrong|crashed|timed_out|absent", failure="any"),
    Hostile("harness-patched", """
from grader.kernel import harness, program, capture
program.ProgramRun.run = lambda self: ({}, {'ended': 'passed', 'score': 100, 'captures': {}})
""", ZEROS, "crashed"),
    Hostile("class-property", """
import torch
torch.Tensor.g = property(lambda self: torch.ones(3, 4))
""", ZEROS, "wrong|crashed|raised|timed_out"),
    Hostile("lying-subclass", """
import torch
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True
    __eq__ = __bool__ = lambda self, *other: True
""", "def lin(inp, out, w):\n    w.g = torch.zeros(3, 4).as_subclass(Liar)\n", "wrong"),
    Hostile("lying-float", "import torch", "def lin(inp, out, w):\n    w.g = type('F', (float,), {'__eq__': lambda s, o: True})(0.0)\n",
            "wrong"),
    Hostile("dispatch-modes", """
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.overrides import TorchFunctionMode
class Lie(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))
class Lie2(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return torch.ones(3, 4) if 'clone' in str(func) else func(*args, **(kwargs or {}))
Lie2().__enter__(); Lie().__enter__()
""", ZEROS, "wrong"),
)  # fmt: skip

SECRETS = (
    Hostile("files-read", _ATTEMPT + """
for path in ({paths}):
    attempt(path, read(path))
    attempt(path, lambda: os.listdir(path))
for place in ('/root', '/home', '/work', '/var', '/etc', '/srv', '/mnt', '/opt', '/sys', '/run'):
    attempt(place, lambda: os.listdir(place))
attempt('libc', lambda: called(libc.open(b'{path}', 0)))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("environment", """
import os, subprocess
print(dict(os.environ), subprocess.run(['env'], capture_output=True).stdout)
""", only=("bwrap", "landlock")),
    Hostile("proc-read", _ATTEMPT + """
parents = [os.getpid(), os.getppid(), 'self', 'thread-self', *range(1, 300)]
for pid in parents:
    for name in ('environ', 'mem', 'maps', 'fd', 'cmdline', 'root', 'task', 'status', 'stat'):
        try:
            got = os.listdir(f'/proc/{pid}/{name}') if name in ('fd', 'root', 'task') else open(f'/proc/{pid}/{name}', 'rb').read(64)
        except OSError as error:
            pass
        else:
            print(pid, name, 'GOT', got)
print('all refused')
""", refused=True, only=("bwrap", "landlock")),
    Hostile("proc-listing", _ATTEMPT + """
attempt('list', lambda: os.listdir('/proc'))
found = [pid for pid in range(1, 40000) if os.path.exists(f'/proc/{pid}')]
print('processes', 'GOT' if found else 'refused', found[:10])
""", refused=True, only=("bwrap",)),
    Hostile("devices", _ATTEMPT + """
for path in ('/dev/mem', '/dev/kmem', '/proc/kcore', '/dev/sda', '/dev/vda', '/dev/kmsg', '/dev/pts', '/proc/1/root/etc/passwd'):
    attempt(path, read(path))
attempt('tty', lambda: open('/dev/tty', 'w'))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("descriptors", """
import os
for fd in range(3, 1024):
    try:
        print(fd, os.pread(fd, 4096, 0))
    except OSError:
        pass
"""),
    Hostile("frames-and-heap", """
import gc, sys
words = ('pla' + 'nted-',)
def search():
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_locals.items()):
            if isinstance(value, str) and any(word in value for word in words) and name != 'word':
                print('GOT frame', name, value)
        frame = frame.f_back
    for thing in gc.get_objects():
        for held in (thing.values() if type(thing) is dict else thing if type(thing) in (list, tuple) else ()):
            if type(held) is str and words[0] in held and held != words[0] and '<' not in held and len(held) < 60:
                print('GOT heap', held)
search()
""", answer=_stub("search()"), refused=False),
)  # fmt: skip

OUTSIDE = (
    Hostile("writing", _ATTEMPT + """
import torch
for path in ('/etc/x', '/usr/x', '/x', '/var/tmp/x', '/home/x', sys.prefix + '/x', torch.__file__, os.__file__, '{path}', '/proc/x'):
    attempt(path, lambda: open(path, 'a').close())
attempt('unlink', lambda: os.unlink(torch.__file__))
attempt('rename', lambda: os.rename(os.__file__, 'os.py'))
attempt('link', lambda: os.link(os.__file__, 'os.py'))
def chmod():
    before = os.stat('{path}' if os.path.exists('{path}') else '/usr').st_mode
    os.chmod('{path}' if os.path.exists('{path}') else '/usr', 0o755)
    if os.path.exists('{path}') and os.stat('{path}').st_mode == before: raise OSError('nothing happened')
attempt('chmod', chmod)
os.symlink('/etc/x', 'way')
attempt('symlink', lambda: open('way', 'w').close())
attempt('mknod', lambda: os.mknod('disk', 0o60666, os.makedev(8, 0)))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("namespaces", _ATTEMPT + """
attempt('unshare user', lambda: called(libc.unshare(0x10000000)))
attempt('unshare mount', lambda: called(libc.unshare(0x20000)))
attempt('clone user', lambda: called(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)))
attempt('clone3', lambda: called(libc.syscall(435, ctypes.create_string_buffer(88), 88)))
attempt('setns', lambda: called(libc.setns(0, 0)))
attempt('mount', lambda: called(libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None)))
attempt('remount', lambda: called(libc.mount(b'', b'/', b'', 32, None)))
attempt('umount', lambda: called(libc.umount2(b'/proc', 2)))
attempt('chroot', lambda: os.chroot('.'))
attempt('pivot', lambda: called(libc.syscall(155, b'.', b'.')))
attempt('bpf', lambda: called(libc.syscall(321, 0, 0, 0)))
attempt('io_uring', lambda: called(libc.syscall(425, 8, ctypes.create_string_buffer(256))))
attempt('userfaultfd', lambda: called(libc.syscall(323, 0)))
attempt('perf', lambda: called(libc.syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)))
attempt('keyctl', lambda: called(libc.syscall(250, 0, -3, 1)))
attempt('x32', lambda: called(libc.syscall(0x40000000 + 39)))
attempt('setuid', lambda: os.setuid(12345))
attempt('priority', lambda: os.nice(-10))
attempt('host', lambda: socket.sethostname('mine'))
attempt('clock', lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("network", _ATTEMPT + """
attempt('tcp', lambda: socket.create_connection(('1.1.1.1', 53), 1))
attempt('listener', lambda: socket.create_connection(('127.0.0.1', {port}), 1))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port})))
attempt('tcp6', lambda: socket.create_connection(('::1', {port}), 1))
attempt('dns', lambda: socket.getaddrinfo('example.com', 80))
attempt('bind', lambda: socket.create_server(('127.0.0.1', 0)))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
for family in (socket.AF_NETLINK, socket.AF_PACKET, socket.AF_VSOCK, 38):
    attempt(str(family), lambda: socket.socket(family, socket.SOCK_RAW))
import urllib.request
attempt('http', lambda: urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=1))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("shared-memory", _ATTEMPT + """
attempt('shmget', lambda: called(libc.shmget(4711, 4096, 0o1666)))
attempt('semget', lambda: called(libc.semget(4711, 1, 0o1666)))
attempt('msgget', lambda: called(libc.msgget(4711, 0o1666)))
attempt('mq', lambda: called(libc.syscall(240, b'mine', 66, 0o666, 0)))
attempt('memfd', lambda: os.memfd_create('mine'))
""", refused=True, only=("bwrap", "landlock")),
)  # fmt: skip

MEDDLING = (
    Hostile("kill-all", _ATTEMPT + """
for pid in [os.getppid(), *range(1, 40000)]:
    if pid != os.getpid():
        try:
            os.kill(pid, 9)
        except OSError:
            pass
try:
    os.kill(-1, 9)
except OSError:
    pass
try:
    os.killpg(os.getpgid(os.getppid()), 9)
except OSError:
    pass
print('still here')
""", failure="any", only=("bwrap", "landlock")),
    Hostile("trace", _ATTEMPT + """
attempt('attach', lambda: called(libc.ptrace(16, os.getppid(), 0, 0)))
attempt('traceme', lambda: called(libc.ptrace(0, 0, 0, 0)))
buffer = ctypes.create_string_buffer(64)
attempt('readv', lambda: called(libc.process_vm_readv(os.getppid(), buffer, 1, buffer, 1, 0)))
attempt('getfd', lambda: called(libc.syscall(438, os.pidfd_open(os.getppid()), 0, 0)))
attempt('kcmp', lambda: called(libc.syscall(312, os.getpid(), os.getppid(), 0, 0, 0)))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("daemon", """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        while True:
            time.sleep(0.05)
    os._exit(0)
os.wait()
""", weak=True),
    Hostile("stop-itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", failure="timed_out", weak=True),
    Hostile("descriptors-closed", "import os\nos.closerange(3, 1024)", checks="exact|crashed|timed_out|absent", failure="any"),
    Hostile("loop-blocked", "import asyncio, time\nasyncio.get_running_loop().call_later(0.05, time.sleep, 1000)",
            checks="timed_out|crashed|exact|not_defined|absent", failure="any"),
    Hostile("folder-made-strange", """
import os
os.makedirs('deep/' * 100)
os.mkfifo('pipe'); os.symlink('/', 'root'); os.symlink('loop', 'loop')
os.mkdir('closed'); open('closed/file', 'w').close(); os.chmod('closed', 0)
os.chmod('.', 0)
"""),
)  # fmt: skip

LIMITS = (
    Hostile("fork-bomb", """
import os, time
while True:
    try:
        if os.fork() == 0:
            pass
    except OSError:
        time.sleep(0.01)
""", failure="crashed", only=("bwrap", "landlock")),
    Hostile("memory-grown", """
import os
held = []
while True:
    held.append(bytearray(os.urandom(1) * 16 * 1024**2))
""", failure="memory_exceeded", weak=True),
    Hostile("memory-at-once", "import torch\ntorch.zeros(10**12)", failure="memory_exceeded", weak=True),
    Hostile("memory-of-children", """
import os, time
for _ in range(5):
    if os.fork() == 0:
        held = bytearray(os.urandom(1) * 100 * 1024**2)
        time.sleep(60)
time.sleep(60)
""", failure="memory_exceeded"),
    Hostile("disk", """
for number in range(1000):
    with open(f'file{number}', 'wb') as file:
        file.write(b'x' * 4 * 1024**2)
""", failure="any"),
    Hostile("one-large-file", "open('large', 'wb').write(b'x' * 64 * 1024**2)", failure="any"),
    Hostile("print-flood", "while True:\n    print('x' * 1000)", failure="output_exceeded", weak=True),
    Hostile("stderr-flood", "import sys\nwhile True:\n    sys.stderr.write('x' * 1000)", failure="output_exceeded"),
    Hostile("write-flood", "import os\nfor _ in range(2000):\n    os.write(1, b'x' * 10000)\n    os.write(2, b'x' * 10000)", weak=True),
    Hostile("display-flood", """
from IPython.display import display, HTML
for _ in range(300):
    display(HTML('x' * 100_000))
""", failure="any"),
    Hostile("error-flood", "raise Exception('x' * 40_000_000)", failure="any", checks="exact|absent"),
    Hostile("endless", "import time\nwhile True:\n    time.sleep(0.01)", failure="timed_out", weak=True),
    Hostile("endless-swallowing", """
import time
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        pass
""", failure="timed_out", weak=True),
    Hostile("endless-in-c", "sum(range(10**15))", failure="timed_out"),
    Hostile("interrupt-ignored", "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(1000)", failure="timed_out"),
    Hostile("limits-raised", _ATTEMPT + """
import resource
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
    hard = resource.getrlimit(kind)[1]
    attempt(str(kind), lambda: resource.setrlimit(kind, (hard + 1, hard + 1)))
""", refused=True, only=("bwrap", "landlock")),
    Hostile("files-open", "held = [open('/dev/null') for _ in range(5000)]", failure="raised"),
)  # fmt: skip

DYING = (
    Hostile("exit-hard", "import os\nos._exit(0)", failure="crashed", weak=True),
    Hostile("abort", "import os\nos.abort()", failure="crashed"),
    Hostile("segfault", "import ctypes\nctypes.string_at(0)", failure="crashed", weak=True),
    Hostile("kill-itself", "import os\nos.kill(os.getpid(), 9)", failure="crashed"),
    Hostile("recursion", "def f(): f()\nf()", failure="raised"),
    Hostile("system-exit", "raise SystemExit(0)", failure="any"),
    Hostile("quit", "quit()", failure="any"),
    Hostile("shutdown", "k = get_ipython().kernel\nk.do_shutdown(False)\nk.io_loop.stop()", checks="exact|crashed|timed_out", failure="any"),
    Hostile("keyboard-interrupt", "raise KeyboardInterrupt", failure="raised"),
    Hostile("reset", "x = 1\n%reset -f"),
    Hostile("shell-replaced", "get_ipython().user_ns = {}\nget_ipython().run_cell = None\nget_ipython().kernel.shell = None",
            checks="exact|not_defined|crashed|timed_out|absent", failure="any"),
    Hostile("exit-at-exit", "import atexit, time\natexit.register(time.sleep, 1000)"),
    Hostile("evil-message", """
class Evil(Exception):
    def __str__(self):
        raise SystemExit
    __repr__ = __str__
raise Evil
""", failure="any"),
)  # fmt: skip

SURROUNDINGS = (
    Hostile("chdir", "import os\nos.chdir('/')", weak=True),
    Hostile("default-dtype", "import torch\ntorch.set_default_dtype(torch.float64)", weak=True),
    Hostile("default-device", "import torch\ntorch.set_default_device('meta')", weak=True),
    Hostile("gradients-off", "import torch\ntorch.set_grad_enabled(False)\ntorch.use_deterministic_algorithms(True)"),
    Hostile("tracing", "import sys, threading\nf = lambda *args: f\nsys.settrace(f); sys.setprofile(f); threading.settrace(f)"),
    Hostile("threads-and-openmp", "import torch\ntorch.set_num_threads(2)\nfor _ in range(3):\n    torch.randn(600, 600) @ torch.randn(600, 600)"),
    Hostile("input", "input('? ')", failure="raised", weak=True),
    Hostile("pdb", "import pdb\npdb.set_trace()\nx = 1", failure="any"),
    Hostile("breakpoint", "breakpoint()", failure="any"),
    Hostile("getpass", "import getpass\ngetpass.getpass()", failure="raised"),
)  # fmt: skip

CHECKS = (
    Hostile("check-endless", answer=_stub("while True: time.sleep(0.01)"), checks="timed_out", weak=True),
    Hostile("check-swallowing", answer=_stub("""
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""), checks="timed_out"),
    Hostile("check-exit", answer=_stub("os._exit(0)"), checks="crashed", weak=True),
    Hostile("check-segfault", answer=_stub("ctypes.string_at(0)"), checks="crashed"),
    Hostile("check-second-dies", answer=_stub("if inp[0, 0] == 2: os.abort()"), checks=("exact", "crashed"), weak=True),
    Hostile("check-first-dies", answer=_stub("if inp[0, 0] == 1: os.abort()"), checks=("crashed", "exact"), weak=True),
    Hostile("check-fork-bomb", answer=_stub("while True: os.fork()"), checks="raised", only=("bwrap", "landlock")),
    Hostile("check-memory", answer=_stub("held = []\nwhile True: held.append(bytearray(os.urandom(1) * 2**24))"),
            checks="memory_exceeded|timed_out"),
    Hostile("check-print-flood", answer=_stub("while True: print('x' * 1000)"), checks="output_exceeded", weak=True),
    Hostile("check-write-flood", answer=_stub("for _ in range(2000): os.write(1, b'x' * 10000)"), checks="exact"),
    Hostile("check-result-large", answer="import torch\ndef lin(inp, out, w):\n    w.g = torch.zeros(2 * 10**6)\n",
            checks="output_exceeded", weak=True),
    Hostile("check-result-expanded", answer="import torch\ndef lin(inp, out, w):\n    w.g = torch.zeros(1).expand(10**9)\n",
            checks="output_exceeded"),
    Hostile("check-executes", answer=_stub("import subprocess\nsubprocess.run(['true'])"), checks="raised", only=("bwrap", "landlock")),
    Hostile("check-exits", answer=_stub("raise SystemExit(0)"), checks="raised"),
    Hostile("check-interrupts", answer=_stub("raise KeyboardInterrupt"), checks="raised"),
    Hostile("check-evil-error", answer=_stub("""
class Evil(Exception):
    def __str__(self): return '\\x1b[31m\\ud800' + 'x' * 10**6
raise Evil
"""), checks="raised"),
    Hostile("check-threads", answer=_stub("import threading\nthreading.Thread(target=time.sleep, args=(100,)).start()"), checks="exact"),
    Hostile("check-reads-stdin", answer=_stub("input()"), checks="raised"),
    Hostile("check-inputs-changed", answer=_stub("inp.add_(1); out.g.add_(1)"), checks="wrong"),
)  # fmt: skip

# A process that outlives the cell and answers for the check: it gets the inputs over a socket pair, computes with
# autograd, and sends the answer back. ``{resume}`` is how it comes to run while everything is stopped.
_ACCOMPLICE = """
import os, signal, socket, torch, time, ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
accomplice = os.fork()
if accomplice == 0:
    torch.set_num_threads(1)
    {prepare}
    while True:
        try:
            data = theirs.recv(65536)
            inp = torch.frombuffer(bytearray(data), dtype=torch.float32)
            answer = inp[:6].reshape(2, 3).t() @ inp[6:].reshape(2, 4)
            theirs.send(answer.numpy().tobytes())
        except BaseException:
            time.sleep(0.01)
"""
_ASK = """
import torch
def lin(inp, out, w):
    {resume}
    ours.settimeout(1.5)
    ours.send(inp.numpy().tobytes() + out.g.numpy().tobytes())
    w.g = torch.frombuffer(bytearray(ours.recv(65536)), dtype=torch.float32).reshape(3, 4).clone()
"""


def _accomplice(prepare: str = "pass", resume: str = "pass") -> dict[str, str]:
    return {"cell": _ACCOMPLICE.format(prepare=prepare), "answer": _ASK.format(resume=resume)}


ACCOMPLICES = (
    Hostile("accomplice", **_accomplice(), checks="raised", weak=True),
    Hostile("accomplice-continued", **_accomplice(resume="os.kill(accomplice, signal.SIGCONT)"), checks="raised|crashed", weak=True),
    Hostile("accomplice-timer", **_accomplice(prepare="""
    signal.signal(signal.SIGCONT, lambda *args: None)
    event = struct.pack('qiii', 0, signal.SIGCONT, 0, 0) + bytes(64)
    timer = ctypes.c_void_p()
    assert libc.timer_create(1, event, ctypes.byref(timer)) == 0
    assert libc.timer_settime(timer, 0, struct.pack('qqqq', 0, 20_000_000, 0, 20_000_000), None) == 0
"""), checks="crashed", weak=True),
    Hostile("accomplice-orphaned", **_accomplice(prepare="""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setpgid(0, 0)
    if os.fork():
        os._exit(0)
    open('group', 'w').write(str(os.getpgid(0)))
""", resume="""group = int(open('group').read())
    child = os.fork()
    if child == 0:
        os.setpgid(0, group)
        os._exit(0)
    os.waitpid(child, 0)"""), checks="raised", only=("bwrap", "landlock")),
    Hostile("inputs-watched", """
import gc, threading, torch, time
seen = []
def watch():
    while True:
        seen.extend(thing.shape for thing in gc.get_objects() if isinstance(thing, torch.Tensor) and thing.shape == (2, 3))
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
""", answer=_stub("if seen: w.g = None; return")),
    Hostile("inputs-leaked-by-file", "import os", _stub("""
try:
    known = open('inputs').read()
except OSError:
    known = ''
open('inputs', 'a').write(str(inp.tolist()))
if str(inp.tolist()) in known: os.abort()
""")),
)  # fmt: skip

TABLE = (
    *FORGED, *PATCHED, *SECRETS, *OUTSIDE, *MEDDLING, *LIMITS, *DYING, *SURROUNDINGS, *CHECKS, *ACCOMPLICES,
)  # fmt: skip


def table(sandbox: str) -> tuple[Hostile, ...]:
    """What is run in ``sandbox``: everything in bwrap, in landlock what it must refuse, in none the weak ones."""
    rows = [row for row in TABLE if sandbox in row.only]
    if sandbox == "bwrap":
        return tuple(rows)
    return tuple(row for row in rows if row.weak or (sandbox == "landlock" and (row.refused or len(row.only) < 3)))
