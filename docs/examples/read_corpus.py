"""Read a corpus without kernelviewer: ``python read_corpus.py CORPUS``.

pandas for the networks, DuckDB for the kernels, numpy for their weights.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

corpus = Path(sys.argv[1])
recipe = json.loads((corpus / "corpus.json").read_text())["recipe"]
networks = pd.read_parquet(corpus / "networks.parquet")
print(networks[["name", "format", "kernels", "equal_to"]].to_string(index=False))

index = f"read_parquet('{corpus}/kernels/*/*/index.parquet', hive_partitioning=true, "
index += "hive_types={'size': VARCHAR})"
sql = f"""
    select size, class, count(*) as kernels, avg(cosine) as cosine
    from {index} where not flat group by size, class order by kernels desc limit 10
"""
print(duckdb.sql(sql).df().to_string(index=False))

place = next((corpus / "kernels").glob("size=*/network=*"))
rows = pd.read_parquet(place / "index.parquet", partitioning=None)
file = pq.ParquetFile(place / "weights.parquet")
facts = json.loads(file.schema_arrow.metadata[b"kernelviewer"])
stored = file.read().to_pandas()
kind = "<f2" if facts["weights"] == "float16" else "<f4"
weights = np.frombuffer(b"".join(stored["weights"]), kind).astype(np.float32)
weights = weights.reshape(-1, *facts["size"])
if facts["weights"] == "float16":  # patterns, which scale and offset lead back
    shape = (-1,) + (1,) * len(facts["size"])
    length = stored["length"].fillna(rows["scale"]).to_numpy().reshape(shape)
    mean = stored["mean"].fillna(rows["offset"]).to_numpy().reshape(shape)
    weights = weights * length + mean
print(f"{place.name}: weights {weights.shape}, from {weights.min():.3g} on")
