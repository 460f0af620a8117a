"""What is shipped: wheel and sdist carry the built panel, install without node, and run in plain IPython.

Built from the checkout as it is, so these need the panel's build (`make test` and `make soak` do that first).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT

PANEL = "share/jupyter/labextensions/jupyter-jitmagic"
VERSION = json.loads((ROOT / "package.json").read_text())["version"]

pytest.importorskip("hatch_nodejs_version", reason="building needs the environment of `make test`")
pytest.importorskip("build", reason="building needs the environment of `make test`")
if not (ROOT / "jupyter_jitmagic" / "labextension" / "package.json").exists():
    pytest.skip("the panel is not built here: make test builds it", allow_module_level=True)


def without_node() -> dict[str, str]:
    """This environment with nothing of node on the path: the Python's own folder holds jlpm, so it is left out, too."""
    empty = [folder for folder in ("/usr/local/sbin", "/sbin") if not (Path(folder) / "node").exists()]
    return {**os.environ, "PATH": os.pathsep.join(empty)}


def build(source: Path, target: Path, *kind: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", *kind, "--outdir", str(target), str(source)]
    done = subprocess.run(command, env=without_node(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist."""
    target = tmp_path_factory.mktemp("dist")
    build(ROOT, target, "--wheel", "--sdist")
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return wheel, sdist


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """Contents by path; the archive's own bookkeeping (which holds checksums) left in."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_carries_the_panel_once_and_the_package_whole(shipped: tuple[Path, Path]) -> None:
    """Every module and py.typed are in it; the panel lies where JupyterLab looks, and nowhere else; no tests, no TypeScript."""
    names = set(wheel_files(shipped[0]))
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "jupyter_jitmagic").rglob("*.py")}
    widget = {"jupyter_jitmagic/static/widget.js", "jupyter_jitmagic/static/widget.css"}
    assert modules | widget | {"jupyter_jitmagic/py.typed"} <= names
    data = f"jupyter_jitmagic-{VERSION}.data/data/{PANEL}"
    assert {f"{data}/package.json", f"{data}/install.json", f"{data}/static/style.js"} <= names
    entry = json.loads(wheel_files(shipped[0])[f"{data}/package.json"])["jupyterlab"]["_build"]["load"]
    assert f"{data}/{entry}" in names
    others = {name.split("/")[0] for name in names} - {"jupyter_jitmagic"}
    assert others == {f"jupyter_jitmagic-{VERSION}.data", f"jupyter_jitmagic-{VERSION}.dist-info"}
    assert not [name for name in names if name.startswith("jupyter_jitmagic/labextension") or name.endswith((".ts", ".tsx"))]


def test_the_sdist_builds_the_same_wheel_without_node(shipped: tuple[Path, Path], tmp_path: Path) -> None:
    wheel, sdist = shipped
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # not in 3.11.2
    (source,) = tmp_path.glob("jupyter_jitmagic-*")
    build(source, tmp_path / "dist", "--wheel")
    (again,) = (tmp_path / "dist").glob("*.whl")
    assert wheel_files(again) == wheel_files(wheel)


def test_the_metadata_is_what_an_installer_needs(shipped: tuple[Path, Path]) -> None:
    metadata = wheel_files(shipped[0])[f"jupyter_jitmagic-{VERSION}.dist-info/METADATA"].decode()
    assert f"\nVersion: {VERSION}\n" in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.M)
    assert "jax" in required
    assert not {"jupyterlab", "jupyter-server", "notebook", "ipykernel"} & set(required)
    assert {"lab", "cuda12", "cuda13"} <= set(re.findall(r"^Provides-Extra: (\w+)$", metadata, re.M))


PLAIN_IPYTHON = """
import sys
ip = get_ipython()
ip.run_line_magic("load_ext", "jupyter_jitmagic")
ip.run_cell("import jax.numpy as jnp")
ip.run_cell_magic("jit", "", "def double(x):\\n    return x * 2\\n\\nprint(double(jnp.ones(2)))")
ip.run_line_magic("jitstats", "")
from pathlib import Path
import jupyter_jitmagic
assert Path(jupyter_jitmagic.__file__).is_relative_to(sys.prefix), jupyter_jitmagic.__file__
print("version", jupyter_jitmagic.__version__)
print("servers", sorted({"jupyter_server", "jupyterlab", "notebook", "ipykernel", "tornado"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_the_wheel_installs_without_node_and_runs_in_plain_ipython(shipped: tuple[Path, Path], tmp_path: Path) -> None:
    """A fresh environment, no node: pip install, then %%jit and %jitstats in IPython, with no Jupyter server there at all."""
    place = tmp_path / "env"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", str(shipped[0])]
    done = subprocess.run(install, env=without_node(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert (place / PANEL / "package.json").exists()
    script = tmp_path / "session.ipy"
    script.write_text(PLAIN_IPYTHON)
    environment = {**without_node(), "IPYTHONDIR": str(tmp_path / "ipython")}
    environment.pop("PYTHONPATH", None)
    run = [str(python), "-m", "IPython", "--no-banner", "--colors=nocolor", str(script)]
    done = subprocess.run(run, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[2. 2.]" in done.stdout and "double" in done.stdout
    assert f"version {VERSION}" in done.stdout
    assert "servers []" in done.stdout
    shutil.rmtree(place)
