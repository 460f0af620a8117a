import os
import tempfile

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
c.LabApp.expose_app_in_browser = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabApp.workspaces_dir = tempfile.mkdtemp(prefix="ws-")
c.LabApp.user_settings_dir = tempfile.mkdtemp(prefix="st-")
