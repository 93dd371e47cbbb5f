use std::error::Error as _;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeListArray, Int8Array, Int64Array, LargeListArray,
    LargeStringArray, ListArray, NullArray, Scalar, StringArray, StringViewArray, UInt32Array,
    UInt64Array,
};

use super::*;

const TEXTS: [Option<&str>; 6] = [
    Some("hello world"),
    None,
    Some(""),
    Some("a text that is far too long for a view to hold, with an emoji 🦀 and ünïcödé"),
    Some("<|endoftext|>"),
    Some("one two three four five six seven eight nine ten eleven twelve thirteen fourteen"),
];

/// Returns the texts as each type of string array.
fn arrays(texts: &[Option<&str>]) -> [ArrayRef; 3] {
    [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
    ]
}

/// Returns the texts as each type of string array, once whole and once as a part of a longer array.
fn string_arrays() -> Vec<ArrayRef> {
    let longer: Vec<_> = [Some("before, and not a short text")]
        .into_iter()
        .chain(TEXTS)
        .collect();
    let parts = arrays(&longer).map(|array| array.slice(1, TEXTS.len()));
    arrays(&TEXTS).into_iter().chain(parts).collect()
}

fn o200k() -> EncodingArg<'static> {
    EncodingArg::one(tiktally::o200k_base()).unwrap()
}

fn number(value: i64) -> Scalar<Int64Array> {
    Int64Array::new_scalar(value)
}

/// Returns the values of a list array, row by row.
fn lists_of<T>(lists: &dyn Array, value: impl Fn(&dyn Array) -> T) -> Vec<Option<T>> {
    let list = |row| match lists.data_type() {
        DataType::LargeList(_) => lists.as_list::<i64>().value(row),
        _ => lists.as_list::<i32>().value(row),
    };
    (0..lists.len())
        .map(|row| lists.is_valid(row).then(|| value(&list(row))))
        .collect()
}

fn ids_of(lists: &dyn Array) -> Vec<Option<Vec<TokenId>>> {
    lists_of(lists, |ids| {
        ids.as_primitive::<UInt32Type>().values().to_vec()
    })
}

fn texts_of(texts: &dyn Array) -> Vec<Option<String>> {
    texts
        .as_string_view()
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect()
}

#[test]
fn each_type_of_string_gives_the_tokenizers_results() {
    let encoding = tiktally::o200k_base();
    for texts in string_arrays() {
        let counts = count_tokens(&texts, &o200k()).unwrap();
        let expected = TEXTS.map(|text| text.map(|text| encoding.count(text) as i64));
        assert_eq!(
            counts
                .as_primitive::<Int64Type>()
                .iter()
                .collect::<Vec<_>>(),
            expected
        );

        let lists = encode_tokens(&texts, &o200k()).unwrap();
        let expected = TEXTS.map(|text| text.map(|text| encoding.encode_ordinary(text)));
        assert_eq!(ids_of(&lists), expected);
        assert_eq!(ids_of(&lists)[0], Some(vec![24912, 2375]));
        let decoded = decode_tokens(&lists, &o200k()).unwrap();
        assert_eq!(
            texts_of(&decoded),
            TEXTS.map(|text| text.map(str::to_owned))
        );

        for limit in [0, 1, 3, 8, 1_000] {
            let starts = truncate_tokens(&texts, &number(limit), &o200k()).unwrap();
            let start = |text| encoding.truncate(text, limit as usize).to_owned();
            assert_eq!(texts_of(&starts), TEXTS.map(|text| text.map(start)));
        }
        for (limit, overlap) in [(4, 0), (7, 2), (1_000, 100)] {
            let lists = chunk_tokens(&texts, &number(limit), &number(overlap), &o200k()).unwrap();
            let chunks = |text| -> Vec<_> {
                let chunks = encoding.chunks_overlapping(text, limit as usize, overlap as usize);
                chunks
                    .unwrap()
                    .map(|chunk| Some(chunk.to_owned()))
                    .collect()
            };
            assert_eq!(
                lists_of(&lists, texts_of),
                TEXTS.map(|text| text.map(chunks))
            );
        }
    }
}

#[test]
fn parts_of_texts_share_the_memory_of_the_texts() {
    for texts in string_arrays() {
        let shares = |result: &StringViewArray| {
            let buffers = texts.to_data();
            let ranges: Vec<_> = buffers
                .buffers()
                .iter()
                .map(|buffer| buffer.as_slice().as_ptr_range())
                .collect();
            (0..result.len())
                .filter(|&row| result.is_valid(row) && result.value(row).len() > 12)
                .all(|row| {
                    let start = result.value(row).as_ptr();
                    ranges.iter().any(|range| range.contains(&start))
                })
        };
        let starts = truncate_tokens(&texts, &number(8), &o200k()).unwrap();
        let chunks = chunk_tokens(&texts, &number(8), &number(2), &o200k()).unwrap();
        for parts in [&starts, chunks.as_list::<i32>().values()] {
            let parts = parts.as_string_view();
            assert!(shares(parts));
            // the buffer is kept once, not for each part
            assert_eq!(parts.data_buffers().len(), 1);
        }
    }
}

#[test]
fn a_scalar_is_one_value_for_all_rows() {
    let texts = StringArray::from(TEXTS.to_vec());
    let limits = Int64Array::from(vec![Some(1), Some(2), None, Some(3), None, Some(4)]);
    let one_text = StringArray::new_scalar(TEXTS[5].unwrap());
    let encoding = tiktally::o200k_base();

    let starts = truncate_tokens(&texts, &limits, &o200k()).unwrap();
    let expected = [
        Some("hello"),
        None,
        None,
        Some("a text that"),
        None,
        Some("one two three four"),
    ];
    assert_eq!(
        texts_of(&starts),
        expected.map(|text| text.map(str::to_owned))
    );

    let starts = truncate_tokens(&one_text, &limits, &o200k()).unwrap();
    let start = |limit: Option<i64>| Some(encoding.truncate(TEXTS[5]?, limit? as usize).to_owned());
    assert_eq!(
        texts_of(&starts),
        limits.iter().map(start).collect::<Vec<_>>()
    );

    let starts = truncate_tokens(&one_text, &number(2), &o200k()).unwrap();
    assert_eq!(texts_of(&starts), [Some("one two".to_owned())]);
}

#[test]
fn each_row_can_name_its_encoding() {
    let known = Encodings::default();
    let names = StringViewArray::from(vec![
        Some("cl100k_base"),
        Some("no"),
        None,
        Some("o200k_base"),
        Some("r50k_base"),
        Some("gpt2"),
    ]);
    let encoding = EncodingArg::named(&names, &known).unwrap();
    let texts = StringArray::from(TEXTS.to_vec());
    // a row whose text is null does not look up its encoding
    let lists = ids_of(&encode_tokens(&texts, &encoding).unwrap());
    assert_eq!(lists[0], Some(vec![15339, 1917]));
    assert_eq!((&lists[1], &lists[2]), (&None, &None));
    assert_eq!(
        lists[4],
        Some(
            tiktally::get_encoding("r50k_base")
                .unwrap()
                .encode_ordinary("<|endoftext|>")
        )
    );

    let all = StringArray::new_scalar("text");
    let error = count_tokens(&all, &encoding).unwrap_err();
    assert!(
        matches!(&error, Error::UnknownEncoding { source, .. } if source.is_unknown_encoding())
    );
    assert_eq!(error.row(), Some(1));
    assert!(
        error.to_string().starts_with("row 1 of the batch: "),
        "{error}"
    );
    let scalar = StringArray::new_scalar("no");
    let error = EncodingArg::named(&scalar, &known).err().unwrap();
    assert_eq!(error.row(), None);
}

/// Returns the results of all functions of texts.
fn all_results(texts: &dyn Datum, encoding: &EncodingArg<'_>) -> [ArrayRef; 4] {
    [
        count_tokens(texts, encoding).unwrap(),
        encode_tokens(texts, encoding).unwrap(),
        truncate_tokens(texts, &number(3), encoding).unwrap(),
        chunk_tokens(texts, &number(6), &number(2), encoding).unwrap(),
    ]
}

#[test]
fn a_dictionary_gives_the_results_of_its_texts() {
    let known = Encodings::default();
    let names: DictionaryArray<Int8Type> =
        ["gpt2", "o200k_base", "gpt2", "gpt2"].into_iter().collect();
    let each = EncodingArg::named(&names, &known).unwrap();
    // a text in two rows, a null text, a row without a key, and a text in no row
    let keys = Int8Array::from(vec![Some(1), Some(3), Some(3), Some(1), None, Some(2)]);
    let longest = [Some("in no row"), TEXTS[0], None, TEXTS[3]];
    for values in arrays(&longest) {
        let plain = arrow_select::take::take(&values, &keys, None).unwrap();
        let texts = DictionaryArray::new(keys.clone(), values);
        let (texts, plain) = (texts.slice(1, 5), plain.slice(1, 5));
        assert_eq!(all_results(&texts, &o200k()), all_results(&plain, &o200k()));
        let (texts, plain) = (texts.slice(0, 4), plain.slice(0, 4));
        assert_eq!(all_results(&texts, &each), all_results(&plain, &each));
        let (texts, plain) = (texts.slice(0, 1), plain.slice(0, 1));
        assert_eq!(
            all_results(&Scalar::new(texts), &each),
            all_results(&Scalar::new(plain), &each)
        );
    }
}

#[test]
fn a_dictionary_can_be_empty() {
    let none: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
    for rows in [0, 2] {
        let texts = DictionaryArray::new(Int8Array::new_null(rows), none.clone());
        for result in all_results(&texts, &o200k()) {
            assert_eq!((result.len(), result.null_count()), (rows, rows));
        }
    }
}

#[test]
fn arrays_without_rows_give_no_rows() {
    let known = Encodings::default();
    let none = StringArray::from(Vec::<&str>::new());
    let encoding = EncodingArg::named(&none, &known).unwrap();
    let lists = encode_tokens(&none, &encoding).unwrap();
    assert_eq!(lists.len(), 0);
    assert_eq!(count_tokens(&none, &encoding).unwrap().len(), 0);
    assert_eq!(decode_tokens(&lists, &encoding).unwrap().len(), 0);
}

#[test]
fn every_null_argument_makes_the_row_null() {
    let null = || Scalar::new(Int64Array::from(vec![None]));
    let texts = StringArray::from(vec!["hello world"; 2]);
    let is_null = |result: ArrayRef| result.len() == 2 && result.null_count() == 2;
    let known = Encodings::default();
    let no_name = Scalar::new(StringArray::from(vec![None::<&str>]));
    let no_encoding = EncodingArg::named(&no_name, &known).unwrap();
    let lists = encode_tokens(&texts, &o200k()).unwrap();

    assert!(is_null(count_tokens(&NullArray::new(2), &o200k()).unwrap()));
    assert!(is_null(count_tokens(&texts, &no_encoding).unwrap()));
    assert!(is_null(encode_tokens(&texts, &no_encoding).unwrap()));
    assert!(is_null(decode_tokens(&lists, &no_encoding).unwrap()));
    assert!(is_null(truncate_tokens(&texts, &null(), &o200k()).unwrap()));
    assert!(is_null(
        truncate_tokens(&texts, &number(1), &no_encoding).unwrap()
    ));
    assert!(is_null(
        chunk_tokens(&texts, &null(), &number(0), &o200k()).unwrap()
    ));
    assert!(is_null(
        chunk_tokens(&texts, &number(9), &null(), &o200k()).unwrap()
    ));
    // a negative number beside a null text is not looked at
    let none = StringArray::from(vec![None::<&str>; 2]);
    assert!(is_null(
        truncate_tokens(&none, &number(-1), &o200k()).unwrap()
    ));
}

#[test]
fn lists_of_all_types_of_integers_are_decoded() {
    let hello = [24912, 2375];
    let item = |of: DataType| Arc::new(Field::new_list_field(of, true));
    let offsets = || OffsetBuffer::new(vec![0, 2].into());
    let wide: ArrayRef = Arc::new(UInt64Array::from(hello.map(u64::from).to_vec()));
    let narrow: ArrayRef = Arc::new(UInt32Array::from(hello.to_vec()));
    let lists: [ArrayRef; 4] = [
        Arc::new(ListArray::new(
            item(DataType::UInt64),
            offsets(),
            wide.clone(),
            None,
        )),
        Arc::new(ListArray::new(
            item(DataType::UInt32),
            offsets(),
            narrow.clone(),
            None,
        )),
        Arc::new(LargeListArray::new(
            item(DataType::UInt64),
            OffsetBuffer::new(vec![0, 2].into()),
            wide,
            None,
        )),
        Arc::new(FixedSizeListArray::new(
            item(DataType::UInt32),
            2,
            narrow,
            None,
        )),
    ];
    for list in lists {
        let texts = decode_tokens(&list, &o200k()).unwrap();
        assert_eq!(texts_of(&texts), [Some("hello world".to_owned())]);
    }
    let bytes: ArrayRef = Arc::new(Int8Array::from(vec![39, 40]));
    let small = ListArray::new(item(DataType::Int8), offsets(), bytes, None);
    let texts = decode_tokens(&small, &o200k()).unwrap();
    assert_eq!(texts_of(&texts), [Some("HI".to_owned())]);
}

/// Returns a list array with one row.
fn one_list(ids: Vec<Option<i64>>) -> ListArray {
    ListArray::from_iter_primitive::<Int64Type, _, _>([Some(ids)])
}

#[test]
fn ids_that_cannot_be_decoded_are_typed_errors() {
    let decode = |ids| decode_tokens(&one_list(ids), &o200k()).unwrap_err();
    assert!(matches!(
        decode(vec![Some(24912), None]),
        Error::NullId { row: 0, index: 1 }
    ));
    for value in [-1, 1 << 32] {
        let error = decode(vec![Some(24912), Some(value)]);
        assert!(
            matches!(error, Error::NotAnId { row: 0, index: 1, value: found } if found == i128::from(value))
        );
    }
    let error = decode(vec![Some(i64::from(u32::MAX))]);
    let source = error
        .source()
        .unwrap()
        .downcast_ref::<tiktally::Error>()
        .unwrap();
    assert!(source.is_unknown_token());
    // half of a crab
    let half = tiktally::o200k_base().encode_ordinary("🦀")[0];
    let error = decode(vec![Some(i64::from(half))]);
    assert!(matches!(error, Error::Tokenizer { row: 0, source } if source.is_invalid_utf8()));
}

#[test]
fn bad_arguments_are_typed_errors() {
    let texts = StringArray::from(vec!["some text"; 3]);
    let error = truncate_tokens(&texts, &number(-5), &o200k()).unwrap_err();
    assert!(matches!(
        error,
        Error::Negative {
            row: 0,
            argument: "n",
            value: -5
        }
    ));
    let error = chunk_tokens(&texts, &number(9), &number(-1), &o200k()).unwrap_err();
    assert!(matches!(
        error,
        Error::Negative {
            row: 0,
            argument: "overlap",
            value: -1
        }
    ));
    let error = chunk_tokens(&texts, &number(9), &number(6), &o200k()).unwrap_err();
    assert!(matches!(error, Error::Tokenizer { row: 0, source } if source.is_limit_too_small()));
    let error = count_tokens(&Int64Array::from(vec![1]), &o200k()).unwrap_err();
    assert!(matches!(
        error,
        Error::Type {
            argument: "text",
            found: DataType::Int64,
            ..
        }
    ));
    let error = truncate_tokens(&texts, &UInt32Array::from(vec![1; 3]), &o200k()).unwrap_err();
    assert!(matches!(
        error,
        Error::Type {
            argument: "n",
            found: DataType::UInt32,
            ..
        }
    ));
    let error = decode_tokens(&texts, &o200k()).unwrap_err();
    assert!(matches!(
        error,
        Error::Type {
            argument: "ids",
            found: DataType::Utf8,
            ..
        }
    ));
    let error = truncate_tokens(&texts, &Int64Array::from(vec![1; 2]), &o200k()).unwrap_err();
    assert!(matches!(
        error,
        Error::Lengths {
            expected: 3,
            found: 2
        }
    ));
}

#[test]
fn offsets_of_32_bits_end_with_a_typed_error() {
    let last = i32::MAX as usize;
    let mut lists = Lists::<i32>::new(2);
    lists.end(0, true, last, "ids").unwrap();
    let error = lists.end(1, true, last + 1, "ids").unwrap_err();
    assert!(matches!(
        error,
        Error::TooMany {
            row: 1,
            what: "ids",
            limit: 2_147_483_647
        }
    ));
    Lists::<i64>::new(1).end(0, true, last + 1, "ids").unwrap();
}

#[test]
fn a_custom_encoding_needs_a_name_of_its_own_and_calls_that_cannot_fail() {
    let cl100k = tiktally::cl100k_base();
    let mut known = Encodings::default();
    known.add(cl100k.extend("mine").build().unwrap()).unwrap();
    assert_eq!(known.get("mine").unwrap().name(), "mine");
    for taken in ["mine", "o200k_base"] {
        let error = known
            .add(cl100k.extend(taken).build().unwrap())
            .unwrap_err();
        assert!(matches!(error, Error::NameTaken { name } if name == taken));
    }
    let error = known.get("nine").unwrap_err();
    assert!(
        error.to_string().ends_with("; custom encodings: mine"),
        "{error}"
    );

    let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
    let backtracks = tiktally::Encoding::builder("slow")
        .backtracking_pattern(r"(?:(\w)(?=\1)|\w|\W)+")
        .ranks(bytes)
        .build()
        .unwrap();
    let lacks_bytes = tiktally::Encoding::builder("few")
        .pattern(r"\w+")
        .ranks([("a", 0), ("b", 1)])
        .allow_missing_bytes()
        .build()
        .unwrap();
    for can_fail in [backtracks, lacks_bytes] {
        assert!(matches!(
            EncodingArg::one(&can_fail),
            Err(Error::CanFail { .. })
        ));
        assert!(matches!(known.add(can_fail), Err(Error::CanFail { .. })));
    }
}

#[test]
fn a_null_argument_wins_over_a_fault_of_another_one() {
    let texts = StringArray::from(vec!["some text"; 2]);
    let null = || Scalar::new(Int64Array::from(vec![None]));
    let is_null = |result: ArrayRef| result.len() == 2 && result.null_count() == 2;
    let known = Encodings::default();
    let names = StringArray::from(vec!["no encoding"; 2]);
    let unknown = EncodingArg::named(&names, &known).unwrap();
    assert!(is_null(truncate_tokens(&texts, &null(), &unknown).unwrap()));
    assert!(is_null(
        chunk_tokens(&texts, &number(9), &null(), &unknown).unwrap()
    ));
    assert!(is_null(
        chunk_tokens(&texts, &number(-1), &null(), &o200k()).unwrap()
    ));
    let name = Scalar::new(StringArray::from(vec![None::<&str>]));
    let no_encoding = EncodingArg::named(&name, &known).unwrap();
    assert!(is_null(
        truncate_tokens(&texts, &number(-1), &no_encoding).unwrap()
    ));
}

#[test]
#[cfg(target_pointer_width = "64")]
fn the_last_list_of_more_than_2_31_ids_is_found() {
    const SIZE: usize = 1 << 20;
    let rows = (1 << 31) / SIZE + 1;
    // memory that is only reserved, since all rows but the last one are null
    let ids: ArrayRef = Arc::new(Int8Array::from(vec![0; rows * SIZE]));
    let nulls = (0..rows).map(|row| row == rows - 1).collect::<Vec<_>>();
    let item = Arc::new(Field::new_list_field(DataType::Int8, true));
    let lists = FixedSizeListArray::new(item, SIZE as i32, ids, Some(nulls.into()));
    let texts = decode_tokens(&lists, &o200k()).unwrap();
    assert_eq!(texts.as_string_view().value(rows - 1), "!".repeat(SIZE));
}

#[test]
#[cfg(target_pointer_width = "64")]
fn parts_of_a_buffer_of_more_than_4_gib() {
    const TEXT: &str = "one two three four five six";
    // memory that is only reserved, since all texts but three are null
    let places = [(1 << 31) - 5, (1 << 32) - 5, (1 << 32) + 50];
    let mut bytes = vec![0; (1 << 32) + 200];
    let mut offsets = vec![0];
    for place in places {
        bytes[place..place + TEXT.len()].copy_from_slice(TEXT.as_bytes());
        offsets.extend([place as i64, (place + TEXT.len()) as i64]);
    }
    let nulls = vec![false, true, false, true, false, true];
    let texts = LargeStringArray::new(
        OffsetBuffer::new(offsets.into()),
        bytes.into(),
        Some(nulls.into()),
    );
    let starts = truncate_tokens(&texts, &number(5), &o200k()).unwrap();
    let expected = Some("one two three four five".to_owned());
    assert_eq!(
        texts_of(&starts),
        [
            None,
            expected.clone(),
            None,
            expected.clone(),
            None,
            expected
        ]
    );
    assert_eq!(starts.as_string_view().data_buffers().len(), 3);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_part_of_2_31_bytes_is_a_typed_error() {
    // memory that is only reserved
    let bytes = vec![0; (1 << 31) + 1];
    let offsets = OffsetBuffer::from_lengths([1, 1 << 31]);
    let text = LargeStringArray::new(offsets, bytes.into(), None);
    let texts = Texts::new(&text).unwrap();
    let (part, mut views) = (text.value(1), Views::new(2));
    let error = views.push(&texts, 1, part).unwrap_err();
    assert!(matches!(
        error,
        Error::TooMany {
            row: 1,
            what: "bytes of one text",
            limit: 2_147_483_647
        }
    ));
    views.push(&texts, 1, &part[1..]).unwrap();
    assert_eq!(views.finish().value(0).len(), part.len() - 1);
}

#[test]
fn lists_of_the_type_null_are_empty_or_null() {
    let decode = |lists: &dyn Datum| decode_tokens(lists, &o200k());
    assert_eq!(texts_of(&decode(&NullArray::new(2)).unwrap()), [None, None]);
    let item = Arc::new(Field::new_list_field(DataType::Null, true));
    let lists = |lengths: [usize; 2], items| {
        let offsets = OffsetBuffer::from_lengths(lengths);
        ListArray::new(item.clone(), offsets, Arc::new(NullArray::new(items)), None)
    };
    let empty = Some(String::new());
    let texts = decode(&lists([0, 0], 0)).unwrap();
    assert_eq!(texts_of(&texts), [empty.clone(), empty]);
    let error = decode(&lists([0, 2], 2)).unwrap_err();
    assert!(matches!(error, Error::NullId { row: 1, index: 0 }));
}
