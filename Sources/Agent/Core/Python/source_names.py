"""Names of source files that are the same in every environment. Embedded in the agent, beside the workers that import it."""

import os
import sys


def module_files():
    """Source file to its name: `package/module.py`, for all modules that are loaded."""
    names = {}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or name == "__main__":
            continue
        suffix = "/__init__.py" if os.path.basename(path).startswith("__init__.") else ".py"
        names[path] = name.replace(".", "/") + suffix
    return names
