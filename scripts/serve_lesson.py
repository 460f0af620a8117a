"""Serve JupyterLab on a copy of the lesson with the JIT panel open, and print the address. Ctrl-C ends it.

The copy and the window layout live in .demo/, which git ignores: nothing that is done there changes the checkout. The server
is a user's own: this machine only, with a token. PORT=8890 chooses the port (the next free one from there on is taken).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from jupyterlab_server.workspaces_handler import WorkspacesManager

ROOT = Path(__file__).resolve().parents[1]
LESSON = ROOT / "examples" / "static_vs_traced.ipynb"
DEMO = ROOT / ".demo"
PANEL_ID = "jitmagic-panel"  # the id of the widget in labextension/src


def free_port(first: int) -> int:
    for port in range(first, first + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no port is free from {first} to {first + 49}; PORT=… chooses another start")


def write_workspace(folder: Path) -> None:
    """A JupyterLab workspace: the lesson in the middle, the panel open at its right."""
    notebook = f"notebook:{LESSON.name}"
    layout = {
        "main": {"dock": {"type": "tab-area", "currentIndex": 0, "widgets": [notebook]}, "current": notebook},
        "left": {"collapsed": True, "visible": True, "widgets": ["filebrowser"]},
        "right": {"collapsed": False, "visible": True, "current": PANEL_ID, "widgets": [PANEL_ID]},
        "relativeSizes": [0, 0.64, 0.36],
    }
    data = {
        "layout-restorer:data": layout,
        notebook: {"data": {"path": LESSON.name, "factory": "Notebook"}},
    }
    folder.mkdir(parents=True, exist_ok=True)
    WorkspacesManager(str(folder)).save("lesson", json.dumps({"data": data, "metadata": {"id": "lesson"}}))


def wait_until_up(address: str, token: str, server: subprocess.Popen[bytes]) -> None:
    request = urllib.request.Request(f"{address}/api/status", headers={"Authorization": f"token {token}"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"JupyterLab did not start; its messages are in {(DEMO / 'server.log').relative_to(ROOT)}")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit(f"JupyterLab does not answer; its messages are in {(DEMO / 'server.log').relative_to(ROOT)}")


def main() -> int:
    lessons = DEMO / "notebooks"
    lessons.mkdir(parents=True, exist_ok=True)
    shutil.copy(LESSON, lessons / LESSON.name)
    write_workspace(DEMO / "workspaces")
    port = free_port(int(os.environ.get("PORT") or 8888))
    address, token = f"http://127.0.0.1:{port}", secrets.token_hex(24)
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.root_dir": str(lessons),
        "ServerApp.allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "LabApp.workspaces_dir": str(DEMO / "workspaces"),
    }
    config = DEMO / "config"
    config.mkdir(exist_ok=True)
    (config / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"news_url": None}}))  # no question about news
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": token,  # not on the command line, where other users of the machine could read it
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    with open(DEMO / "server.log", "wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_until_up(address, token, server)
        print(f"\nThe lesson is at\n\n    {address}/lab/workspaces/lesson?token={token}\n")
        print("Run its cells and watch the panel. Ctrl-C ends this.")
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait(timeout=15)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
