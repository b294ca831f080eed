/// A set of small numbers, one bit each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub fn none(len: usize) -> Bits {
        Bits(vec![0; len.div_ceil(64)])
    }

    pub fn all(len: usize) -> Bits {
        let mut bits = Bits(vec![u64::MAX; len.div_ceil(64)]);
        if !len.is_multiple_of(64)
            && let Some(last) = bits.0.last_mut()
        {
            *last = (1 << (len % 64)) - 1;
        }
        bits
    }

    pub fn put(&mut self, i: usize, on: bool) {
        if on {
            self.0[i / 64] |= 1 << (i % 64);
        } else {
            self.0[i / 64] &= !(1 << (i % 64));
        }
    }

    pub fn has(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 == 1
    }

    pub fn and(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    pub fn or(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Those of `self` that are not in `other`.
    pub fn minus(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Whether a member of both is not in `but`.
    pub fn meets_without(&self, other: &Bits, but: &Bits) -> bool {
        self.0.iter().zip(&other.0).zip(&but.0).any(|((a, b), c)| a & b & !c != 0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// Members of both, ascending.
    pub fn both<'a>(&'a self, other: &'a Bits) -> impl Iterator<Item = usize> + 'a {
        self.0.iter().zip(&other.0).enumerate().flat_map(|(w, (a, b))| {
            let mut word = a & b;
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    w * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_behaves_as_a_set() {
        for len in [0, 1, 63, 64, 65, 130] {
            let all = Bits::all(len);
            assert_eq!(all.both(&all).collect::<Vec<_>>(), (0..len).collect::<Vec<_>>());
            let mut even = Bits::none(len);
            (0..len).step_by(2).for_each(|i| even.put(i, true));
            let mut odd = all.clone();
            odd.minus(&even);
            assert!(!odd.meets_without(&even, &Bits::none(len)));
            assert!(!all.meets_without(&even, &even));
            assert_eq!(all.meets_without(&even, &odd), len > 0);
            assert_eq!(odd.is_empty(), len < 2);
            odd.or(&even);
            assert_eq!(odd, all);
            odd.and(&even);
            assert_eq!(odd, even);
            assert!((0..len).all(|i| even.has(i) == (i % 2 == 0)));
        }
    }
}
