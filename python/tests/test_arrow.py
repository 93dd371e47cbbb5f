"""Tests of Arrow's PyCapsule interface: pyarrow and polars read ids."""

import gc
import subprocess
import sys
import threading

import polars as pl
import pyarrow as pa
import pytest
import tiktally

TEXTS = ["One line is much like another, 你好 🙂.\n" * 50, "", "a", ""]
UNCONSUMED = "lists.__arrow_c_array__()"
IN_PYARROW = "pyarrow.array(lists)"
IN_A_THREAD = "thread(pyarrow.array(lists))"


@pytest.fixture
def enc():
    return tiktally.get_encoding("o200k_base")


@pytest.mark.parametrize("texts", [TEXTS, [], [""], ["", ""], ["a"]])
def test_lists(enc, texts):
    lists, expected = enc.encode_batch_flat(texts), enc.encode_batch(texts)
    array = pa.array(lists)
    array.validate(full=True)
    assert array.type == pa.large_list(pa.uint32()) and array.null_count == 0
    assert array.to_pylist() == expected == lists.tolist()
    for series in [pl.Series(lists), pl.from_arrow(lists), pl.from_arrow(array)]:
        assert series.dtype == pl.List(pl.UInt32) and series.to_list() == expected


@pytest.mark.parametrize("text", TEXTS)
def test_ids(enc, text):
    ids, expected = enc.encode_array(text), enc.encode(text)
    array = pa.array(ids)
    array.validate(full=True)
    assert array.type == pa.uint32() and array.null_count == 0 and array.to_pylist() == expected
    # polars takes it for a sequence
    assert pl.Series(ids).to_list() == pl.from_arrow(ids).to_list() == expected
    for series in [pl.Series(ids, dtype=pl.UInt32), pl.from_arrow(array)]:
        assert series.dtype == pl.UInt32 and series.to_list() == expected
    # the copy is the array's own
    ids.extend([0] * 1000)
    assert array.to_pylist() == expected


def test_other_types(enc):
    lists = enc.encode_batch_flat(TEXTS)
    assert pa.array(lists, pa.large_list(pa.uint32())) == pa.array(lists)
    for wanted in [pa.list_(pa.uint32()), pa.large_list(pa.int64())]:
        array = pa.array(lists).cast(wanted)
        assert array.type == wanted and array.to_pylist() == lists.tolist()
        # a schema that is asked for is ignored
        schema = wanted.__arrow_c_schema__()
        again = pa.Array._import_from_c_capsule(*lists.__arrow_c_array__(schema))
        assert again.type == pa.large_list(pa.uint32())
    assert pa.table({"ids": pa.array(lists)}).to_pylist() == [{"ids": ids} for ids in lists.tolist()]


def test_nothing_is_copied(enc):
    lists = enc.encode_batch_flat(TEXTS)
    for _ in range(2):
        _, offsets, _, ids = pa.array(lists).buffers()
        assert ids.address == pa.py_buffer(lists.ids).address and not ids.is_mutable
        assert offsets.address == pa.py_buffer(lists.offsets).address
    _, _, _, ids = pl.Series(lists).to_arrow().buffers()
    assert ids.address == pa.py_buffer(lists.ids).address


def test_arrays_outlive_lists(enc):
    lists = enc.encode_batch_flat(TEXTS)
    expected = lists.tolist()
    capsules, array, series = lists.__arrow_c_array__(), pa.array(lists), pl.Series(lists)
    part = array.flatten()[10:20]
    del lists
    gc.collect()
    others = [enc.encode_batch_flat(TEXTS) for _ in range(20)]
    late = pa.Array._import_from_c_capsule(*capsules)
    assert late.to_pylist() == array.to_pylist() == series.to_list() == expected
    del late, array, series, capsules, others
    gc.collect()
    assert part.to_pylist() == expected[0][10:20]


def test_bytes_are_freed_at_once():
    """Without another call of ours, in this thread and in another one."""

    def holders():
        return sys.getrefcount(ids)

    # bytes count their references, and nothing else does
    ids, offsets = bytes(range(8)), bytes(8) + (2).to_bytes(8, sys.byteorder)
    lists = tiktally.TokenLists(ids, offsets)
    before = holders()
    capsules = lists.__arrow_c_array__()
    assert holders() == before + 1
    del capsules
    assert holders() == before
    arrays = [pa.array(lists)]
    assert holders() == before + 1
    thread = threading.Thread(target=arrays.clear)
    thread.start()
    thread.join()
    assert holders() == before


def test_views_and_wrong_offsets():
    ids, right = tiktally.TokenArray([1, 2, 3]).tobytes(), memoryview(b"".join(n.to_bytes(8, sys.byteorder) for n in [0, 2, 3]))
    lists = tiktally.TokenLists(bytearray(ids), bytearray(right))
    array = pa.array(lists)
    lists.ids[0] = 7
    assert array.to_pylist() == [[1, 2], [3]] and pa.array(lists).to_pylist() == [[7, 2], [3]]
    lists = tiktally.TokenLists(b"0123" + ids, bytes(right))
    lists.ids = lists.ids[1:]
    assert pa.array(lists).to_pylist() == lists.tolist() == [[1, 2], [3]]
    for wrong in [[0, 2, 4], [0, 3, 2], [-1, 2, 3], [2**62, 2**62]]:
        offsets = b"".join(n.to_bytes(8, sys.byteorder, signed=True) for n in wrong)
        with pytest.raises(ValueError, match="(?i)offset"):
            tiktally.TokenLists(ids, offsets).__arrow_c_array__()


@pytest.mark.parametrize("call", [UNCONSUMED, IN_PYARROW, IN_A_THREAD, "ids.__arrow_c_array__()", "pyarrow.array(ids)"])
def test_memory_is_flat(call):
    code = f"""
import resource, threading, pyarrow, tiktally
enc = tiktally.get_encoding("cl100k_base")
def thread(array):
    arrays = [array]
    del array
    thread = threading.Thread(target=arrays.clear)
    thread.start()
    thread.join()
def work(n):
    for i in range(n):
        # some 0.4 MB of ids, of which all stay if one is not freed
        lists, ids = tiktally.TokenLists(bytes(400_000), offsets), tiktally.TokenArray(bytes(400_000))
        {call}
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
offsets = enc.encode_batch_flat(["a"] * 1000).offsets.tobytes()
before = work(200)
print(work(2_000) - before)
"""
    grown = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    assert grown < 4_000, f"{grown} KB"
