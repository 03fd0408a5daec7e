"""Runs codeflash's script with another looping time than its own. Embedded in the agent.

    python looping_time.py SECONDS SCRIPT ARGUMENT...

For releases whose module has a constant where later ones read a variable: it is set before anything else of codeflash is
imported. What codeflash then runs its tests with shows whether it counts. Python 3.8 and later.
"""

import os
import runpy
import sys


def main():
    seconds, script = sys.argv[1:3]
    from codeflash.code_utils import config_consts

    config_consts.TOTAL_LOOPING_TIME = config_consts.TOTAL_LOOPING_TIME_EFFECTIVE = float(seconds)
    sys.argv = [script] + sys.argv[3:]
    sys.path[0] = os.path.dirname(script)
    runpy.run_path(script, run_name="__main__")


main()
