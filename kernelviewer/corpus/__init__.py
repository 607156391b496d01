"""Thousands of networks as one corpus: built by many processes, asked as one table.

`kernelviewer.corpus.build` takes networks in, each in a process of its own
(`kernelviewer.corpus.child`), into the files of `kernelviewer.corpus.store`, which
`kernelviewer.corpus.query` asks and `kernelviewer.corpus.tables` counts. The libraries
that this takes come with the extra ``corpus``; no module here imports them at its top.
"""
