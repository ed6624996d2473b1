"""Training backends, one file each: options, a check and a plan, all pure. Only `app.py` names a concrete one."""
