"""A workspace: the folder with settings, records and published snapshots, and everything one does with it."""

from leadline.workspace.facade import PROPOSED, Workspace, create, open
from leadline.workspace.imports import ImportReport, Sources
from leadline.workspace.metrics import Metrics, Question
from leadline.workspace.summary import Bottleneck, Summary

__all__ = [
    "PROPOSED",
    "Bottleneck",
    "ImportReport",
    "Metrics",
    "Question",
    "Sources",
    "Summary",
    "Workspace",
    "create",
    "open",
]
