use std::fmt;

/// Personal data: a telephone number, a name, typed digits, an address. Neither `Debug` nor `Display`
/// shows it, so it cannot reach a log by accident; `expose` says at each place that it is meant to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    pub const fn new(value: T) -> Self {
        Pii(value)
    }
    /// The value, for what must have it: the wire, a call record, an operator who may see it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
    /// To add to it.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_print() {
        let number = Pii::new("13800138000");
        assert_eq!(format!("{number} {number:?}"), "*** ***");
        assert_eq!(*number.expose(), "13800138000");
    }
}
