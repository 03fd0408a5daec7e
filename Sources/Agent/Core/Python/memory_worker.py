"""Runs a script under one memory tool, in the script's own interpreter. Embedded in the agent.

    python memory_worker.py memray|tracemalloc OUTPUT PACKAGES SCRIPT ARGUMENT...

PACKAGES is where memray is found; it is looked at last and only for memray, so that the script's own packages stay what they
are. OUTPUT gets what the tool kept, OUTPUT.files a JSON object from source file to its name in any environment. The exit
status is the script's. Python 3.9 and later.
"""

import json
import os
import runpy
import sys

from source_names import module_files


def run(script):
    """The script's exit status."""
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def main():
    tool, output, packages, script = sys.argv[1:5]
    sys.argv = [script] + sys.argv[5:]
    sys.path[0] = os.path.dirname(script)
    # Only this process is looked at: those that it starts must not write into the same place.
    if tool == "memray":
        sys.path.append(packages)
        import memray

        sys.path.remove(packages)
        with memray.Tracker(destination=memray.FileDestination(output, overwrite=True), trace_python_allocators=True):
            status = run(script)
    else:
        import tracemalloc

        tracemalloc.start(1)
        status = run(script)
        current, peak = tracemalloc.get_traced_memory()
        snapshot = tracemalloc.take_snapshot()
        tracemalloc.stop()
        lines = []
        for each in snapshot.statistics("lineno"):
            frame = each.traceback[0]
            lines.append([frame.filename, frame.lineno, each.size, each.count])
        with open(output, "w", encoding="utf-8") as file:
            json.dump({"peak": peak, "total": current, "lines": lines}, file)
    with open(output + ".files", "w", encoding="utf-8") as file:
        json.dump(module_files(), file)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


main()
