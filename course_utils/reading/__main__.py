"""Make or renew the copies and no more: `python3 -m course_utils.reading [--work DIR]`.

For places where something else starts JupyterLab: Binder, a hub, an environment of one's own.
"""

import argparse
import sys

from course_utils.reading import cli

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m course_utils.reading",
        description="Make or renew your copies of the lessons; `lab` does it by itself.",
    )
    cli.add_work(parser)
    sys.exit(cli.open_copies(cli.ROOT, parser.parse_args().work, keep=False) is None)
