//! Mutations of bytes, chosen by numbers that are the same on every machine.

/// xorshift64*.
pub(super) struct Numbers(u64);

impl Numbers {
    /// Those of one input.
    pub(super) fn new(seed: u64, input: u64) -> Numbers {
        // Neighbours start far apart, and none at zero.
        Numbers((seed << 40 ^ input).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`, or zero.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }
}

/// Pieces that parsers of JSON, YAML, DER, CBOR, tar and headers look for.
const PIECES: &[&[u8]] = &[
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"\"\\u0000\"",
    b"1e999",
    b"-1",
    b"18446744073709551616",
    b",",
    b":",
    b"[[[[[[[[",
    b"{\"a\":",
    b"&a [*a]",
    b"<<: *a",
    b"!!binary ",
    b"\xff\xff\xff\xff",
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x02\x01\x00",
    b"\x05\x00",
    b"\x9f\xff",
    b"\xd8\x20",
    b"\xfb\x7f\xf0",
    b"\0\0\0\0\0\0\0\0",
    b"77777777777",
    b"; rel=next",
    b"\\\"",
    b"\n",
    b"../",
    b"\xe2\x80\xae",
];

/// Changes `bytes` one to four times; `other` is spliced in.
pub(super) fn mutate(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 if at < bytes.len() => bytes[at] = numbers.below(256) as u8,
            // The length of a DER value, a count: one more, one less.
            2 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add([1, 255][numbers.below(2)]),
            3 => bytes.truncate(at),
            4 => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[numbers.below(other.len())..]);
            }
            5 => {
                let end = bytes.len().min(at + numbers.below(64));
                let chunk = bytes[at..end].repeat(numbers.below(100));
                bytes.splice(at..at, chunk);
            }
            6 => {
                let end = bytes.len().min(at + numbers.below(16));
                bytes.drain(at..end);
            }
            7 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                let end = bytes.len().min(at + [0, piece.len()][numbers.below(2)]);
                bytes.splice(at..end, piece.iter().copied());
            }
            _ => {
                let from = numbers.below(other.len());
                let end = other.len().min(from + numbers.below(64));
                bytes.splice(at..at, other[from..end].iter().copied());
            }
        }
    }
}
