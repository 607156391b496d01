"""Reading a zip's directory by hand: what `zipfile` writes, and 64-bit numbers."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.containers.zip_directory import ZipRecord, zip_records
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import OpenedFile, Source
from tests.files.opcodes import VALUES, WEIGHT, stream, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kernelviewer.formats.containers.zip_directory import Record

RECORDS = {"a/one": b"1" * 100, "a/two": bytes(range(256)) * 40, "ä/three": b""}
WIDE = 0xFFFFFFFF
UTF8 = 1 << 11


def records(path: Path) -> Mapping[str, Record]:
    return zip_records(Source(path, path.stat().st_size, b""))


def contents(path: Path) -> dict[str, bytes]:
    file = OpenedFile.of(path)
    return {
        name: ZipRecord(file, record).unpacked().tobytes()
        for name, record in records(path).items()
    }


def wide_zip(parts: dict[str, bytes]) -> bytes:
    """A zip with every number in its 64-bit form, as files above 4 GB have them."""
    out, directory = io.BytesIO(), io.BytesIO()
    for name, data in parts.items():
        raw, size, offset = name.encode(), len(data), out.tell()
        extra = struct.pack("<HHQQ", 1, 16, size, size)
        check = zlib.crc32(data)
        common = (UTF8, 0, 0, 0, check, WIDE, WIDE, len(raw), len(extra))
        out.write(struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, *common))
        out.write(raw + extra + data)
        extra = struct.pack("<HH4s", 9, 4, b"abcd")
        extra += struct.pack("<HHQQQ", 1, 24, size, size, offset)
        common = (UTF8, 0, 0, 0, check, WIDE, WIDE, len(raw), len(extra))
        common = (*common, 0, 0, 0, 0, WIDE)
        directory.write(struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 45, 45, *common))
        directory.write(raw + extra)
    start, size, count = out.tell(), directory.tell(), len(parts)
    numbers = (44, 45, 45, 0, 0, count, count, size, start)
    out.write(directory.getvalue())
    out.write(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *numbers))
    out.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1))
    last = (0, 0, 0xFFFF, 0xFFFF, WIDE, WIDE, 0)
    out.write(struct.pack("<4s4H2LH", b"PK\x05\x06", *last))
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n" * 50])
def test_records_of_a_zip(method: int, before: bytes, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in RECORDS.items():
            archive.writestr(name, data)
        archive.comment = b"a comment that could hide the end"
    path = tmp_path / "x.zip"
    path.write_bytes(before + out.getvalue())
    assert contents(path) == RECORDS


def test_parts_of_a_record(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"{method}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("x", RECORDS["a/two"])
        record = ZipRecord(OpenedFile.of(path), records(path)["x"])
        assert record.read(300, 7).tobytes() == RECORDS["a/two"][300:307]


def test_numbers_of_64_bits(tmp_path: Path) -> None:
    path = tmp_path / "wide.zip"
    path.write_bytes(wide_zip(RECORDS))
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == RECORDS
    assert contents(path) == RECORDS


def test_a_pytorch_file_with_numbers_of_64_bits(tmp_path: Path) -> None:
    parts = {"x/data.pkl": stream(table(WEIGHT)), "x/data/0": VALUES, "x/version": b"3"}
    path = tmp_path / "wide.pth"
    path.write_bytes(wide_zip(parts))
    assert open_checkpoint(path).tensors[0].load().tobytes() == VALUES


def test_more_records_than_16_bits_count(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(wide_zip({f"r{n}": b"" for n in range(66_000)}))
    assert len(records(path)) == 66_000


def test_a_file_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "half.zip"
    path.write_bytes(wide_zip(RECORDS)[:-30])
    with pytest.raises(DamagedError, match="its end is missing: it is half a download"):
        records(path)
