"""Tests of Arrow's PyCapsule interface: pyarrow and polars read ids, and `tiktally.arrow` reads and makes their columns."""

import gc
import random
import subprocess
import sys
import threading
import time

import polars as pl
import pyarrow as pa
import pytest
import tiktally
from tiktally import arrow, errors

TEXTS = ["One line is much like another, 你好 🙂.\n" * 50, "", "a", ""]
UNCONSUMED = "lists.__arrow_c_array__()"
IN_PYARROW = "pyarrow.array(lists)"
IN_A_THREAD = "thread(pyarrow.array(lists))"
COLUMN = "pyarrow.array(tiktally.arrow.encode_tokens(texts))"
STREAM = "pyarrow.chunked_array(tiktally.arrow.chunk_tokens(pyarrow.chunked_array([texts, texts]), 5)).slice(1)"
STRINGS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.large_string())]
HELLO = ["hello world", None, "", "你好 🙂", "<|endoftext|>", None]
HELLO_IDS = [[24912, 2375], None, [], [177519, 26192], [27, 91, 419, 1440, 919, 91, 29], None]


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


@pytest.mark.parametrize("call", [UNCONSUMED, IN_PYARROW, IN_A_THREAD, "ids.__arrow_c_array__()", "pyarrow.array(ids)", COLUMN, STREAM])
def test_memory_is_flat(call):
    code = f"""
import resource, threading, pyarrow, tiktally.arrow
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
texts = pyarrow.array(["word " * 100] * 100)
before = work(200)
print(work(2_000) - before)
"""
    grown = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    assert grown < 4_000, f"{grown} KB"


def texts_of(kind, texts=HELLO):
    # the rows before and after are not those of the slice
    array = pa.array(["before", None, *texts, "after"])
    if pa.types.is_dictionary(kind):
        array = array.dictionary_encode().cast(kind)
    return array.cast(kind).slice(2, len(texts))


def columns(kind, texts=HELLO):
    """Returns a column in all forms, each with how to read its result."""
    array = texts_of(kind, texts)
    chunked = pa.chunked_array([array.slice(0, 1), array.slice(1, 0), array.slice(1)], kind)
    yield array, pa.array
    yield chunked, pa.chunked_array
    yield pl.Series(array.cast(pa.large_string())), pl.Series


def test_random_texts(enc):
    random.seed(23)
    letters = "abc   \n\t.,'!?0123ÄßéПривет東京🙂\u0301\x00"
    texts = ["".join(random.choices(letters, k=random.randrange(80))) for _ in range(500)]
    texts = [None if i % 7 == 3 else text for i, text in enumerate(texts)]
    for encoding in [enc, tiktally.get_encoding("cl100k_base"), tiktally.get_encoding("gpt2")]:

        def each(call):
            return [None if text is None else call(text) for text in texts]

        ids = each(encoding.encode)
        for kind in STRINGS[:3]:
            array = texts_of(kind, texts)
            encoded = pa.array(arrow.encode_tokens(array, encoding))
            assert encoded.to_pylist() == ids
            assert pa.array(arrow.count_tokens(array, encoding.name)).to_pylist() == each(encoding.count)
            assert pa.array(arrow.decode_tokens(encoded, encoding)).to_pylist() == texts
            parts = pa.array(arrow.truncate_tokens(array, 7, encoding))
            assert parts.to_pylist() == each(lambda text: encoding.truncate(text, 7))
            chunks = pa.array(arrow.chunk_tokens(array, 9, 3, encoding))
            assert chunks.to_pylist() == each(lambda text: encoding.chunks(text, 9, overlap=3))
            for result in [encoded, parts, chunks]:
                result.validate(full=True)


@pytest.mark.parametrize("kind", STRINGS)
def test_columns(enc, kind):
    assert HELLO_IDS == [None if text is None else enc.encode(text, disallowed_special=()) for text in HELLO]
    is_large = kind in (pa.large_string(), STRINGS[3])
    for column, read in columns(kind):
        lists = read(arrow.encode_tokens(column))
        counts = read(arrow.count_tokens(column))
        if read is pl.Series:
            assert counts.to_list() == [2, None, 0, 2, 7, None] and lists.dtype == pl.List(pl.UInt32)
            assert lists.to_list() == pl.Series(arrow.encode_tokens(column, enc)).to_list() == HELLO_IDS
            assert pl.Series(arrow.decode_tokens(lists)).to_list() == HELLO
            continue
        ids = pa.field("item", pa.uint32(), nullable=False)
        assert lists.type == (pa.large_list(ids) if is_large else pa.list_(ids)) and counts.type == pa.int64()
        assert lists.to_pylist() == HELLO_IDS and counts.to_pylist() == [2, None, 0, 2, 7, None]
        assert read(arrow.decode_tokens(lists)).to_pylist() == HELLO
        texts, chunks = read(arrow.truncate_tokens(column, 1)), read(arrow.chunk_tokens(column, 4, encoding=enc))
        assert texts.type == pa.string_view() and texts.to_pylist() == ["hello", None, "", "你好", "<", None]
        assert chunks.to_pylist() == [["hello world"], None, [], ["你好 🙂"], ["<|endof", "text|>"], None]
        for result in [lists, counts, texts, chunks]:
            result.validate(full=True)
            if read is pa.chunked_array:
                assert [len(chunk) for chunk in result.chunks] == [1, 0, 5]


@pytest.mark.parametrize("kind", [*STRINGS, pa.null()])
def test_columns_without_texts(kind):
    for rows in [0, 3]:
        nulls = pa.nulls(rows, kind)
        assert pa.array(arrow.count_tokens(nulls)).equals(pa.nulls(rows, pa.int64()))
        assert pa.array(arrow.truncate_tokens(nulls, 0)).equals(pa.nulls(rows, pa.string_view()))
        assert pa.array(arrow.encode_tokens(nulls)).to_pylist() == pa.array(arrow.chunk_tokens(nulls, 5)).to_pylist() == [None] * rows
    chunked = pa.chunked_array(arrow.count_tokens(pa.chunked_array([], kind)))
    assert chunked.type == pa.int64() and chunked.num_chunks == 0


@pytest.mark.parametrize("integer", [pa.uint8(), pa.int8(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()])
def test_lists_of_ids(integer):
    lists = [[72], None, [68, 0], [], [33, 33]]
    for kind in [pa.list_(integer), pa.large_list(integer)]:
        array = pa.array([[1], *lists], kind).slice(1)
        assert pa.array(arrow.decode_tokens(array)).to_pylist() == ["i", None, "e!", "", "BB"]
    fixed = pa.array([[1, 1], [68, 0], None], pa.list_(integer, 2)).slice(1)
    assert pa.array(arrow.decode_tokens(fixed)).to_pylist() == ["e!", None]


def test_columns_are_objects_of_their_own(enc):
    counts = arrow.count_tokens(pa.array(HELLO))
    assert isinstance(counts, arrow.Array) and len(counts) == 6 and repr(counts) == "<Array of 6 Int64>"
    # a result can be read again, and passed on
    assert pa.array(counts).buffers()[1].address == pa.array(counts).buffers()[1].address
    assert pa.array(counts).equals(pa.array(counts)) and pa.field(counts).type == pa.int64()
    lists = arrow.encode_tokens(pa.chunked_array([HELLO, HELLO]))
    assert isinstance(lists, arrow.ChunkedArray) and len(lists) == 12 and "2 chunks" in repr(lists)
    assert pa.chunked_array(lists).equals(pa.chunked_array(lists)) and pa.field(lists).type == pa.chunked_array(lists).type
    assert pa.chunked_array(arrow.decode_tokens(lists)).to_pylist() == HELLO * 2
    # a schema that is asked for is ignored
    texts = arrow.truncate_tokens(pa.array(HELLO), 100)
    for kind in [pa.string(), pa.large_string(), pa.string_view()]:
        again = pa.Array._import_from_c_capsule(*texts.__arrow_c_array__(kind.__arrow_c_schema__()))
        assert again.type == pa.string_view() and again.cast(kind).equals(pa.array(HELLO, kind))
    custom = enc.extend("mine", {"<|turn|>": 300_000})
    assert pa.array(arrow.decode_tokens(pa.array([[300_000, 24912]]), custom)).to_pylist() == ["<|turn|>hello"]


@pytest.mark.parametrize("kind", STRINGS[:3])
def test_parts_of_texts_are_not_copied(kind):
    column = pa.array(["One line is much like another. " * 20] * 3, kind)
    data = column.buffers()[2]
    for result in [pa.array(arrow.truncate_tokens(column, 20)), pa.array(arrow.chunk_tokens(column, 20)).values]:
        assert data.address in [buffer.address for buffer in result.buffers()[2:]]
    series = pl.Series(arrow.truncate_tokens(column, 20))
    del column, data, result
    gc.collect()
    assert series[2] == tiktally.get_encoding("o200k_base").truncate("One line is much like another. " * 20, 20)


def test_errors_of_columns(enc):
    def fault(kind, call, *arguments):
        with pytest.raises(kind) as caught:
            call(*arguments)
        return caught.value

    for wrong in [["a"], "a", None, b"a"]:
        assert "expected an array of Arrow" in str(fault(TypeError, arrow.count_tokens, wrong))
    for wrong in [pa.array([1]), pa.array([b"a"]), pa.array([["a"]]), pa.array([{"a": "b"}]), pl.Series([1.5]), pl.DataFrame({"a": ["b"]})]:
        error = fault(errors.InvalidArray, arrow.count_tokens, wrong)
        assert "text must be Utf8, LargeUtf8 or Utf8View, but is" in str(error) and error.row is None
    assert "ids must be" in str(fault(errors.InvalidArray, arrow.decode_tokens, pa.chunked_array([["a"]])))
    assert fault(errors.UnknownEncoding, arrow.count_tokens, pa.array(["a"]), "o200k").suggestion == "o200k_base"
    fault(TypeError, arrow.count_tokens, pa.array(["a"]), None)

    for wrong, row, index in [([[0], None, [1, 250_000]], 2, 1), ([[-1]], 0, 0), ([[2**40]], 0, 0)]:
        error = fault(errors.UnknownToken, arrow.decode_tokens, pa.array(wrong))
        token = wrong[row][index]
        assert (error.row, error.index, error.token) == (row, index, token)
        assert error.args == (f"row {row}: Invalid token for decoding: {token}",)
    # rows count on
    error = fault(errors.UnknownToken, arrow.decode_tokens, pa.chunked_array([[[0]] * 5, [[0], [250_000]]]))
    assert error.row == 6
    error = fault(errors.InvalidArray, arrow.decode_tokens, pa.array([[0], [0, None]]))
    assert error.row == 1 and str(error) == "row 1: the id at index 1 is null"
    # a part of a character
    error = fault(errors.InvalidText, arrow.decode_tokens, pa.array([[0], enc.encode("\U0001f9ff")[:1]]))
    assert error.row == 1 and "row 1: " in str(error)

    for call, arguments in [(arrow.truncate_tokens, [-1]), (arrow.chunk_tokens, [5, -1])]:
        fault(OverflowError, call, pa.array(["a"]), *arguments)
    assert fault(errors.LimitTooSmall, arrow.chunk_tokens, pa.array([], pa.string()), 5, 2).row is None
    assert pa.array(arrow.truncate_tokens(pa.array(["a"]), 2**63)).to_pylist() == ["a"]

    backtracks = tiktally.Encoding("mine", pat_str=r"(\w)\1|.", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    assert "'mine'" in str(fault(errors.PatternLimit, arrow.count_tokens, pa.array(["a"]), backtracks)).replace('"', "'")


@pytest.mark.parametrize("offset", [pa.int32(), pa.int64()])
def test_texts_that_are_not_utf8(offset):
    # readers of files do not check this
    kind = pa.string() if offset == pa.int32() else pa.large_string()
    bad = pa.array([b"good", b"bad \xff", b"\xe2\x82"], pa.binary() if offset == pa.int32() else pa.large_binary()).view(kind)
    for column, row in [(bad, 1), (bad.slice(2), 0), (pa.chunked_array([pa.array(["a"], kind), bad]), 2)]:
        with pytest.raises(errors.InvalidArray, match="(?i)utf-?8") as caught:
            arrow.count_tokens(column)
        assert caught.value.row == row
    assert pa.array(arrow.count_tokens(bad.slice(0, 1))).to_pylist() == [1]


def test_columns_release_the_gil():
    column = pa.chunked_array([["One line is much like another, 你好 🙂 " * 10_000] * 20] * 2)
    for array in [column, column.combine_chunks()]:
        stamps, stop = [], threading.Event()

        def stamp():
            while not stop.wait(0.001):
                stamps.append(time.perf_counter())

        thread = threading.Thread(target=stamp)
        thread.start()
        begin = time.perf_counter()
        arrow.encode_tokens(array)
        end = time.perf_counter()
        stop.set()
        thread.join()
        tenth = (end - begin) / 10
        assert any(begin + tenth < at < end - tenth for at in stamps)


def test_columns_in_threads(enc):
    column = pa.array([text for text in HELLO if text] * 1000)
    expected = [enc.count(text) for text in column.to_pylist()]
    results = []
    threads = [threading.Thread(target=lambda: results.append(pa.array(arrow.count_tokens(column)).to_pylist())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8
