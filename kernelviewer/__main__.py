"""``python -m kernelviewer``."""

from __future__ import annotations

import sys

from kernelviewer.cli import main

if __name__ == "__main__":
    sys.exit(main())
