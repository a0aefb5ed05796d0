//! The few requests that the bench makes itself: what is measured is looked at first, so that no row of the table
//! is about an error page.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail};

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Asks for a page, and takes nothing but 200 for an answer.
pub fn get(port: u16, path: &str, headers: &[&str]) -> Result<Answer> {
    let answer = send(port, "GET", path, headers, "")?;
    if answer.status != 200 {
        bail!("GET {path} on port {port} was answered {}", answer.status);
    }
    Ok(answer)
}

/// Signs in as people do, and gives back the cookie for later requests.
pub fn sign_in(port: u16, email: &str, password: &str) -> Result<String> {
    let form = format!("email={}&password={password}&next=%2F", email.replace('@', "%40"));
    let headers = ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"];
    let answer = send(port, "POST", "/sign-in", &headers, &form)?;
    if answer.status != 303 {
        bail!("POST /sign-in was answered {} instead of 303", answer.status);
    }
    let cookie = answer.header("set-cookie").context("POST /sign-in set no cookie")?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// Sends JSON as a program would, through a proxy on this machine that says who it comes from.
pub fn post(port: u16, path: &str, from: Ipv4Addr, body: &str) -> Result<Answer> {
    let from = format!("X-Forwarded-For: {from}");
    send(port, "POST", path, &["Content-Type: application/json", &from], body)
}

/// Sends JSON for whoever has this access token, from this machine itself.
pub fn ask(port: u16, method: &str, path: &str, token: Option<&str>, body: &str) -> Result<Answer> {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}"));
    let mut headers = vec!["Content-Type: application/json"];
    headers.extend(bearer.as_deref());
    send(port, method, path, &headers, body)
}

fn send(port: u16, method: &str, path: &str, headers: &[&str], body: &str) -> Result<Answer> {
    let doing = || format!("{method} {path} on port {port}");
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).with_context(doing)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).with_context(doing)?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    if method != "GET" {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).with_context(doing)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).with_context(doing)?;
    parse(&bytes).with_context(doing)
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end =
        bytes.windows(4).position(|window| window == b"\r\n\r\n").context("the answer's head has no end")?;
    let head = std::str::from_utf8(&bytes[..end]).context("the answer's head is not text")?;
    let body = bytes[end + 4..].to_vec();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.context("the answer has no status")?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let answer = Answer { status, headers, body };
    if answer.header("transfer-encoding").is_some() {
        bail!("the answer comes in chunks, and a page from the cache has a length");
    }
    if let Some(length) = answer.header("content-length")
        && length.parse() != Ok(answer.body.len())
    {
        bail!("the answer has {} bytes instead of {length}", answer.body.len());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: W/\"a:b\"\r\n\r\na\r\n";
        let answer = parse(bytes).expect("it is whole");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("etag"), Some("W/\"a:b\""));
        assert_eq!(answer.body, b"a\r\n");
    }

    #[test]
    fn half_an_answer_is_none() {
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").is_err());
        assert!(parse(b"").is_err());
    }
}
