//! Chance and its smooth forms. SplitMix64 is written out here because a crate's generator may change its numbers with a
//! version, and with them every drawing. Everything is plain IEEE arithmetic: the same on every machine.

/// The Gaussian exp(−t) by plain multiplication, (1 − t/16)¹⁶, which is zero from t = 16.
pub(super) fn bell(t: f64) -> f64 {
    let mut value = (1.0 - t / 16.0).max(0.0);
    for _ in 0..4 {
        value *= value;
    }
    value
}

/// Gradient noise between about −0.7 and 0.7: a slope at every crossing of a grid, blended smoothly between them.
pub(super) fn noise(seed: u64, x: f64, y: f64) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    let (right, down) = (x - column, y - row);
    let ease = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let slope = |dx: f64, dy: f64| {
        let place = ((column + dx) as i64 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ ((row + dy) as i64 as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        let mut random = Random(seed ^ place);
        let (sx, sy) = (random.unit() * 2.0 - 1.0, random.unit() * 2.0 - 1.0);
        sx * (right - dx) + sy * (down - dy)
    };
    let blend = |a: f64, b: f64, t: f64| a + (b - a) * t;
    let top = blend(slope(0.0, 0.0), slope(1.0, 0.0), ease(right));
    let bottom = blend(slope(0.0, 1.0), slope(1.0, 1.0), ease(right));
    blend(top, bottom, ease(down))
}

/// SplitMix64. A crate's generator may change its numbers with a version, and with them every drawing.
pub(super) struct Random(u64);

impl Random {
    /// FNV-1a makes the words a number.
    pub(super) fn new(seed: &str) -> Self {
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// From 0 up to, but without, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() % u64::from(high - low + 1)) as u32
    }
}
