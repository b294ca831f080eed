//! Bytes read as what happens next. A script that ends early goes on with zeros: any bytes are a script.

#[derive(Clone, Copy, Debug)]
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to the next record separator, which is taken too.
    pub fn text(&mut self) -> &'a [u8] {
        let text = self.bytes(self.0.iter().position(|b| *b == SEPARATOR).unwrap_or(self.0.len()));
        self.bytes(1);
        text
    }
}

/// ASCII's own for this.
const SEPARATOR: u8 = 0x1e;
