"""The VM's `cloud-init` program: tells how the first boot went, in the words of `cloud-init status`."""

from __future__ import annotations

import datetime
import json
import sys
import time


def main() -> int:
    with open(sys.argv[1]) as file:
        state = json.load(file)
    arguments = sys.argv[2:]
    if not arguments or arguments[0] != "status":
        print("usage: cloud-init status [--wait] [--long] [--format json]", file=sys.stderr)
        return 2
    ends = state["first_boot"] + state["seconds"]
    if "--wait" in arguments or "-w" in arguments:
        time.sleep(max(0.0, ends - time.time()))
    status = "running" if time.time() < ends else state["verdict"]
    errors = state["errors"] if status == "error" else []
    if "json" not in arguments:
        print(f"status: {status}")
        return 1 if status == "error" else 0
    stage = {
        "errors": errors,
        "finished": None if status == "running" else ends,
        "recoverable_errors": {},
        "start": state["first_boot"],
    }
    updated = datetime.datetime.fromtimestamp(min(ends, time.time()), datetime.UTC)
    print(
        json.dumps(
            {
                "boot_status_code": "enabled-by-generator",
                "datasource": "azure",
                "detail": "DataSourceAzure [seed=/dev/sr0]",
                "errors": errors,
                "extended_status": status,
                "last_update": updated.strftime("%a, %d %b %Y %H:%M:%S +0000"),
                "modules-final": stage,
                "recoverable_errors": {},
                "stage": "modules-final" if status == "running" else None,
                "status": status,
            },
            indent=2,
        )
    )
    return 1 if status == "error" else 0


if __name__ == "__main__":
    sys.exit(main())
