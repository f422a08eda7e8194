# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m airesim figures RESULTS -o FIGURE``."""

from __future__ import annotations

import argparse
import sys

from airesim.figures import read_observed, summary_figure
from airesim.io import open as open_results


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit status (0 done, 1 failed, 2 bad usage)."""
    parser = argparse.ArgumentParser(prog="python3 -m airesim", description="Draw the results of airesim.")
    commands = parser.add_subparsers(dest="command", required=True)
    figures = commands.add_parser("figures", help="draw the summary figure of a results file")
    figures.add_argument("results", help="the HDF5 file that `airesim run` wrote")
    figures.add_argument("-o", "--output", required=True, help="the figure; its ending says the format (.png, .svg, .pdf)")
    figures.add_argument("--observed", help="CSV of observed points: a line `# measure: NAME`, then h,value or day,value")
    args = parser.parse_args(argv)
    try:
        observed = read_observed(args.observed) if args.observed else None
        with open_results(args.results) as ds:
            summary_figure(ds, observed).savefig(args.output, dpi=150)
    except (OSError, ValueError) as error:
        print(f"airesim: error: {error}", file=sys.stderr)
        return 1
    print(f"airesim: wrote {args.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
