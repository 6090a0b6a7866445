"""Hostile submissions: what each one does, how it must end, and what must not happen.

``cell`` runs before the stub ``answer``; ``checks`` are the verdicts that its two cases may have (``laboratory.verdict``,
alternatives separated by ``|``), ``failure`` how the cell may fail, as well (None: not at all). Code that tries what must not
work uses ``attempt`` and prints ``GOT`` when it worked: ``refused`` says that nothing may have.

Whatever a row does must be harmless where nothing confines it, for that is what a sandbox with a hole does: it names
files in a temporary folder and processes of the test's own, opens others without changing them, and ends by itself.
Where a call would do harm its arguments are ones that it can only fail on (``attempt_to_fail``).
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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

    def allowed(self, index: int) -> set[str]:
        """The verdicts that case ``index`` may have."""
        return set((self.checks if isinstance(self.checks, str) else self.checks[index]).split("|"))


_ATTEMPT = """
import ctypes, errno, os, socket, sys, signal, time, gc
libc = ctypes.CDLL(None, use_errno=True)
refusals = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSYS)
init = os.getppid() or 1  # 0 stands for a parent outside this PID namespace, where the job's init is process 1
def attempt(name, do):
    try:
        got = do()
    except BaseException as error:
        print(name, 'refused', type(error).__name__, error)
    else:
        print(name, 'GOT', repr(got)[:300])
def attempt_to_fail(name, do):  # on arguments that cannot work: only the sandbox's own errors are a refusal
    try:
        got = do()
    except OSError as error:
        print(name, 'refused' if error.errno in refusals else 'GOT', error)
    else:
        print(name, 'GOT', repr(got)[:300])
def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), 'refused')
    return result
def forked(result):
    if result == 0:
        os._exit(0)
    return called(result)
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


#: Says in the harness' place, through plain files, that a program ended with the right answer.
_WHOLE = """
import json, os, time
def spoken(data):
    for fd in range(3, 256):
        try:
            open(fd, 'wb', buffering=0, closefd=False).write(data)
        except OSError:
            pass
def forge(answer, number):
    data = answer.contiguous().numpy().tobytes()
    outcome = {"ended": "returned", "error": None, "captures": {"w.g": ["tensor", "", ""]}, "errors": {}, "printed": "", "autograd": None}
    header = {"__metadata__": {"grader": json.dumps(outcome)}, "c:w.g": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, len(data)]}}
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    result = len(text).to_bytes(8, 'little') + text + data
    at = number * len(result)
    for fd in range(3, 256):
        try:
            with open(fd, 'r+b', buffering=0, closefd=False) as file:
                file.seek(at); file.write(result)
        except OSError:
            pass
    spoken(json.dumps({"event": "done", "at": at, "length": len(result)}).encode())
    time.sleep(0.3)
    os._exit(0)
"""

FORGED = (
    Hostile("done-with-a-whole-result", _WHOLE, "def lin(inp, out, w):\n    forge(inp.t() @ out.g, int(inp[0, 0]) - 1)\n", "crashed"),
    Hostile("harness-replaced-in-the-fork", _WHOLE + """
import select, socket, torch
def serve():
    socks = []
    for fd in range(3, 64):
        try:
            sock = socket.socket(fileno=fd)
        except OSError:
            continue
        if sock.type == socket.SOCK_SEQPACKET:
            socks.append(sock)
            sock.send(b'{"event":"forked"}')
    while True:
        for sock in select.select(socks, [], [], 5)[0]:
            data, fds, _, _ = socket.recv_fds(sock, 100_000, 8)
            if json.loads(data)['do'] == 'program':
                with open(fds[0], 'rb', closefd=False) as file:
                    file.seek(0)
                    given = file.read()
                size = int.from_bytes(given[:8], 'little')
                header = json.loads(given[8 : 8 + size])
                def tensor(name):
                    start, end = header[name]['data_offsets']
                    return torch.frombuffer(bytearray(given[8 + size + start : 8 + size + end]), dtype=torch.float32).reshape(header[name]['shape'])
                forge(tensor('inp').t() @ tensor('out.g'), int(tensor('inp')[0, 0]) - 1)
os.register_at_fork(after_in_child=serve)
""", ZEROS, "crashed"),
    Hostile("garbage-in-result-file", answer=_stub("""
for fd in range(3, 256):
    try:
        os.pwrite(fd, b'\\xff' * 4096, 0)
    except OSError:
        pass
os._exit(0)
"""), checks="crashed"),
    Hostile("one-tensor-many-times-in-result-file", answer=_stub("""
size = 3 * 2**20
entry = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
header = json.dumps({"__metadata__": {"grader": "{}"}, **{f"x:{number}": entry for number in range(300)}}).encode()
result = len(header).to_bytes(8, 'little') + header + bytes(size)
for fd in range(3, 256):
    try:
        os.pwrite(fd, result, 0)
    except OSError:
        pass
for fd in range(3, 256):
    try:
        socket.socket(fileno=os.dup(fd)).send(json.dumps({"event": "done", "at": 0, "length": len(result)}).encode())
    except OSError:
        pass
time.sleep(0.3)
os._exit(0)
"""), checks="crashed"),
    Hostile("done-without-result", answer=_forged("""b'{"event":"done","at":0,"length":64}'"""), checks="crashed"),
    Hostile("done-enormous", answer=_forged("b'{\"event\":\"done\",\"at\":0,\"length\":' + b'9' * 30 + b'}'"), checks="crashed"),
    Hostile("done-no-json", answer=_forged("b'\\xff' * 60000"), checks="crashed"),
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
    Hostile("iopub-garbage-when-interrupted", """
import time
try:
    time.sleep(60)
except KeyboardInterrupt:
    get_ipython().kernel.iopub_socket.send_multipart([b'x', b'<IDS|MSG>', b'', b'garbage', b'{}', b'{}', b'{}'])
    time.sleep(0.5)
""", checks="exact|absent", failure="crashed"),
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
    Hostile("frames-without-end", """
import os, socket
frame = b'\\x03' + (2**20).to_bytes(8, 'big') + bytes(2**20)
for fd in range(3, 64):
    try:
        sock = socket.socket(fileno=os.dup(fd))
        if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM or not sock.getsockname():
            continue
        sock.settimeout(0.5)
        for _ in range(400):
            sock.sendall(frame)
    except OSError:
        pass
""", checks="exact|absent", failure="any"),
    Hostile("iopub-many-objects", """
kernel = get_ipython().kernel
parent = __import__('json').dumps(kernel.get_parent()['header'], default=str).encode()
for size in (2**20, 2**23):
    for _ in range(200):
        kernel.iopub_socket.send_multipart([b'<IDS|MSG>', b'', parent, parent, b'{}', b'[' + b'[],' * (size // 3) + b'[]]'])
""", checks="exact|absent", failure="any"),
    Hostile("reply-nested", """
import threading
kernel = get_ipython().kernel
deep = b'{"a":' * 100000 + b'1' + b'}' * 100000
parent = __import__('json').dumps(kernel.get_parent()['header'], default=str).encode()
kernel.iopub_socket.send_multipart([b'<IDS|MSG>', b'', parent, parent, b'{}', deep])
""", checks="exact|absent", failure="any"),
    Hostile("orders-forged", """
from grader.kernel.guest import harness
from grader.kernel.protocol import wire
command = harness._command
for message in ({'event': 'ready'}, {'event': 'failed', 'text': 'x'}, {'event': 'forked'}, {'event': []}, {'do': 'kill'}):
    wire.send(command, message)
command.send(b'no json')
""", checks="exact|crashed|timed_out|not_defined|absent", failure="any"),
    Hostile("fork-forged", """
from grader.kernel.guest import harness
from grader.kernel.protocol import wire
import socket
ours, theirs = socket.socketpair()
for number in (None, 1, 2):
    wire.send(harness._command, {'event': 'forked', 'number': number}, [theirs.fileno()])
""", checks="exact|crashed|timed_out"),
    Hostile("fork-denied", """
from grader.kernel.guest import harness
def denied():
    raise OSError
harness._fork = denied
""", checks="crashed"),
    Hostile("fork-ends-itself", "import os\nos.register_at_fork(after_in_child=lambda: os._exit(0))", checks="crashed"),
    Hostile("filter-of-its-own", """
import ctypes, struct
steps = ((0x20, 0, 0, 0), (0x15, 0, 1, 18), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000))  # pwrite64 is refused
code = b''.join(struct.pack('HBBI', *step) for step in steps)
ctypes.CDLL(None).prctl(22, 2, struct.pack('HxxxxxxP', len(steps), ctypes.addressof(kept := ctypes.create_string_buffer(code))), 0, 0)
""", checks="crashed" if platform.machine() == "x86_64" else "exact|crashed"),
    Hostile("orders-flood", """
from grader.kernel.guest import harness
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
""", ZEROS, "wrong"),
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
from grader.kernel.protocol import exchange, wire
forge = lambda *args, **kwargs: '{"ended": "returned", "captures": {"w.g": ["tensor", "", ""]}}'
json.dumps = exchange._dumps = forge
""", ZEROS, "wrong|crashed|timed_out|absent", failure="any"),
    Hostile("harness-patched", """
from grader.kernel.guest import harness
from grader.kernel.check import program, capture
program.ProgramRun.run = lambda self: ({}, {'ended': 'passed', 'score': 100, 'captures': {}})
""", ZEROS, "crashed"),
    Hostile("class-property", """
import torch
torch.Tensor.g = property(lambda self: torch.ones(3, 4))
""", ZEROS, "wrong|crashed|raised|timed_out"),
    Hostile("class-descriptor", """
import torch
class Right:
    __get__ = lambda self, tensor, kind: torch.ones(3, 4)
    __set__ = lambda self, tensor, value: None
torch.Tensor.g = Right()
""", checks="wrong|raised"),
    Hostile("lying-subclass", """
import torch
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True
    __eq__ = __bool__ = lambda self, *other: True
""", "def lin(inp, out, w):\n    w.g = torch.zeros(3, 4).as_subclass(Liar)\n", "wrong"),
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
""", refused=True),
    Hostile("environment", """
import os, subprocess
print(dict(os.environ), subprocess.run(['env'], capture_output=True).stdout)
"""),
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
""", refused=True),
    Hostile("proc-listing", _ATTEMPT + """
attempt('list', lambda: os.listdir('/proc'))
found = [pid for pid in range(1, 40000) if os.path.exists(f'/proc/{pid}')]
print('processes', 'GOT' if found else 'refused', found[:10])
""", refused=True),
    Hostile("devices", _ATTEMPT + """
for path in ('/dev/mem', '/dev/kmem', '/proc/kcore', '/dev/sda', '/dev/vda', '/dev/kmsg', '/dev/pts', '/proc/1/root/etc/passwd'):
    attempt(path, read(path))
attempt('tty', lambda: open('/dev/tty', 'w'))
""", refused=True),
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
for path in (torch.__file__, os.__file__, '{path}'):
    attempt(path, lambda: os.open(path, os.O_WRONLY))
for place in ('/', '/etc', '/usr', '/var/tmp', '/home', sys.prefix):  # a file without a name, gone when it is closed
    attempt(place, lambda: os.open(place, os.O_WRONLY | os.O_TMPFILE))
os.symlink('/etc', 'way')
attempt('symlink', lambda: os.open('way', os.O_WRONLY | os.O_TMPFILE))
attempt('new', lambda: open('{path}.new', 'w').close())
attempt('unlink', lambda: os.unlink('{path}'))
attempt('rename', lambda: os.rename('{path}', 'mine'))
attempt('link', lambda: os.link(os.__file__, 'os.py'))
attempt_to_fail('rmdir', lambda: os.rmdir(os.path.dirname(torch.__file__)))
def chmod():
    before = os.stat('{path}').st_mode
    os.chmod('{path}', before ^ 1)
    if os.stat('{path}').st_mode == before:
        raise OSError('nothing happened')
attempt('chmod', chmod)
attempt('mknod', lambda: os.mknod('disk', 0o60666, os.makedev(8, 0)))
""", refused=True),
    Hostile("descriptors-in-flight", """
import array, os, socket
pairs, sent = [], 0
try:
    while sent < 5000:
        pairs.append(socket.socketpair()); pairs[-1][0].setblocking(False)
        fds = array.array('i', [0] * 250)
        pairs[-1][0].sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]); sent += 250
except OSError:
    pass
"""),
    Hostile("namespaces", _ATTEMPT + """
attempt('unshare user', lambda: called(libc.unshare(0x10000000)))
attempt('unshare mount', lambda: called(libc.unshare(0x20000)))
attempt('clone user', lambda: forked(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)))
attempt('clone3', lambda: forked(libc.syscall(435, ctypes.create_string_buffer(88), 88)))
attempt('clone sibling', lambda: forked(libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0)))  # of this process, whose parent is trusted
attempt('setuid', lambda: os.setuid(12345))
attempt('priority', lambda: os.nice(-10))
attempt_to_fail('setns', lambda: called(libc.setns(0, 0)))
attempt_to_fail('mount', lambda: called(libc.mount(b'tmpfs', b'nowhere', b'tmpfs', 0, None)))
attempt_to_fail('umount', lambda: called(libc.umount2(b'nowhere', 2)))
attempt_to_fail('chroot', lambda: os.chroot('nowhere'))
attempt_to_fail('pivot', lambda: called(libc.syscall(155, b'nowhere', b'nowhere')))
attempt_to_fail('host', lambda: called(libc.sethostname(b'x' * 65, 65)))
attempt_to_fail('bpf', lambda: called(libc.syscall(321, 0, 0, 0)))
attempt('io_uring', lambda: called(libc.syscall(425, 8, ctypes.create_string_buffer(256))))
attempt('userfaultfd', lambda: called(libc.syscall(323, 0)))
attempt_to_fail('perf', lambda: called(libc.syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)))
attempt_to_fail('rules', lambda: called(libc.syscall(445, -1, 1, 0, 0)))  # of Landlock, as many as one likes
attempt('keyctl', lambda: called(libc.syscall(250, 0, -3, 1)))
attempt('x32', lambda: called(libc.syscall(0x40000000 + 39)))
""", refused=True),
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
""", refused=True),
    Hostile("shared-memory", _ATTEMPT + """
attempt_to_fail('shmget', lambda: called(libc.shmget(4711, 4096, 0o666)))
attempt_to_fail('semget', lambda: called(libc.semget(4711, 1, 0o666)))
attempt_to_fail('msgget', lambda: called(libc.msgget(4711, 0o666)))
attempt_to_fail('mq', lambda: called(libc.syscall(240, b'mine', 0, 0, 0)))
attempt('memfd', lambda: os.memfd_create('mine'))
for name in ('splice', 'tee', 'vmsplice', 'sendfile'):
    attempt_to_fail(name, lambda: called(libc[name](-1, -1, 0, 0, 0, 0)))
for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):  # of unix sockets, two names for one
    attempt(str(kind), lambda: socket.socketpair(socket.AF_UNIX, kind))
import mmap
attempt('no file', lambda: mmap.mmap(-1, 4096))
attempt('zeros', lambda: os.open('/dev/zero', os.O_RDWR))
attempt('epoll', lambda: __import__('select').epoll())
attempt('aio', lambda: called(libc.syscall(206, 1, ctypes.byref(ctypes.c_ulong()))))
""", refused=True),
)  # fmt: skip

MEDDLING = (
    Hostile("kill", _ATTEMPT + """
attempt('init', lambda: os.kill(init, 9))
attempt('another', lambda: os.kill({victim}, 9))
attempt('group', lambda: os.killpg({victim}, 9))
for pid in range(1, 40000):
    try:
        os.kill(pid, 0)
    except OSError:
        pass
    else:
        if os.getpgid(pid) != os.getpgid(0):  # else one of this process's own threads
            print('reach', 'GOT', pid)
""", refused=True),
    Hostile("trace", _ATTEMPT + """
attempt('attach', lambda: called(libc.ptrace(16, init, 0, 0)))
attempt('traceme', lambda: called(libc.ptrace(0, 0, 0, 0)))
buffer = ctypes.create_string_buffer(64)
attempt('readv', lambda: called(libc.process_vm_readv(init, buffer, 1, buffer, 1, 0)))
attempt('getfd', lambda: called(libc.syscall(438, os.pidfd_open(init), 0, 0)))
attempt('kcmp', lambda: called(libc.syscall(312, os.getpid(), init, 0, 0, 0)))
""", refused=True),
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
        for _ in range(600):
            time.sleep(0.1)
    os._exit(0)
os.wait()
"""),
    Hostile("stop-itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", failure="timed_out"),
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

_SOCKETS = """
import subprocess, sys, time
holds = '''
import socket, time
{hides}
held = [socket.socketpair() for _ in range(110)]  # in which four times that could be sent
time.sleep(60)
'''
for _ in range(10):
    subprocess.Popen([sys.executable, '-S', '-c', holds])
time.sleep(60)
"""
LIMITS = (
    Hostile("fork-bomb", """
import os, time
for _ in range(9):
    try:
        os.fork()
    except OSError:
        time.sleep(0.01)
time.sleep(20)
os._exit(0)
""", failure="crashed"),
    # Refused the next one, it would go on to another cell, were it not killed first.
    Hostile("processes-hoarded", """
import subprocess
kept = []
try:
    while True:
        kept.append(subprocess.Popen(['sleep', '60'], start_new_session=True))
except OSError:
    pass
""", failure="crashed"),
    Hostile("memory-grown", """
import os
held = [bytearray(os.urandom(1) * 16 * 1024**2) for _ in range(100)]
""", failure="memory_exceeded"),
    Hostile("memory-at-once", "import torch\ntorch.zeros(10**12)", failure="memory_exceeded"),
    Hostile("memory-hidden", """
import ctypes, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody may look into this process
held = b'x' * 500 * 1024**2
time.sleep(60)
""", failure="memory_exceeded"),
    Hostile("memory-of-a-thread", """
import ctypes, os, threading, time
def hold():
    time.sleep(0.3)
    held = b'x' * 500 * 1024**2
    time.sleep(60)
    os._exit(0)
if os.fork() == 0:
    threading.Thread(target=hold).start()
    ctypes.CDLL(None).syscall(60, 0)  # ends the process's first thread alone
time.sleep(60)
""", failure="memory_exceeded"),
    Hostile("memory-of-sockets", _SOCKETS.format(hides="pass"), failure="memory_exceeded"),
    # Who may look into every process (root in bwrap) sees what these sockets hold.
    Hostile("sockets-hidden", _SOCKETS.format(hides="__import__('ctypes').CDLL(None).prctl(4, 0, 0, 0, 0)"),
            failure="memory_exceeded|crashed"),
    Hostile("memory-of-connections", """
import socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind('place')
listener.listen(4096)
for _ in range(2500):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect('place')
        sock.setblocking(False)
        sock.send(bytes(100_000))
time.sleep(60)
""", failure="memory_exceeded"),
    Hostile("pipes-hoarded", """
import os, time
for _ in range(3):
    if os.fork() == 0:
        held = [os.pipe() for _ in range(120)]
        time.sleep(5)
        os._exit(0)
time.sleep(5)
""", failure="crashed"),
    Hostile("memory-of-page-tables", """
import ctypes, numpy
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
size, apart = 2**38, 2**21  # of each page table one page is read, which is the one of zeros
place = libc.mmap(None, ctypes.c_size_t(size), 1, 0x4022, -1, ctypes.c_size_t(0))
libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(size), 15)
numpy.frombuffer((ctypes.c_char * size).from_address(place), numpy.uint8)[::apart].sum()
__import__('time').sleep(60)
""", failure="memory_exceeded"),
    Hostile("memory-of-children", """
import os, time
for _ in range(5):
    if os.fork() == 0:
        held = bytearray(os.urandom(1) * 100 * 1024**2)
        time.sleep(60)
        os._exit(0)
time.sleep(60)
""", failure="memory_exceeded"),
    Hostile("disk", """
for number in range(30):
    with open(f'file{number}', 'wb') as file:
        file.write(b'x' * 4 * 1024**2)
""", failure="any"),
    Hostile("print-flood", "while True:\n    print('x' * 1000)", failure="output_exceeded"),
    Hostile("write-flood", "import os\nfor _ in range(2000):\n    os.write(1, b'x' * 10000)\n    os.write(2, b'x' * 10000)"),
    Hostile("disk-in-flight", """
import os, socket, time
pairs = []
for number in range(3):
    with open(str(number), 'wb') as file:
        os.unlink(file.name)
        file.write(bytes(8 << 20)); file.flush()
        pairs.append(socket.socketpair())
        socket.send_fds(pairs[-1][0], [b'x'], [file.fileno()])
time.sleep(0.5)
""", failure="raised|output_exceeded"),
    Hostile("display-flood", """
from IPython.display import display, HTML
for _ in range(300):
    display(HTML('x' * 100_000))
""", failure="output_exceeded"),
    Hostile("result-flood", "'x' * 3_000_000", failure="output_exceeded"),
    Hostile("error-flood", "raise Exception('x' * 40_000_000)", failure="raised"),
    Hostile("endless-swallowing", """
import time
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        pass
""", failure="timed_out"),
    Hostile("endless-in-c", "sum(range(10**15))", failure="timed_out"),
    Hostile("signals-hoarded", _ATTEMPT + """
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
attempt('signals', lambda: [called(libc.sigqueue(os.getpid(), 40, None)) for _ in range(2000)])
""", refused=True),
    Hostile("limits-raised", _ATTEMPT + """
import resource
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
    hard = resource.getrlimit(kind)[1]
    attempt(str(kind), lambda: resource.setrlimit(kind, (hard + 1, hard + 1)))
""", refused=True),
    Hostile("files-open", "held = [open('/dev/null') for _ in range(5000)]", failure="raised"),
)  # fmt: skip

DYING = (
    Hostile("exit-hard", "import os\nos._exit(0)", failure="crashed"),
    Hostile("segfault", "import ctypes\nctypes.string_at(0)", failure="crashed"),
    Hostile("recursion", "def f(): f()\nf()", failure="raised"),
    Hostile("system-exit", "raise SystemExit(0)", failure="any"),
    Hostile("exit", "exit()", failure="any"),
    Hostile("quit-in-passing", "quit()\nprint('went on')", failure="any"),
    Hostile("exit-word", "exit", failure="any"),
    Hostile("exit-flag", "get_ipython().exit_now = True"),
    Hostile("shutdown", "k = get_ipython().kernel\nk.do_shutdown(False)\nk.io_loop.stop()",
            checks="exact|crashed|timed_out|not_defined|absent", failure="any"),
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
    Hostile("chdir", "import os\nos.chdir('/')"),
    Hostile("default-dtype", "import torch\ntorch.set_default_dtype(torch.float64)"),
    Hostile("default-device", "import torch\ntorch.set_default_device('meta')"),
    Hostile("tracing", "import sys, threading\nf = lambda *args: f\nsys.settrace(f); sys.setprofile(f); threading.settrace(f)"),
    Hostile("threads-and-openmp", "import torch\ntorch.set_num_threads(2)\nfor _ in range(3):\n    torch.randn(600, 600) @ torch.randn(600, 600)"),
    Hostile("clocks-stopped", "import time\ntime.monotonic = time.perf_counter = time.time = lambda: 0\ntime.sleep = print"),
    Hostile("environment-emptied", "import os\nos.environ.clear()\nos.umask(0o777)\nos.chdir('/')"),
    Hostile("input", "input('? ')", failure="raised"),
    Hostile("pdb", "import pdb\npdb.set_trace()\nx = 1", failure="any"),
)  # fmt: skip

CHECKS = (
    Hostile("check-endless", answer=_stub("while True: time.sleep(0.01)"), checks="timed_out"),
    Hostile("check-swallowing", answer=_stub("""
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""), checks="timed_out"),
    Hostile("check-exit", answer=_stub("os._exit(0)"), checks="crashed"),
    Hostile("check-second-dies", answer=_stub("if inp[0, 0] == 2: os.abort()"), checks=("exact", "crashed")),
    Hostile("check-fork-bomb", answer=_stub("for _ in range(6): os.fork()"), checks="crashed"),
    Hostile("check-memory", answer=_stub("held = [bytearray(os.urandom(1) * 2**24) for _ in range(100)]"),
            checks="memory_exceeded|timed_out"),
    Hostile("check-print-flood", answer=_stub("while True: print('x' * 1000)"), checks="output_exceeded"),
    Hostile("check-write-flood", answer=_stub("for _ in range(2000): os.write(1, b'x' * 10000)"), checks="exact"),
    Hostile("check-result-large", answer="import torch\ndef lin(inp, out, w):\n    w.g = torch.zeros(2 * 10**6)\n",
            checks="output_exceeded"),
    Hostile("check-result-expanded", answer="import torch\ndef lin(inp, out, w):\n    w.g = torch.zeros(1).expand(10**9)\n",
            checks="output_exceeded"),
    Hostile("check-executes", answer=_stub("import subprocess\nsubprocess.run(['true'])"), checks="crashed"),
    Hostile("check-nested-operand", answer=_stub("rows = torch.nested.nested_tensor([w, w])\nrows.nothing + rows"),
            checks="raised"),
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
# autograd, and sends the answer back. ``{begun}`` is what the cell waits for, ``{resume}`` how it comes to run while
# everything is stopped.
_ACCOMPLICE = """
import os, signal, socket, torch, time, ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
accomplice = os.fork()
if accomplice == 0:
    torch.set_num_threads(1)
    signal.alarm(60)
    {prepare}
    while True:
        try:
            data = theirs.recv(65536)
            inp = torch.frombuffer(bytearray(data), dtype=torch.float32)
            answer = inp[:6].reshape(2, 3).t() @ inp[6:].reshape(2, 4)
            theirs.send(answer.numpy().tobytes())
        except BaseException:
            time.sleep(0.01)
{begun}
"""
_ASK = """
import torch
def lin(inp, out, w):
    {resume}
    ours.settimeout(0.4)
    ours.send(inp.numpy().tobytes() + out.g.numpy().tobytes())
    w.g = torch.frombuffer(bytearray(ours.recv(65536)), dtype=torch.float32).reshape(3, 4).clone()
"""


def _accomplice(prepare: str = "pass", resume: str = "pass", begun: str = "pass") -> dict[str, Any]:
    return {"cell": _ACCOMPLICE.format(prepare=prepare, begun=begun), "answer": _ASK.format(resume=resume)}


ACCOMPLICES = (
    Hostile("accomplice", **_accomplice(), checks="raised"),
    Hostile("accomplice-continued", **_accomplice(resume="os.kill(accomplice, signal.SIGCONT)"), checks="raised|crashed"),
    Hostile("accomplice-timer", **_accomplice(prepare="""
    signal.signal(signal.SIGCONT, lambda *args: None)
    event = struct.pack('qiii', 0, signal.SIGCONT, 0, 0) + bytes(64)
    timer = ctypes.c_void_p()
    assert libc.timer_create(1, event, ctypes.byref(timer)) == 0
    assert libc.timer_settime(timer, 0, struct.pack('qqqq', 0, 20_000_000, 0, 20_000_000), None) == 0
"""), checks="raised|crashed"),
    Hostile("accomplice-orphaned", **_accomplice(prepare="""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setpgid(0, 0)
    open('group', 'w').write(str(os.getpgid(0)))
    if os.fork():
        os._exit(0)
""", begun="os.waitpid(accomplice, 0)", resume="""group = int(open('group').read())
    child = os.fork()
    if child == 0:
        os.setpgid(0, group)
        os._exit(0)
    os.waitpid(child, 0)"""), checks="crashed"),
    Hostile("thread-made-as-it-is-forked", """
import os, queue, threading
asked, told = queue.Queue(), queue.Queue()
def serve():
    inp, upstream = asked.get()
    told.put(inp.t() @ upstream)  # by whatever means: no watch came before this thread
os.register_at_fork(after_in_child=lambda: threading.Thread(target=serve, daemon=True).start())
""", """
def lin(inp, out, w):
    asked.put((inp, out.g))
    w.g = told.get()
""", "crashed"),
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


#: What is run again in the sandbox that leaves more to Landlock and seccomp, and where nothing confines.
_AGAIN = {
    "landlock": (
        "files-read", "environment", "proc-read", "devices", "writing", "namespaces", "network", "shared-memory", "kill",
        "trace", "fork-bomb", "processes-hoarded", "disk-in-flight", "folder-made-strange", "accomplice-orphaned", "check-executes",
    ),
    "none": ("comparison-patched", "daemon", "endless-swallowing", "print-flood", "segfault", "check-second-dies"),
}  # fmt: skip
#: Rows that need a PID namespace.
_OF_BWRAP = ("proc-listing",)


def table(sandbox: str, best: bool) -> tuple[Hostile, ...]:
    """What is run in ``sandbox``: every row where that is the best that works here, a few again in the others."""
    if best and sandbox != "none":
        return tuple(row for row in TABLE if sandbox == "bwrap" or row.id not in _OF_BWRAP)
    return tuple(row for row in TABLE if row.id in _AGAIN[sandbox])


def filled(row: Hostile, secret: Path, port: int, victim: int) -> Hostile:
    """The row with what it goes after put in: a planted file, a port that listens, the id of a process."""
    repository = Path(__file__).resolve().parents[2]
    paths = [
        str(secret),
        "/etc/passwd",
        "/etc/shadow",
        "/root/.bashrc",
        str(repository / "solutions"),
        str(repository),
    ]
    fields = {"{paths}": repr(paths)[1:-1], "{path}": str(secret), "{port}": str(port), "{victim}": str(victim)}
    cell = row.cell
    for name, text in fields.items():
        cell = cell.replace(name, text)
    return replace(row, cell=cell)
