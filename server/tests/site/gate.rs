//! A way to the database that a test closes and opens again: to the site, the server stops and starts.

use std::net::SocketAddr;

use devforge::config::{DatabaseConfig, Secret};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use url::Url;

use crate::database_support::server_url;

pub struct Gate {
    address: SocketAddr,
    forwarding: Option<JoinHandle<()>>,
}

impl Gate {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        Self { address, forwarding: Some(tokio::spawn(forward(listener))) }
    }

    /// Makes the site go through here.
    pub fn lead(&self, config: &mut DatabaseConfig) {
        let direct = config.url.as_ref().expect("tests name their database");
        let mut url: Url = direct.expose().parse().expect("an address");
        url.set_host(Some(&self.address.ip().to_string())).expect("a database's address has a host");
        url.set_port(Some(self.address.port())).expect("a database's address has a port");
        config.url = Some(Secret::new(url.to_string()));
    }

    /// Cuts every connection and refuses new ones.
    pub async fn close(&mut self) {
        if let Some(forwarding) = self.forwarding.take() {
            forwarding.abort();
            // It was cancelled: there is no other outcome to look at.
            let _ = forwarding.await;
        }
    }

    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is still ours");
        self.forwarding = Some(tokio::spawn(forward(listener)));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(forwarding) = &self.forwarding {
            forwarding.abort();
        }
    }
}

async fn forward(listener: TcpListener) {
    let server = server_url();
    let host = server.host_str().expect("DATABASE_URL names a host").to_owned();
    let target = (host, server.port().unwrap_or(5432));
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let target = target.clone();
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(target).await {
                // An end that hangs up ends it; how is of no interest.
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
