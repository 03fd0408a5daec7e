"""Turns what a memory tool kept into lines and modules. Embedded in the agent.

    python memory_report.py memray|tracemalloc OUTPUT TOP

OUTPUT is what `memory_worker.py` wrote; memray's is read by memray, so the interpreter is that of its environment. Answers
with one JSON object on standard output: {"version", "peak", "total", "lines": [{file, line, text, bytes, allocations}],
"modules": [{name, bytes}], "stacks": [[[function, file, line], ...], bytes], ...]}; stacks are outermost first.
"""

import json
import linecache
import os
import platform
import sys

# Stacks that are kept; what the others weigh is told as one number.
LARGEST_STACKS = 3000


class Names:
    """A source file's name in any environment."""

    def __init__(self, files):
        self.files = files

    def __call__(self, path):
        name = self.files.get(path)
        if name is None:
            head, found, tail = path.rpartition("/site-packages/")
            name = tail if found else path if path.startswith("<") else os.path.basename(path)
        return name


def module_of(names, path):
    name = names(path).split("/")[0]
    return (name[:-3] if name.endswith(".py") else name) or "?"


def summed(entries, names, top):
    """Entries are (path, line, bytes, count)."""
    lines = {}
    modules = {}
    for path, line, size, count in entries:
        kept = lines.setdefault((path, line), [0, 0])
        kept[0] += size
        kept[1] += count
        name = module_of(names, path)
        modules[name] = modules.get(name, 0) + size
    largest = sorted(lines.items(), key=lambda item: (-item[1][0], item[0]))[:top]
    return {
        "total": sum(size for size, _ in lines.values()),
        "lines": [
            {
                "file": names(path), "line": line, "text": linecache.getline(path, line).strip()[:200],
                "bytes": size, "allocations": count,
            }
            for (path, line), (size, count) in largest
        ],
        "modules": [
            {"name": name, "bytes": size}
            for name, size in sorted(modules.items(), key=lambda item: (-item[1], item[0]))[:top]
        ],
    }


def from_memray(output, names, top):
    import memray

    reader = memray.FileReader(output)
    entries = []
    stacks = {}
    for record in reader.get_high_watermark_allocation_records(merge_threads=True):
        trace = record.stack_trace()
        # What is allocated outside of any Python code: the interpreter's own start.
        path, line = (trace[0][1], trace[0][2]) if trace else ("<no Python code>", 0)
        entries.append((path, line, record.size, record.n_allocations))
        stack = tuple((function, names(file), number) for function, file, number in reversed(trace))
        stacks[stack] = stacks.get(stack, 0) + record.size
    answer = summed(entries, names, top)
    largest = sorted(stacks.items(), key=lambda item: (-item[1], item[0]))
    answer["stacks"] = [[list(stack), size] for stack, size in largest[:LARGEST_STACKS]]
    answer["leftOut"] = sum(size for _, size in largest[LARGEST_STACKS:])
    answer["peak"] = reader.metadata.peak_memory
    answer["version"] = memray.__version__
    return answer


def from_tracemalloc(output, names, top):
    with open(output, encoding="utf-8") as file:
        kept = json.load(file)
    answer = summed([tuple(line) for line in kept["lines"]], names, top)
    answer["peak"] = kept["peak"]
    answer["version"] = platform.python_version()
    return answer


def main():
    tool, output, top = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(output + ".files", encoding="utf-8") as file:
        names = Names(json.load(file))
    report = {"memray": from_memray, "tracemalloc": from_tracemalloc}[tool]
    json.dump(report(output, names, top), sys.stdout)


main()
