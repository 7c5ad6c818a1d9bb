"""Many pictures: all are looked at before one is computed, then some at a time are; what happened is told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import click
from PIL import Image

import fastup
from fastup import pictures
from fastup.cli.shown import Shown, progress
from fastup.pictures import files
from fastup.pictures.formats import FORMATS, Format, of_name

_FAILED = 1  # exit status where pictures failed and others did not
_SHOWN = 3  # names of files that are no pictures


@dataclass
class Report:
    """What happened to one picture.

    Attributes
    ----------
    source, target : str
    status : str
        "written", "skipped", "failed" or "checked".
    width, height, frames : int
        Of the result.
    lost, remarks : list of str
        What is not kept, and what else was said.
    error : str
    seconds : float
    """

    source: str
    target: str
    status: str
    width: int = 0
    height: int = 0
    frames: int = 0
    lost: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0


def run(paths: tuple[str, ...], options: dict[str, Any], request: pictures.Request) -> None:
    """Resize the pictures at `paths`, the last of which is the target where no folder is given by an option."""
    tasks = _tasks(paths, options)
    with _own_limit():
        found = [_checked(task, options, request) for task in tasks]
        reports = [report for report, _ in found]
        if options["dry_run"]:
            _tell(reports)
        _stop_at_error(reports, options)
        if not options["dry_run"]:
            ready = [(report, job) for report, job in found if job is not None]
            with _ended_cleanly():
                _run_all(ready, options)
    if options["as_json"]:
        click.echo(json.dumps([asdict(report) for report in reports], indent=1))
    failed = [report for report in reports if report.error]
    if failed:
        if not options["keep_going"]:
            raise ValueError(failed[0].error)
        sys.exit(_FAILED)


def _tasks(paths: tuple[str, ...], options: dict[str, Any]) -> Sequence[files.Task]:
    format_ = _format(options["format_"])
    if options["output"] is None and len(paths) < 2:
        raise click.UsageError("give a target after the sources, or a folder by -o")
    sources, target = (paths, None) if options["output"] is not None else (paths[:-1], paths[-1])
    found = files.tasks_of(sources, target, options["output"], format_)
    if files.STANDARD in {task.target for task in found.tasks} and (format_ is None or options["as_json"]):
        raise click.UsageError("standard output must be given --format, and not --json")
    if found.left_out:
        shown = ", ".join(found.left_out[:_SHOWN]) + (", ..." if len(found.left_out) > _SHOWN else "")
        click.echo(f"left out, for their names are of no pictures: {len(found.left_out)} ({shown})", err=True)
    if not found.tasks:
        raise FileNotFoundError(f"upscale: no picture is in {', '.join(sources)}")
    return found.tasks


def _format(name: str | None) -> Format | None:
    aliases = {"jpg": "jpeg", "tif": "tiff"}
    if name is not None and aliases.get(name.lower(), name.lower()) not in FORMATS:
        raise click.UsageError(f"--format must be one of {', '.join(FORMATS)}, got {name}")
    return FORMATS[aliases.get(name.lower(), name.lower())] if name is not None else None


@contextlib.contextmanager
def _own_limit() -> Iterator[None]:
    """Pillow's limit of pixels gives way to --max-pixels, the same whoever reads; its warnings are not for users."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@contextlib.contextmanager
def _ended_cleanly() -> Iterator[None]:
    """A process that is told to end takes the files with it that are not whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: Any) -> None:
        for path in list(files.PARTIAL):
            path.unlink(missing_ok=True)
        os._exit(128 + number)

    names = ("SIGTERM", "SIGHUP")  # of which Windows has the first
    before = {one: signal.signal(one, end) for name in names if (one := getattr(signal, name, None)) is not None}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _checked(task: files.Task, options: dict[str, Any], request: pictures.Request) -> tuple[Report, Any]:
    """What is to be done, or why not."""
    report = Report(task.source, task.target, "checked")
    try:
        if task.target != files.STANDARD and os.path.exists(task.target):
            if options["skip_existing"]:
                report.status = "skipped"
                return report, None
            if not options["overwrite"] and not Path(task.target).is_dir():
                raise FileExistsError(f"upscale: {task.target} exists; --overwrite replaces it")
        return report, _job(task, report, options, request)
    except (ValueError, TypeError, OSError, MemoryError) as error:
        report.status, report.error = "failed", _one_line(error)
        return report, None


def _job(task: files.Task, report: Report, options: dict[str, Any], request: pictures.Request) -> pictures.Job:
    format_ = _format(options["format_"]) or of_name(task.target)
    if task.target != files.STANDARD:
        files.check_writable(task.target)
    most = options["max_pixels"] or None
    if task.source == files.STANDARD:
        picture = pictures.open_picture(sys.stdin.buffer.read(), "standard input", options["page"], most)
    else:
        picture = pictures.open_picture(Path(task.source), task.source, options["page"], most)
    job = pictures.prepare(picture, format_, request)
    target = job.target
    report.width, report.height, report.frames = target.width, target.height, target.frames
    report.lost, report.remarks = list(job.lost), list(job.remarks)
    if job.lost and options["strict"]:
        raise ValueError(f"{picture.name}: {format_.name} cannot keep all: {'; '.join(job.lost)}")
    return job


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"upscale: {os.fsdecode(error.filename)}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _tell(reports: Sequence[Report]) -> None:
    """What is not kept, a line a file."""
    for report in reports:
        if not report.error and (line := _said(report)):
            click.echo(click.format_filename(line), err=True)


def _said(report: Report) -> str:
    lost = [f"not kept: {'; '.join(report.lost)}"] if report.lost else []
    said = "; ".join([*lost, *report.remarks])
    return f"{report.source}: {said}" if said else ""


def _stop_at_error(reports: Sequence[Report], options: dict[str, Any]) -> None:
    """Refuse all where one cannot be, unless failures are to be passed over."""
    failed = [report.error for report in reports if report.error]
    if failed and not options["keep_going"]:
        raise ValueError(failed[0])
    for message in failed:
        click.echo(click.format_filename(f"error: {message}"), err=True)


def _run_all(ready: Sequence[tuple[Report, pictures.Job]], options: dict[str, Any]) -> None:
    threads = fastup.get_num_threads()
    at_once = max(1, min(options["jobs"] or threads, len(ready)))
    stop = threading.Event()
    with progress(len(ready)) as shown, ThreadPoolExecutor(at_once) as pool:
        how = _How(options["keep_going"], options["overwrite"], max(1, threads // at_once), stop, shown)
        runs = [pool.submit(_run_one, report, job, how) for report, job in ready]
        try:
            wait(runs, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
        for one in runs:
            one.result()


class _How(NamedTuple):
    """What all pictures of a batch are run with."""

    keep_going: bool
    overwrite: bool
    threads: int
    stop: threading.Event
    shown: Shown


def _run_one(report: Report, job: pictures.Job, how: _How) -> None:
    stop, shown = how.stop, how.shown
    if stop.is_set():
        return
    begin = time.perf_counter()
    name = Path(report.source).name
    shown.begin(name)
    try:

        def write(path: Path) -> None:
            pictures.run(job, path, how.threads, lambda part: shown.part(report.source, part))

        if report.target == files.STANDARD:
            files.write_to_standard_output(write)
        else:
            files.write_whole(report.target, write, how.overwrite)
        report.status = "written"
        shown.line(f"{report.target}  {report.width}x{report.height}")
        if line := _said(report):
            shown.said(line)
    except (ValueError, TypeError, OSError, MemoryError) as error:
        report.status, report.error = "failed", _one_line(error)
        if how.keep_going:
            shown.said(f"error: {report.error}")
        else:
            stop.set()
    finally:
        report.seconds = round(time.perf_counter() - begin, 4)
        shown.part(report.source, 1.0)
