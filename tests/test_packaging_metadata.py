"""What the project says about itself holds together: one version, every file it promises to ship, no required JupyterLab."""

from __future__ import annotations

import json
import re
import tomllib

from checkout import ROOT
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_lives_in_package_json_alone() -> None:
    """pyproject reads it from there; a second literal anywhere in the metadata would drift."""
    version = json.loads((ROOT / "package.json").read_text())["version"]
    assert "version" not in pyproject()["project"]
    assert pyproject()["tool"]["hatch"]["version"]["source"] == "nodejs"
    assert f'"{version}"' not in (ROOT / "pyproject.toml").read_text()


def test_the_changelog_tells_of_the_version() -> None:
    version = json.loads((ROOT / "package.json").read_text())["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def test_jupyterlab_is_an_extra_only() -> None:
    """Plain IPython must not drag in a Jupyter server."""
    project = pyproject()["project"]
    required = " ".join(project["dependencies"])
    assert not {
        name for name in ("jupyterlab", "jupyter-server", "jupyter_server", "notebook", "ipykernel") if name in required
    }
    assert any(line.startswith("jupyterlab") for line in project["optional-dependencies"]["lab"])


def test_the_pytest_plugin_is_named_as_its_module() -> None:
    """So `-p` with that name finds what the entry point has loaded already, and pytest does not meet one plugin twice."""
    plugins = pyproject()["project"]["entry-points"]["pytest11"]
    assert plugins == {"jupyter_jitmagic.pytest_plugin": "jupyter_jitmagic.pytest_plugin"}
    assert (ROOT / "jupyter_jitmagic" / "pytest_plugin.py").is_file()


def test_the_lock_file_records_no_address() -> None:
    """yarn.lock must work with every registry."""
    assert "://" not in (ROOT / "yarn.lock").read_text()


def test_a_package_index_shows_no_link_into_the_checkout() -> None:
    """Links into the checkout lead nowhere there; the text around them and links to elsewhere stay."""
    readme = ProjectMetadata(str(ROOT), PluginManager()).core.readme
    assert "docs/tables.md says what every column means" in readme
    assert not re.findall(r"\]\((?!https?://)", readme)
    assert re.findall(r"\]\((?!https?://)", (ROOT / "README.md").read_text()), "nothing was there to take out"
