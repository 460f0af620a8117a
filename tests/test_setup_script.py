"""The first line of `make …` on a machine where something is missing says what, and how to get it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

TOOLS = ("bash", "cat", "cksum", "dirname", "env", "find", "head", "id", "rm", "sort", "tail", "tr")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the Makefile is for POSIX systems")


class Machine:
    """A machine with nothing but the tools of every POSIX system and the programs that a test gives it."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.home = folder / "home"
        self.checkout = folder / "checkout"
        self.bin.mkdir()
        self.home.mkdir()
        (self.checkout / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "setup.sh", self.checkout / "scripts")
        for name in TOOLS:
            (self.bin / name).symlink_to(str(shutil.which(name)))

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!{self.bin / 'bash'}\n{script}\n")
        path.chmod(0o755)

    def python(self, name: str, version: str, *, with_venv: bool = True) -> None:
        self.program(
            name, f'case "$2" in *version_info*) echo {version};; *venv*) exit {0 if with_venv else 1};; *) exit 9;; esac'
        )

    def first_line(self) -> str:
        done = subprocess.run(
            [str(self.bin / "bash"), str(self.checkout / "scripts" / "setup.sh")],
            env={"PATH": str(self.bin), "HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode != 0
        assert not done.stdout
        return done.stderr.splitlines()[0]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_no_python(machine: Machine) -> None:
    assert machine.first_line().startswith("Python 3.11 or newer is needed (found: none): ")


def test_a_python_that_is_too_old(machine: Machine) -> None:
    machine.python("python3", "3.10.13")
    assert machine.first_line().startswith("Python 3.11 or newer is needed (found: python3 3.10.13): ")


def test_a_shim_that_is_there_and_does_not_run_is_no_python(machine: Machine) -> None:
    """pyenv puts a python3.13 on the path that only says that it is not chosen."""
    machine.program("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    assert "(found: none)" in machine.first_line()


def test_a_python_without_the_venv_module(machine: Machine) -> None:
    """Debian splits it off; the package to install is named."""
    machine.python("python3", "3.12.3", with_venv=False)
    assert "apt install python3.12-venv" in machine.first_line()


def test_an_old_python_beside_a_new_one_is_passed_over(machine: Machine) -> None:
    """The search goes on, so what is missing next is node."""
    machine.python("python3", "3.9.2")
    machine.python("python3.12", "3.12.1")
    assert machine.first_line().startswith("Node ")


def test_no_node(machine: Machine) -> None:
    machine.python("python3", "3.11.7")
    line = machine.first_line()
    assert line.startswith("Node 20.19 or newer, or 22.12 or newer, is needed and not found: ")
    assert "nvm install 22" in line


@pytest.mark.parametrize("version", ["v18.20.0", "v20.18.3", "v21.7.0", "v22.11.0"])
def test_a_node_that_is_too_old(machine: Machine, version: str) -> None:
    machine.python("python3", "3.11.7")
    machine.program("node", f"echo {version}")
    assert machine.first_line().startswith(f"Node ^20.19 or >=22.12 is needed and node is {version}: ")


@pytest.mark.parametrize("version", ["v20.19.0", "v22.12.0", "v24.1.0"])
def test_a_node_that_will_do(machine: Machine, version: str) -> None:
    """The set-up goes on to its next step (which this machine cannot do)."""
    machine.python("python3", "3.11.7")
    machine.program("node", f"echo {version}")
    assert "Node" not in machine.first_line()
