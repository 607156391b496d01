"""Sessions: what is open and how it is marked, as a small text file.

Sessions name networks and autoencoders by path and hash; their weights stay in their
own files. `describe` turns a document's `Work` into a `Session`, `to_text` and
`from_text` are its file, `rebuild` turns it into `Work` again once the networks are
there.
"""
