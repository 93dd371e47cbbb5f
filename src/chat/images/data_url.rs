//! The size of an image whose data is in its URL (section 4 of page.md).

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use imagesize::{ImageError, ImageResult, ImageSize, ImageType};

use super::LINK;
use crate::chat;
use crate::error::Error;

/// Decodes with or without padding, because only the head of an image is decoded.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The length of the data that is decoded first, in base64 characters. Most sizes are in the first 30 bytes; the size
/// of a JPEG follows its tables and metadata. Four characters are three bytes, so the length is a multiple of 4.
const HEAD: usize = 1024;
/// The factor by which the head grows if the size is not in it. All shorter heads together cost a seventh of the last
/// head.
const GROWTH: usize = 8;

/// The longest side that is accepted, in pixels: the limit of WebP. Of the four formats only PNG can name a larger one,
/// which no program opens.
const LONGEST_SIDE: u32 = 1 << 24;

/// Returns the width and the height in pixels of the image in a `data:` URL.
pub(super) fn size(url: &str) -> Result<(u32, u32), Error> {
    let data = image_data(url)?;
    let size = read_size(data).ok_or_else(|| {
        invalid(
            "the image has no readable size: its data is truncated, is not valid base64, or is not PNG, JPEG, GIF or WebP",
        )
    })?;
    plausible(size).ok_or_else(|| {
        invalid(format!(
            "the image data gives the size {} x {} pixels, which is not possible",
            size.width, size.height
        ))
    })
}

/// Returns the base64 data of a URL that holds an image.
fn image_data(url: &str) -> Result<&str, Error> {
    if is_link(url) {
        return Err(chat::unsupported("", LINK));
    }
    let inline = strip_prefix(url, "data:").ok_or_else(|| {
        invalid("this is not an image URL; inline data begins with `data:image/…;base64,`")
    })?;
    match inline.split_once(',') {
        Some((kind, data)) if is_image_in_base64(kind) => Ok(data),
        _ => Err(invalid(
            "the URL does not hold an image in base64; it must begin with `data:image/…;base64,`",
        )),
    }
}

/// Returns whether a URL has a scheme other than `data:`, so that the image is elsewhere.
pub(crate) fn is_link(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case("data"))
}

/// Returns the error for a URL without a readable image; its path is empty.
fn invalid(problem: impl Into<String>) -> Error {
    chat::invalid("", problem)
}

/// Returns whether the part before the comma of a `data:` URL names an image type and base64.
fn is_image_in_base64(kind: &str) -> bool {
    let coding = kind.rsplit_once(';').map(|(_, coding)| coding);
    strip_prefix(kind, "image/").is_some()
        && coding.is_some_and(|coding| coding.eq_ignore_ascii_case("base64"))
}

/// Removes a prefix in upper or lower case, as schemes and media types may be written.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Returns the size in base64 data. Decodes a short head first, then longer ones while the size is not in it.
fn read_size(data: &str) -> Option<ImageSize> {
    let data = data.as_bytes();
    let mut length = HEAD;
    loop {
        let head = data.get(..length).unwrap_or(data);
        match size_in(&BASE64.decode(without_breaks(head)).ok()?) {
            Err(ImageError::IoError(_)) if head.len() < data.len() => length *= GROWTH,
            size => return size.ok(),
        }
    }
}

/// Removes line breaks and other white space from base64. If there were any, the rest is cut to whole groups of four
/// characters.
fn without_breaks(head: &[u8]) -> Cow<'_, [u8]> {
    if !head.iter().any(u8::is_ascii_whitespace) {
        return head.into();
    }
    let mut kept = head.to_vec();
    kept.retain(|byte| !byte.is_ascii_whitespace());
    kept.truncate(kept.len() / 4 * 4);
    kept.into()
}

/// Returns the size of an image in one of the four formats. The format is checked first, because another crate in the
/// program may have enabled more formats of `imagesize`.
fn size_in(bytes: &[u8]) -> ImageResult<ImageSize> {
    match imagesize::image_type(bytes)? {
        ImageType::Jpeg => imagesize::blob_size(&without_fill(bytes)),
        ImageType::Png | ImageType::Gif | ImageType::Webp => imagesize::blob_size(bytes),
        _ => Err(ImageError::NotSupported),
    }
}

/// Removes the bytes 0xFF that may stand before a marker from the segments of a JPEG.
fn without_fill(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut kept = Vec::new();
    // the start of the bytes that are not in `kept` yet, and the next marker
    let (mut from, mut at) = (0, 2);
    while let Some([0xff, marker]) = bytes.get(at..at + 2) {
        if *marker == 0xff {
            kept.extend_from_slice(bytes.get(from..at).unwrap_or_default());
            at += 1;
            from = at;
            continue;
        }
        let Some([high, low]) = bytes.get(at + 2..at + 4) else {
            break;
        };
        at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    if from == 0 {
        return bytes.into();
    }
    kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
    kept.into()
}

/// Returns width and height if both are possible: from 1 to [`LONGEST_SIDE`].
fn plausible(size: ImageSize) -> Option<(u32, u32)> {
    let side = |length: usize| {
        let length = u32::try_from(length).ok()?;
        (1..=LONGEST_SIDE).contains(&length).then_some(length)
    };
    Some((side(size.width)?, side(size.height)?))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use proptest::prelude::*;

    use crate::chat::Detail::{Low, Original};
    use crate::chat::Image;

    fn url(kind: &str, bytes: &[u8]) -> String {
        format!("data:{kind};base64,{}", STANDARD.encode(bytes))
    }

    fn size(url: &str) -> Option<(u32, u32)> {
        let error = match Image::from_data_url(url, Low) {
            Ok(image) => return Some((image.width(), image.height())),
            Err(error) => error,
        };
        assert_eq!(error.path(), Some(""));
        assert!(
            error.is_invalid_chat() || error.is_unsupported_content(),
            "{error}"
        );
        // only a link may have a size that the caller knows
        assert_eq!(
            error.to_string().contains("Image::new"),
            error.is_unsupported_content(),
            "{error}"
        );
        assert!(error.to_string().len() < 250, "{error}");
        None
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend([0xf0, 0]);
        bytes
    }

    /// Creates a JPEG of application segments of these lengths, then the segment with the size.
    fn jpeg(width: u16, height: u16, segments: impl IntoIterator<Item = u16>) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        for length in segments {
            bytes.extend([0xff, 0xe1]);
            bytes.extend(length.to_be_bytes());
            bytes.extend(vec![0xab; usize::from(length) - 2]);
        }
        bytes.extend([0xff, 0xc0, 0, 17, 8]);
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes
    }

    fn webp(chunk: &[u8], size: &[u8]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP", chunk, b"\0\0\0\0", size].concat()
    }

    #[test]
    fn four_formats() {
        assert_eq!(size(&url("image/png", &png(640, 480))), Some((640, 480)));
        assert_eq!(size(&url("image/gif", &gif(3, 65_535))), Some((3, 65_535)));
        let photo = jpeg(4000, 3000, [16]);
        assert_eq!(size(&url("image/jpeg", &photo)), Some((4000, 3000)));
        // 14 bits each and one less; 24 bits each and one less; 16 bits each after a frame's head
        let lossless = webp(b"VP8L", &[0x2f, 0x7f, 0xc2, 0x77, 0]);
        assert_eq!(size(&url("image/webp", &lossless)), Some((640, 480)));
        let extended = webp(b"VP8X", &[0, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0]);
        assert_eq!(size(&url("image/webp", &extended)), Some((640, 480)));
        let lossy = webp(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1]);
        assert_eq!(size(&url("image/webp", &lossy)), Some((640, 480)));
    }

    #[test]
    fn keeps_the_detail() {
        let image = Image::from_data_url(&url("image/png", &png(1, 2)), Original).unwrap();
        assert_eq!(image, Image::new(1, 2, Original));
    }

    #[test]
    fn spellings_of_the_head() {
        let data = STANDARD_NO_PAD.encode(jpeg(7, 9, [2]));
        for head in [
            "data:image/jpeg;base64,",
            "DATA:IMAGE/JPEG;BASE64,",
            "data:image/png;base64,",
            "data:image/jpeg;name=a.jpg;base64,",
        ] {
            assert_eq!(size(&format!("{head}{data}")), Some((7, 9)), "{head}");
        }
        for head in [
            "",
            "data:",
            "data:,",
            "data:;base64,",
            "data:image/jpeg,",
            "data:image/jpeg;base64",
            "data:image/jpeg;base64;x,",
            "data:text/plain;base64,",
            "data:image;base64,",
            " data:image/jpeg;base64,",
            "data\u{2026}image/jpeg;base64,",
            "https://example.com/data:image/jpeg;base64,",
        ] {
            assert_eq!(size(&format!("{head}{data}")), None, "{head}");
        }
    }

    #[test]
    fn a_cut_off_image_has_its_size_or_none() {
        for bytes in [
            png(640, 480),
            jpeg(640, 480, [16, 2]),
            webp(b"VP8L", &[0x2f, 0x7f, 0xc2, 0x77, 0]),
        ] {
            for end in 0..bytes.len() {
                assert_eq!(size(&url("image/png", &bytes[..end])), None, "{end}");
            }
            let whole = url("image/png", &bytes);
            for end in 0..whole.len() {
                let found = size(&whole[..end]);
                assert!(matches!(found, None | Some((640, 480))), "{end}");
            }
        }
    }

    #[test]
    fn no_image_has_such_a_size() {
        for (width, height) in [(0, 5), (5, 0), (0, 0), ((1 << 24) + 1, 5), (5, u32::MAX)] {
            assert_eq!(size(&url("image/png", &png(width, height))), None);
        }
        assert_eq!(size(&url("image/gif", &gif(0, 1))), None);
        assert_eq!(size(&url("image/jpeg", &jpeg(1, 0, [2]))), None);
        let largest = png(1 << 24, 1);
        assert_eq!(size(&url("image/png", &largest)), Some((1 << 24, 1)));
        let error = Image::from_data_url(&url("image/png", &png(0, 5)), Low).unwrap_err();
        assert!(error.to_string().contains("0 x 5"), "{error}");
    }

    #[test]
    fn other_formats_and_no_format() {
        for bytes in [
            &b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x05\0\0\0\x05\0\0\0"[..],
            b"II*\0\x08\0\0\0\x02\0\0\x01\x03\0\x01\0\0\0\x05\0\0\0",
            b"qoif\0\0\0\x05\0\0\0\x05\x04\0",
            b"<svg width=\"5\" height=\"5\"></svg>",
            &[0; 100],
            &[0xff; 100],
        ] {
            assert_eq!(size(&url("image/png", bytes)), None);
        }
        assert_eq!(size("data:image/png;base64,not base64!"), None);
        assert_eq!(size("data:image/png;base64,\u{4f60}\u{597d}"), None);
    }

    #[test]
    fn a_size_far_after_the_head() {
        for segments in [vec![1000], vec![65_535; 40], vec![2; 5000]] {
            let bytes = jpeg(640, 480, segments);
            assert_eq!(size(&url("image/jpeg", &bytes)), Some((640, 480)));
        }
    }

    #[test]
    fn the_rest_is_not_read() {
        let mut long = url("image/png", &png(640, 480).repeat(100));
        long.push_str("not base64 !");
        assert_eq!(size(&long), Some((640, 480)));
    }

    #[test]
    fn line_breaks_in_base64() {
        for bytes in [png(640, 480), jpeg(640, 480, [1000, 2, 5000])] {
            let data = STANDARD.encode(&bytes);
            for (every, between) in [(76, "\r\n"), (64, "\n"), (1, " \t"), (7, "\n\n")] {
                let lines: Vec<&[u8]> = data.as_bytes().chunks(every).collect();
                let broken = String::from_utf8(lines.join(between.as_bytes())).unwrap();
                for end in ["", "\n"] {
                    let url = format!("data:image/png;base64,{between}{broken}{end}");
                    assert_eq!(size(&url), Some((640, 480)));
                }
            }
        }
        assert_eq!(size("data:image/png;base64,\n \n"), None);
    }

    #[test]
    fn fill_bytes_before_markers() {
        for fill in [1, 2, 3, 1000, 40_000] {
            let fill = [0xff].repeat(fill);
            let plain = jpeg(640, 480, [16, 300]);
            let second = [&plain[..20], &fill, &plain[20..]].concat();
            let all = [
                &plain[..2],
                &fill,
                &plain[2..20],
                &fill,
                &plain[20..322],
                &fill,
                &plain[322..],
            ];
            for bytes in [second, all.concat()] {
                assert_eq!(size(&url("image/jpeg", &bytes)), Some((640, 480)));
                assert_eq!(size(&url("image/jpeg", &bytes[..bytes.len() - 1])), None);
            }
        }
    }

    /// Takes minutes if the time is the square of the length.
    #[test]
    fn long_data_takes_linear_time() {
        let mut bytes = jpeg(640, 480, std::iter::repeat_n(2, 4_000_000));
        assert_eq!(size(&url("image/jpeg", &bytes)), Some((640, 480)));
        bytes.truncate(bytes.len() - 1);
        assert_eq!(size(&url("image/jpeg", &bytes)), None);
        assert_eq!(size(&url("image/jpeg", &vec![0xff; 4_000_000])), None);
        let fill = [&[0xff, 0xd8][..], &vec![0xff; 4_000_000]].concat();
        assert_eq!(size(&url("image/jpeg", &fill)), None);
        let segments = [
            &[0xff, 0xd8][..],
            &[0xff, 0xff, 0xe1, 0, 2].repeat(1_000_000),
        ]
        .concat();
        assert_eq!(size(&url("image/jpeg", &segments)), None);
        let breaks = format!("data:image/png;base64,{}", "A\n".repeat(4_000_000));
        assert_eq!(size(&breaks), None);
        assert_eq!(size(&"data:".repeat(4_000_000)), None);
    }

    proptest! {
        #[test]
        fn never_panics(kind in 0..4_usize, tail: Vec<u8>, text: String) {
            let mut bytes = [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"RIFF\0\0\0\0WEBP"][kind].to_vec();
            bytes.extend(tail);
            size(&url("image/png", &bytes));
            size(&format!("data:{text}"));
            size(&format!("data:image/png;base64,{text}"));
        }
    }
}
