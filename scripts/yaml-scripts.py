#!/usr/bin/env python3
"""Takes the scripts out of workflows and actions, so that shellcheck can read them.

    scripts/yaml-scripts.py FOLDER FILE...

Each `run:` of a FILE becomes FOLDER/FILE.LINE.sh. Variables that the YAML sets (`env:` of the step, its job, its workflow)
are declared at the top; GitHub's own are known by their names, in capitals. Needs ruamel.yaml: run it with
.tools/venv/bin/python. Exit status: 1 when a script has another shell than bash, or an expression in it.
"""

import pathlib
import sys

from ruamel.yaml import YAML


def scripts(node, variables, shell):
    """All `run:` blocks below `node`, as (line, script, names of variables, shell)."""
    if isinstance(node, list):
        for one in node:
            yield from scripts(one, variables, shell)
    elif isinstance(node, dict):
        environment = node.get("env")
        if isinstance(environment, dict):
            variables = variables | {str(name) for name in environment}
        defaults = (node.get("defaults") or {}).get("run") if isinstance(node.get("defaults"), dict) else None
        if isinstance(defaults, dict):
            shell = defaults.get("shell", shell)
        if isinstance(node.get("run"), str):
            line = node.lc.value("run")[0] + 1
            yield line, node["run"], variables, node.get("shell", shell)
        for value in node.values():
            yield from scripts(value, variables, shell)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    status = 0
    for name in sys.argv[2:]:
        document = YAML(typ="rt").load(pathlib.Path(name))
        for line, script, variables, shell in scripts(document, set(), None):
            if shell != "bash":
                print(f"{name}:{line}: the shell of this script is {shell}, not bash", file=sys.stderr)
                status = 1
            if "${{" in script:
                print(f"{name}:{line}: an expression inside of a script; pass it by env", file=sys.stderr)
                status = 1
            # What `shell: bash` runs with.
            top = ["#!/usr/bin/env bash", "set -eo pipefail"]
            top += [f"export {variable}=x" for variable in sorted(variables)]
            file = folder / f"{name.lstrip('./').replace('/', '_')}.{line}.sh"
            file.write_text("\n".join(top) + "\n" + script.rstrip("\n") + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
