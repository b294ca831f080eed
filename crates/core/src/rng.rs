use std::fmt;

/// A seeded generator (ChaCha with 8 rounds, RFC 8439's layout): the same seed gives the same numbers,
/// and the numbers of a secret seed cannot be guessed from those seen on the wire (tags, branches, nonces).
#[derive(Clone)]
pub struct Rng {
    key: [u32; 8],
    counter: u64,
    block: [u32; 16],
    used: usize,
}

impl Rng {
    pub fn new(seed: [u8; 32]) -> Rng {
        let mut key = [0; 8];
        for (word, bytes) in key.iter_mut().zip(seed.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Rng { key, counter: 0, block: [0; 16], used: 16 }
    }

    /// For tests and simulations, where a seed is a number to print.
    pub fn from_u64(seed: u64) -> Rng {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Rng::new(bytes)
    }

    /// An independent generator for a part, drawn from this one.
    pub fn fork(&mut self) -> Rng {
        let mut seed = [0; 32];
        self.fill(&mut seed);
        Rng::new(seed)
    }

    pub fn next_u32(&mut self) -> u32 {
        if self.used == 16 {
            self.block = chacha8(&self.key, self.counter);
            self.counter += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.next_u32().to_le_bytes()[..chunk.len()]);
        }
    }

    /// A number below `n` (0 when `n` is 0), without a bias that matters: 2^-64 times `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// In 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// `n` characters of a-z0-9: about 5.2 bits each.
    pub fn token(&mut self, n: usize) -> String {
        const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..n).map(|_| char::from(ALPHABET[self.below(36) as usize])).collect()
    }
}

impl fmt::Debug for Rng {
    /// Never shows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rng").field("blocks", &self.counter).finish_non_exhaustive()
    }
}

fn chacha8(key: &[u32; 8], counter: u64) -> [u32; 16] {
    chacha(key, [counter as u32, (counter >> 32) as u32, 0, 0], 4)
}

fn chacha(key: &[u32; 8], tail: [u32; 4], double_rounds: usize) -> [u32; 16] {
    let mut start = [0u32; 16];
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    start[4..12].copy_from_slice(key);
    start[12..].copy_from_slice(&tail);
    let mut s = start;
    for _ in 0..double_rounds {
        for [a, b, c, d] in [
            [0, 4, 8, 12],
            [1, 5, 9, 13],
            [2, 6, 10, 14],
            [3, 7, 11, 15],
            [0, 5, 10, 15],
            [1, 6, 11, 12],
            [2, 7, 8, 13],
            [3, 4, 9, 14],
        ] {
            for (left, right) in [(16, 12), (8, 7)] {
                s[a] = s[a].wrapping_add(s[b]);
                s[d] = (s[d] ^ s[a]).rotate_left(left);
                s[c] = s[c].wrapping_add(s[d]);
                s[b] = (s[b] ^ s[c]).rotate_left(right);
            }
        }
    }
    for (word, first) in s.iter_mut().zip(start) {
        *word = word.wrapping_add(first);
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8439 section 2.3.2, with its 20 rounds.
    #[test]
    fn block_of_rfc_8439() {
        let mut key = [0u32; 8];
        for (i, word) in key.iter_mut().enumerate() {
            let b = (i * 4) as u8;
            *word = u32::from_le_bytes([b, b + 1, b + 2, b + 3]);
        }
        let block = chacha(&key, [1, 0x0900_0000, 0x4a00_0000, 0], 10);
        assert_eq!(block[0], 0xe4e7_f110);
        assert_eq!(block[15], 0x4e3c_50a2);
    }

    #[test]
    fn same_seed_same_numbers() {
        let (mut a, mut b) = (Rng::from_u64(7), Rng::from_u64(7));
        assert!((0..100).all(|_| a.next_u32() == b.next_u32()));
        assert_ne!(Rng::from_u64(8).next_u64(), Rng::from_u64(7).next_u64());
        assert!((0..1000).all(|_| a.below(10) < 10));
        assert_eq!(a.below(0), 0);
        assert_eq!(a.token(12).len(), 12);
    }
}
