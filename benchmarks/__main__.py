"""Run the cells and print the table; ``--write`` puts it into the file of this processor in results/."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks import gpu, peers, report
from benchmarks.cells import CELLS


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="run the cells whose title contains this")
    parser.add_argument("--rounds", type=int, default=12, help="rounds of the block protocol (at least 12 count)")
    parser.add_argument("--threads", type=int, help="threads of every library (default: as each decides)")
    parser.add_argument("--check", action="store_true", help="compare the values only and time nothing")
    parser.add_argument("--cuda", action="store_true", help="the same cells on a GPU (experimental)")
    parser.add_argument("--write", action="store_true", help="write the section; of all cells, the README's table too")
    arguments = parser.parse_args()
    if arguments.write and arguments.only:
        parser.error("--write takes all cells, not --only some")
    if "OPENBLAS_CORETYPE" in os.environ:
        print("note: OPENBLAS_CORETYPE is set and slows numpy's BLAS down", file=sys.stderr)
    if arguments.threads is not None:
        peers.limit_threads(arguments.threads)
    cells = [cell for cell in CELLS if arguments.only in cell.title]
    if arguments.cuda:
        gpu.run(cells, arguments.rounds)
        return
    if arguments.check:
        print(*map(report.agreement, cells), sep="\n")
        return
    results = []
    for cell in cells:
        results.append(report.measure(cell, arguments.rounds))
        print(report.line(results[-1]), flush=True)
    text = report.document(results)
    if not arguments.write:
        print(report.machine(), text, sep="\n\n")
    elif arguments.threads is not None:
        report.put(f"Every cell, {arguments.threads} thread{'s'[: arguments.threads != 1]}", text)
    else:
        report.put("Every cell", text)
        report.put_into_readme(results)


if __name__ == "__main__":
    main()
