"""Works on the document behind the views: opens, encodes, names, keeps."""

from __future__ import annotations
