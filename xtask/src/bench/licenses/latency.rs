//! How long answers take under a load that does not wait for them.
//!
//! A client that asks again only once it was answered asks less while a server stands still, and so does not see that
//! it does. Here each request has its moment, and its time is counted from that moment, whether or not it could be sent
//! then (what `oha` calls latency correction).

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{bench::statistics::percentile, process::interrupted};

/// So many requests a second, spread over connections.
pub struct Load<'a> {
    pub port: u16,
    pub keys: &'a [String],
    pub per_second: f64,
    pub connections: u32,
    pub seconds: u32,
}

/// In microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    pub median: f64,
    pub p999: f64,
    pub max: f64,
}

impl Load<'_> {
    pub fn run(&self) -> Result<Latency> {
        // All connections stand before the first moment.
        let start = Instant::now() + Duration::from_millis(200);
        let mut times = thread::scope(|scope| {
            let all: Vec<_> = (0..self.connections)
                .map(|number| scope.spawn(move || self.connection(number, start)))
                .collect();
            let mut times = Vec::new();
            for one in all {
                times.extend(one.join().map_err(|_| anyhow!("a connection of the load panicked"))??);
            }
            anyhow::Ok(times)
        })?;
        Latency::of(&mut times)
    }

    /// What one connection has seen.
    fn connection(&self, number: u32, start: Instant) -> Result<Vec<f64>> {
        let mut connection = Connection::open(self.port)?;
        let mut random = Xorshift(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let between = f64::from(self.connections) / self.per_second;
        let first = f64::from(number) / self.per_second;
        let mut times = Vec::new();
        for turn in 0_u32.. {
            let moment = f64::from(turn) * between + first;
            if moment >= f64::from(self.seconds) {
                break;
            }
            if turn % 1_024 == 0 && interrupted() {
                bail!("stopped");
            }
            let moment = start + Duration::from_secs_f64(moment);
            if let Some(early) = moment.checked_duration_since(Instant::now()) {
                thread::sleep(early);
            }
            let key = &self.keys[(random.next() % self.keys.len() as u64) as usize];
            connection.validate(key)?;
            times.push(moment.elapsed().as_secs_f64() * 1e6);
        }
        Ok(times)
    }
}

impl Latency {
    fn of(times: &mut [f64]) -> Result<Self> {
        times.sort_by(f64::total_cmp);
        match (percentile(times, 0.5), percentile(times, 0.999), times.last().copied()) {
            (Some(median), Some(p999), Some(max)) => Ok(Self { median, p999, max }),
            _ => bail!("not a single request was sent"),
        }
    }
}

/// A connection that stays.
struct Connection {
    port: u16,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        let stream = stream.with_context(|| format!("connecting to port {port}"))?;
        stream.set_nodelay(true).context("setting up a connection")?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).context("setting up a connection")?;
        Ok(Self { port, stream, buffer: vec![0; 8_192] })
    }

    /// Asks about a key that is good.
    fn validate(&mut self, key: &str) -> Result<()> {
        let body = format!("{{\"licenseKey\":\"{key}\"}}");
        let request = format!(
            "POST /api/licenses/validate HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).context("asking about a license")?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).context("reading an answer")?;
            filled += read;
            match whole(&self.buffer[..filled])? {
                Some(body) if holds(body, b"\"code\":\"VALID\"") => return Ok(()),
                Some(body) => bail!("a good license was answered {}", String::from_utf8_lossy(body)),
                None if read == 0 || filled == self.buffer.len() => bail!("an answer has no end"),
                None => {}
            }
        }
    }
}

/// The body of an answer that is there as a whole.
fn whole(bytes: &[u8]) -> Result<Option<&[u8]>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).context("an answer's head is not text")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("a question about a license was answered {}", head.lines().next().unwrap_or_default());
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.context("an answer has no length")?;
    Ok(bytes.get(end + 4..end + 4 + length))
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Which key is next: nobody depends on how random it is.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousandth_is_found() {
        let mut times: Vec<f64> = (1..=10_000).rev().map(f64::from).collect();
        let latency = Latency::of(&mut times).expect("there are times");
        assert_eq!(latency, Latency { median: 5_000.0, p999: 9_990.0, max: 10_000.0 });
        let one = Latency::of(&mut [7.0]).expect("there is one");
        assert_eq!(one, Latency { median: 7.0, p999: 7.0, max: 7.0 });
        assert!(Latency::of(&mut []).is_err());
    }

    #[test]
    fn an_answer_is_whole_when_its_length_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(whole(answer).expect("it is well"), Some(&b"abc"[..]));
        assert_eq!(whole(&answer[..answer.len() - 1]).expect("it is well"), None);
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\n").expect("it is well"), None);
        assert!(whole(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n").is_err());
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
