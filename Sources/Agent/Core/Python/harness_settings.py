"""Says what of the harness's settings is in force in this interpreter. Embedded in the agent.

    python harness_settings.py [codeflash]

Answers with one JSON object: what Python itself shows, and with `codeflash` for how long it times one candidate by its own
module (`looping`, seconds; `loopingFailure` where that module has no such value). Python 3.8 and later.
"""

import json
import os
import sys
import tempfile


def looping():
    from codeflash.code_utils import config_consts

    return float(config_consts.TOTAL_LOOPING_TIME_EFFECTIVE)


def main():
    answer = {
        "hash": hash("cf-bench"),
        "home": os.path.expanduser("~"),
        "temporary": tempfile.gettempdir(),
        "encoding": sys.getfilesystemencoding() + ", " + sys.stdout.encoding.lower(),
        "allocator": sorted(
            name + "=" + value for name, value in os.environ.items() if name.startswith(("PYTHONMALLOC", "MALLOC_"))
        ),
    }
    if "codeflash" in sys.argv[1:]:
        try:
            answer["looping"] = looping()
        except Exception as error:  # of any release of codeflash: what is wrong is the answer
            answer["loopingFailure"] = type(error).__name__ + ": " + str(error)
    print(json.dumps(answer))


main()
