"""The command palette: one line that finds everything."""
