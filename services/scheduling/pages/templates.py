"""Scheduling's own templates, which every page of it is made from."""

from pathlib import Path
from typing import Final

from services.chassis.pages import Pages

PAGES: Final = Pages(Path(__file__).parents[1] / "templates")
