"""The server of the browser tests: on the loopback only, everything it writes inside one temporary folder."""

import os
from pathlib import Path

folder = Path(os.environ["JITMAGIC_UI_FOLDER"])

c = get_config()  # noqa: F821
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = int(os.environ["JITMAGIC_UI_PORT"])
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.ServerApp.root_dir = os.environ["JITMAGIC_UI_ROOT"]
c.ServerApp.disable_check_xsrf = True
c.IdentityProvider.token = ""  # loopback only, for the test run
c.ServerApp.password = ""
for app in (c.LabApp, c.JupyterNotebookApp):
    app.expose_app_in_browser = True
    app.extra_labextensions_path = [str(folder / "labextensions")]
    app.workspaces_dir = str(folder / "workspaces")
    app.user_settings_dir = str(folder / "settings")
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
