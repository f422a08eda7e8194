# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m airesim figures RESULTS -o FIGURE``, ``report RESULTS -o REPORT.html`` and ``coupling RESULTS``."""

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
    report = commands.add_parser("report", help="write one self-contained page: answer, figures, assumptions, provenance")
    report.add_argument("results", help="the HDF5 file that `airesim run` wrote")
    report.add_argument("-o", "--output", required=True, help="the page (HTML)")
    coupling = commands.add_parser("coupling", help="say how much surer differences are because arms share their draws")
    coupling.add_argument("results", help="the HDF5 file that `airesim run` wrote")
    coupling.add_argument("--measure", action="append", default=[], metavar="NAME", help="a variable of runs; may be repeated")
    coupling.add_argument("--reference", metavar="ARM", help="the arm to subtract; by default the scenario's")
    args = parser.parse_args(argv)
    try:
        if args.command == "coupling":
            from airesim.coupling import gains, text  # noqa: PLC0415 - what figures do not need

            with open_results(args.results) as ds:
                print(text(gains(ds, tuple(args.measure), args.reference)))
            return 0
        if args.command == "report":
            from airesim.report import write_report  # noqa: PLC0415 - needs jinja2, which figures do not

            write_report(args.results, args.output)
            print(f"airesim: wrote {args.output}", file=sys.stderr)
            return 0
        observed = read_observed(args.observed) if args.observed else None
        with open_results(args.results) as ds:
            summary_figure(ds, observed).savefig(args.output, dpi=150)
    except ModuleNotFoundError as error:
        print(f"airesim: error: the Python package {error.name} is needed (Debian: python3-{error.name})", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError) as error:
        print(f"airesim: error: {error}", file=sys.stderr)
        return 1
    print(f"airesim: wrote {args.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
