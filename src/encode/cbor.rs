//! CBOR (RFC 8949), written in the shortest form; [`Cbor::Raw`] writes bytes as they are given. Nothing is read here.

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub enum Cbor {
    /// An integer.
    Integer(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Cbor>),
    /// A map; pairs are written in this order, doubled or not.
    Map(Vec<(Cbor, Cbor)>),
    /// A tagged item.
    Tagged(u64, Box<Cbor>),
    /// A floating-point number, in 64 bits.
    Float(f64),
    /// `false` or `true`.
    Bool(bool),
    /// `null`.
    Null,
    /// `undefined`.
    Undefined,
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
}

impl Cbor {
    /// A text string.
    pub fn text(text: &str) -> Cbor {
        Cbor::Text(text.to_owned())
    }

    /// The item as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Cbor::Integer(number) => match u64::try_from(*number) {
                Ok(number) => head(0, number, out),
                Err(_) => head(1, !number.cast_unsigned(), out),
            },
            Cbor::Bytes(bytes) => {
                head(2, bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Cbor::Text(text) => {
                head(3, text.len() as u64, out);
                out.extend_from_slice(text.as_bytes());
            }
            Cbor::Array(items) => {
                head(4, items.len() as u64, out);
                items.iter().for_each(|item| item.write(out));
            }
            Cbor::Map(pairs) => {
                head(5, pairs.len() as u64, out);
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
            Cbor::Tagged(tag, item) => {
                head(6, *tag, out);
                item.write(out);
            }
            Cbor::Float(number) => {
                out.push(0xfb);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Cbor::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
            Cbor::Null => out.push(0xf6),
            Cbor::Undefined => out.push(0xf7),
            Cbor::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// The head of an item: the major type and its argument in the shortest form.
fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => out.push(major | bytes[7]),
        24..0x100 => out.extend_from_slice(&[major | 24, bytes[7]]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_examples_of_the_rfc() {
        // RFC 8949, appendix A.
        for (item, hex) in [
            (Cbor::Integer(0), "00"),
            (Cbor::Integer(23), "17"),
            (Cbor::Integer(24), "1818"),
            (Cbor::Integer(1000), "1903e8"),
            (Cbor::Integer(1_000_000), "1a000f4240"),
            (Cbor::Integer(1_000_000_000_000), "1b000000e8d4a51000"),
            (Cbor::Integer(-1), "20"),
            (Cbor::Integer(-100), "3863"),
            (Cbor::Integer(-1000), "3903e7"),
            (Cbor::Float(1.1), "fb3ff199999999999a"),
            (Cbor::Bytes(vec![1, 2, 3, 4]), "4401020304"),
            (Cbor::text("IETF"), "6449455446"),
            (Cbor::Tagged(1, Box::new(Cbor::Integer(1_363_896_240))), "c11a514b67b0"),
            (
                Cbor::Map(vec![(Cbor::text("a"), Cbor::Integer(1)), (Cbor::text("b"), Cbor::Array(vec![]))]),
                "a2616101616280",
            ),
            (Cbor::Array(vec![Cbor::Bool(false), Cbor::Bool(true), Cbor::Null, Cbor::Undefined]), "84f4f5f6f7"),
        ] {
            assert_eq!(hex::encode(item.encode()), hex);
        }
    }
}
