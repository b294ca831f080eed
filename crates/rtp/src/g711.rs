//! G.711: 16-bit linear samples to and from mu-law and A-law, all by tables.

/// Silence in mu-law.
pub const ULAW_SILENCE: u8 = 0xff;
/// Silence in A-law.
pub const ALAW_SILENCE: u8 = 0xd5;

static ULAW_TO_LINEAR: [i16; 256] = expand_table(false);
static ALAW_TO_LINEAR: [i16; 256] = expand_table(true);
/// By the upper 14 bits of a sample, which is all that mu-law tells apart.
static LINEAR_TO_ULAW: [u8; 16384] = ulaw_table();
/// By the upper 13 bits of a sample, which is all that A-law tells apart.
static LINEAR_TO_ALAW: [u8; 8192] = alaw_table();
static ULAW_TO_ALAW: [u8; 256] = transcode_table(false);
static ALAW_TO_ULAW: [u8; 256] = transcode_table(true);

pub fn ulaw_decode(code: u8) -> i16 {
    ULAW_TO_LINEAR[usize::from(code)]
}

pub fn alaw_decode(code: u8) -> i16 {
    ALAW_TO_LINEAR[usize::from(code)]
}

pub fn ulaw_encode(sample: i16) -> u8 {
    LINEAR_TO_ULAW[usize::from(sample as u16 >> 2)]
}

pub fn alaw_encode(sample: i16) -> u8 {
    LINEAR_TO_ALAW[usize::from(sample as u16 >> 3)]
}

/// One code to the nearest of the other law.
pub fn ulaw_to_alaw(code: u8) -> u8 {
    ULAW_TO_ALAW[usize::from(code)]
}

/// One code to the nearest of the other law.
pub fn alaw_to_ulaw(code: u8) -> u8 {
    ALAW_TO_ULAW[usize::from(code)]
}

const fn ulaw_expand(code: u8) -> i16 {
    let code = !code;
    let magnitude = (((((code & 0x0f) as i16) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn alaw_expand(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = ((code & 0x70) >> 4, ((code & 0x0f) as i16) << 4);
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn expand_table(alaw: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = if alaw { alaw_expand(code as u8) } else { ulaw_expand(code as u8) };
        code += 1;
    }
    table
}

/// Sign and magnitude in a 14-bit scale, biased by 33; a negative sample's magnitude is its one's complement,
/// so that each group of four 16-bit samples has one code.
const fn ulaw_compress(upper14: i16) -> u8 {
    let (sign, magnitude) = if upper14 < 0 { (0x80, !upper14) } else { (0, upper14) };
    let biased = if magnitude > 8158 { 8191 } else { magnitude + 33 };
    // Bit 5 is the leading bit of segment 0, bit 12 that of segment 7.
    let segment = 10 - biased.leading_zeros() as u8;
    !(sign | segment << 4 | (biased >> (segment + 1)) as u8 & 0x0f)
}

/// Sign and magnitude in a 13-bit scale.
const fn alaw_compress(upper13: i16) -> u8 {
    let (sign, magnitude) = if upper13 < 0 { (0, !upper13) } else { (0x80, upper13) };
    let code = if magnitude < 32 {
        (magnitude >> 1) as u8
    } else {
        // Bit 5 is the leading bit of segment 1, bit 11 that of segment 7.
        let segment = 11 - magnitude.leading_zeros() as u8;
        segment << 4 | (magnitude >> segment) as u8 & 0x0f
    };
    (sign | code) ^ 0x55
}

const fn ulaw_table() -> [u8; 16384] {
    let mut table = [0; 16384];
    let mut i = 0;
    while i < table.len() {
        table[i] = ulaw_compress((i as u16 as i16) << 2 >> 2);
        i += 1;
    }
    table
}

const fn alaw_table() -> [u8; 8192] {
    let mut table = [0; 8192];
    let mut i = 0;
    while i < table.len() {
        table[i] = alaw_compress((i as u16 as i16) << 3 >> 3);
        i += 1;
    }
    table
}

const fn transcode_table(from_alaw: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = if from_alaw {
            ulaw_compress(alaw_expand(code as u8) >> 2)
        } else {
            alaw_compress(ulaw_expand(code as u8) >> 3)
        };
        code += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_vector(json: &str) -> Vec<i16> {
        let list = json.split(['[', ']']).nth(1).expect("a list");
        list.split(',').map(|n| n.trim().parse().expect("a sample")).collect()
    }

    #[test]
    fn decodes_as_the_recommendation_says() {
        let ulaw = decode_vector(include_str!("../tests/vectors/ulaw_decode.json"));
        let alaw = decode_vector(include_str!("../tests/vectors/alaw_decode.json"));
        for code in 0..=255u8 {
            assert_eq!(ulaw_decode(code), ulaw[usize::from(code)], "mu-law {code}");
            assert_eq!(alaw_decode(code), alaw[usize::from(code)], "A-law {code}");
        }
    }

    #[test]
    fn encodes_alaw_by_the_decision_values() {
        let vector = include_bytes!("../tests/vectors/alaw_encode_audioop.bin");
        for (i, sample) in (i16::MIN..=i16::MAX).enumerate() {
            assert_eq!(alaw_encode(sample), vector[i], "{sample}");
        }
    }

    /// Two other encoders drop bits of negative samples, or round early: never to a nearer code than ours.
    #[test]
    fn encodes_mulaw_to_the_nearest_code() {
        let others = [
            include_bytes!("../tests/vectors/ulaw_encode_audioop.bin"),
            include_bytes!("../tests/vectors/ulaw_encode_sox.bin"),
        ];
        for (i, sample) in (i16::MIN..=i16::MAX).enumerate() {
            let error = |code: u8| (i32::from(sample) - i32::from(ulaw_decode(code))).abs();
            let ours = ulaw_encode(sample);
            for other in others {
                assert!(error(ours) <= error(other[i]), "{sample}: {ours} or {}", other[i]);
            }
        }
    }

    #[test]
    fn transcodes_to_the_same_loudness() {
        for code in 0..=255u8 {
            let (from, to) = (i32::from(ulaw_decode(code)), i32::from(alaw_decode(ulaw_to_alaw(code))));
            assert!((from - to).abs() <= 8 + from.abs() / 16, "mu-law {code}: {from} became {to}");
            let (from, to) = (i32::from(alaw_decode(code)), i32::from(ulaw_decode(alaw_to_ulaw(code))));
            assert!((from - to).abs() <= 8 + from.abs() / 16, "A-law {code}: {from} became {to}");
        }
        assert_eq!((ulaw_decode(ULAW_SILENCE), alaw_decode(ALAW_SILENCE)), (0, 8));
        assert_eq!((ulaw_to_alaw(ULAW_SILENCE), alaw_encode(0)), (ALAW_SILENCE, ALAW_SILENCE));
    }
}
