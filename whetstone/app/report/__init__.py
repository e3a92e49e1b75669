"""The report of a run: one HTML file that opens anywhere, and the model card as Markdown."""

from whetstone.app.report.card import write_model_card
from whetstone.app.report.page import render, write_report

__all__ = ["render", "write_model_card", "write_report"]
