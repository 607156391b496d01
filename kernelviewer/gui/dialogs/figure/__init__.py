"""The figure dialog: what is shown, how it looks, its preview, what becomes of it."""
