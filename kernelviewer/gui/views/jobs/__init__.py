"""What runs in the background."""

from __future__ import annotations

from kernelviewer.gui.view_spec import Home, ViewSpec
from kernelviewer.gui.views.jobs.jobs_panel import JobsPanel

JOBS = ViewSpec(
    id="jobs", title="Jobs", make={"jobs_panel": JobsPanel}, home=Home("below")
)
