"""Verdicts and scores that judges left in files, in the formats of other tools and in the project's own."""

from whetstone.app.verdict_files.options import Options
from whetstone.app.verdict_files.reading import FORMATS, VerdictFile, read_verdicts, stream_verdicts

__all__ = ["FORMATS", "Options", "VerdictFile", "read_verdicts", "stream_verdicts"]
