"""Picture files: read whole or row by row, resized with all that they hold, written so that nothing is lost.

Path or bytes -> `Picture` (what the file holds) -> `Job` (what is done, and what cannot be kept) -> file.
"""

from __future__ import annotations

from fastup.pictures.formats import FORMATS as FORMATS
from fastup.pictures.frames import read_frames as read_frames
from fastup.pictures.job import Job as Job
from fastup.pictures.job import Request as Request
from fastup.pictures.job import prepare as prepare
from fastup.pictures.plain import read as read
from fastup.pictures.reading import Picture as Picture
from fastup.pictures.reading import open_picture as open_picture
from fastup.pictures.resizing import Geometry as Geometry
from fastup.pictures.resizing import Rule as Rule
from fastup.pictures.running import run as run
