"""From what a view shows to figures, data and the clipboard."""
