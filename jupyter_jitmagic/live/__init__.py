"""The kernel's side of the panel in JupyterLab: records as rows, over comms."""
