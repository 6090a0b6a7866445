"""A fork into namespaces of its own, tried in a sandbox as a zygote has one."""

import ast
import subprocess
import sys

import pytest

from grader.kernel.confinement import confine
from grader.kernel.host.sandbox import available_sandboxes, bwrap_command, package_home

pytestmark = pytest.mark.skipif(
    not any(one.name == "bwrap" and one.works for one in available_sandboxes()), reason="bwrap does not work here"
)

#: What a zygote does, in a sandbox as it has one: fork into new namespaces, and fork again from there.
SCRIPT = """
import os, sys, threading
sys.path.insert(0, sys.argv[1])
from grader.kernel.confinement import confine

confine._CLONE3 = int(sys.argv[2])

def spaces(who="self"):
    return [os.readlink(f"/proc/{who}/ns/{name}") for name in ("pid", "ipc", "mnt")]

outside = spaces(os.getpid())
reader, writer = os.pipe()
child = confine.fork_apart(confine.CLONE_NEWPID | confine.CLONE_NEWIPC | confine.CLONE_NEWNS)
if child == 0:
    assert os.getpid() == 1, os.getpid()
    assert threading.current_thread() is threading.main_thread()
    seen = []
    threading.Thread(target=lambda: seen.append(1)).start()  # needs the interpreter's lock, as it is after a fork
    grandchild = os.fork()
    if grandchild == 0:
        os._exit(os.getpid())
    status = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
    inside = spaces()
    os.write(writer, repr((grandchild, status, [one != other for one, other in zip(inside, outside)])).encode())
    os._exit(0)
os.close(writer)
print(os.read(reader, 1000).decode())
assert os.waitpid(child, 0)[1] == 0
assert spaces(os.getpid()) == outside
"""


def fork_apart_with(clone3: int) -> str:
    command = [*bwrap_command(), "--ro-bind", package_home(), package_home(), "--", sys.executable, "-c", SCRIPT]
    done = subprocess.run([*command, package_home(), str(clone3)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("clone3", [confine._CLONE3, 99_999], ids=["clone3", "hidden by a filter"])
def test_a_fork_apart_is_process_1_of_its_own_namespaces(clone3: int) -> None:
    child, status, new = ast.literal_eval(fork_apart_with(clone3))
    assert status == child > 1
    assert new == [True, True, True]


REFUSED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from grader.kernel.confinement import confine

me = os.getpid()
try:
    confine.fork_apart(1 << 63)  # no such flag
except OSError as error:
    print(error)
assert os.getpid() == me
child = os.fork()
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


def test_a_fork_apart_that_is_refused_says_why_and_leaves_the_process_as_it_was() -> None:
    done = subprocess.run([sys.executable, "-c", REFUSED, package_home()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "clone3" in done.stdout


#: What a zygote does with the init of a job: fork into its namespaces, and go on as before.
INTO = """
import os, sys
sys.path.insert(0, sys.argv[1])
from grader.kernel.confinement import confine

SPACES = confine.CLONE_NEWPID | confine.CLONE_NEWIPC | confine.CLONE_NEWNS

def apart():
    pid = confine.fork_apart(SPACES)
    if pid == 0:
        os.read(held, 1)
        os._exit(0)
    return pid

def spaces(who):
    return [os.readlink(f"/proc/{who}/ns/{name}") for name in ("pid", "ipc", "mnt")]

held, writer = os.pipe()
init, home = apart(), apart()
before = spaces("self")
reader, said = os.pipe()
child = confine.fork_into(os.pidfd_open(init), SPACES, os.pidfd_open(home))
if child == 0:
    os.write(said, repr((os.getpid(), os.getppid())).encode())
    os.read(held, 1)
    os._exit(7)
print(os.read(reader, 100).decode(), spaces(child) == spaces(init), spaces("self") == before)
other = os.fork()
if other == 0:
    os._exit(0)
print(os.waitpid(other, 0)[1], os.readlink("/proc/self/ns/pid_for_children") == spaces(home)[0])
os.kill(init, 9)  # process 1 of the child's namespace
print(os.WTERMSIG(os.waitpid(child, 0)[1]))
"""


def test_a_fork_into_the_namespaces_of_another_process_lives_as_long_as_these() -> None:
    command = [*bwrap_command(), "--ro-bind", package_home(), package_home(), "--", sys.executable, "-c", INTO]
    done = subprocess.run([*command, package_home()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(2, 0) True True", "0 True", "9"]
